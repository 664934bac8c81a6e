// All groups, as the SuperAdmin searches, sorts and looks into them.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';

test('a group is found by its name and a member, filtered and put in order', async ({ page, people, watch }) => {
  const name = `Group ${randomUUID()}`;
  const admin = await people.admin(name);
  await admin.subscribe('Basic');
  await admin.spend('voice', 41_000);
  await people.admin(name.replace('Group', 'Other'));
  await (await people.superadmin()).signIn(page);
  await page.goto('/subscription-plans');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Groups' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Groups');
  const filters = page.getByRole('form', { name: 'Filters' });
  const rows = page.getByRole('table', { name: 'Groups' }).locator('tbody tr');

  await filters.getByLabel('Search').fill(name.slice(6).toUpperCase());
  await filters.getByLabel('Sort').selectOption('Usage, most first');
  await filters.getByRole('button', { name: 'Show' }).click();
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(0)).toContainText(name);
  await expect(rows.nth(0)).toContainText('Basic');
  await expect(rows.nth(0)).toContainText('82 %');
  await expect(rows.nth(0)).toContainText('$29.99');
  // The other has no subscription, and so no figures.
  await expect(rows.nth(1)).toContainText('No subscription');
  await expect(rows.nth(1)).not.toContainText('0 %');
  await expect(filters.getByLabel('Search')).toHaveValue(name.slice(6).toUpperCase());

  await filters.getByLabel('Usage', { exact: true }).selectOption('80 % or more');
  await filters.getByRole('button', { name: 'Show' }).click();
  await expect(rows).toHaveCount(1);
  await filters.getByLabel('Status').selectOption('Canceled');
  await filters.getByRole('button', { name: 'Show' }).click();
  await expect(page.getByRole('heading', { name: 'No group matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear the filters' }).click();
  await expect(page).toHaveURL(/\/groups$/);

  await filters.getByLabel('Search').fill(admin.email);
  await filters.getByLabel('Search').press('Enter');
  await expect(rows).toHaveCount(1);
  await expect(rows.first().getByRole('link', { name })).toBeVisible();
  expect(watch.mistakes).toEqual([]);
});

test('a group is looked at for a reason that is kept, and nothing can be changed', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.spend('llm', 75_000);
  const member = await people.member(admin);
  await (await people.superadmin()).signIn(page);
  await page.goto(`/groups/${admin.group}`);
  await expect(page.getByText('Nobody yet.')).toBeVisible();
  await expect(page.getByText(member.email)).toHaveCount(0);
  await page.getByLabel('Reason').fill('Request 4711');
  await page.getByRole('button', { name: 'Look for an hour' }).click();

  await expect(page.getByText('Your reason is kept: “Request 4711”')).toBeVisible();
  await expect(page.getByRole('progressbar', { name: 'LLM tokens' })).toHaveAttribute('aria-valuenow', '75');
  await expect(page.getByRole('table', { name: 'Members of the group' })).toContainText(member.email);
  await expect(page.getByRole('table', { name: 'Invoices' })).toContainText('$29.99');
  const visits = page.getByRole('table', { name: 'Who looked' });
  await expect(visits).toContainText('superadmin@tollgate.test');
  await expect(visits).toContainText('Request 4711');
  await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
  await expect(page.getByRole('main').locator('form')).toHaveCount(0);
  // It is open for an hour.
  await page.reload();
  await expect(page.getByRole('table', { name: 'Members of the group' })).toBeVisible();
  expect(watch.mistakes).toEqual([]);
});
