// The operator's figures: what is earned, what each figure is, and the rows that it is made of.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';

const stat = (page: Page, name: string) => page.getByRole('article', { name, exact: true });
const section = (page: Page, name: string) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) });

test('each figure says what it is and opens into its rows', async ({ page, people, watch }) => {
  const plan = await people.plan({ name: `Earned ${Date.now()}`, price: '12.00', llm_tokens_limit: 1_000 });
  const admin = await people.admin('Payers Ltd');
  await admin.subscribe(plan.name);
  await (await people.superadmin()).signIn(page);
  await page.goto('/');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Analytics' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Analytics');

  await expect(stat(page, 'MRR').getByRole('link')).toHaveText(/^\$[\d,]+\.\d\d$/);
  await expect(stat(page, 'Churn')).toContainText(/In \w+ \d+: \$[\d,]+\.\d\d of \d+ groups/);
  const definition = stat(page, 'MRR').getByText('Trials, taxes, discounts, credits and overage don\'t count.');
  await expect(definition).toBeHidden();
  await stat(page, 'MRR').getByText('What MRR is').click();
  await expect(definition).toBeVisible();

  // The chart's figures are in its table, from which the rows are reached.
  const moved = section(page, 'How it moved');
  await expect(moved.getByRole('img', { name: /^How MRR moved in each interval/ })).toBeVisible();
  await moved.getByText('The figures as a table').click();
  await expect(moved.getByRole('row')).toHaveCount(14);
  await moved.getByRole('row', { name: /^The whole window/ }).getByRole('link', { name: /: New in/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('New: the rows');
  const mine = page.getByRole('row').filter({ hasText: plan.name });
  await expect(mine.getByRole('link', { name: 'Payers Ltd' })).toHaveAttribute('href', /^\/groups\/[0-9a-f-]{36}$/);
  await expect(mine).toContainText('$0.00$12.00+$12.00');

  await page.getByRole('link', { name: 'Back to the figures' }).click();
  const plans = page.getByRole('table', { name: 'Plans' });
  await expect(plans.getByRole('row', { name: new RegExp(`^${plan.name}`) })).toContainText('$12.00');
  expect(watch.mistakes).toEqual([]);

  // What can't be had is no zero: the demo's first group began to pay 352 days ago.
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  await page.goto(`/analytics?interval=day&from=${ago(354)}&to=${ago(351)}`);
  await expect(stat(page, 'Churn')).toContainText(/Nothing was paid when .+ began\./);
  await expect(stat(page, 'Churn').getByRole('link')).toHaveText('—');
});

test('a window is asked for by a form, and what is wrong about it is said at its field', async ({ page, people }) => {
  await (await people.superadmin()).signIn(page);
  await page.goto('/analytics');
  const form = page.getByRole('form', { name: 'Window' });
  await form.getByLabel('By').selectOption('Days');
  await form.getByLabel('Time zone').selectOption('Europe/Berlin');
  await form.getByLabel('From').fill(new Date(Date.now() - 6 * 86_400_000).toISOString().slice(0, 10));
  await form.getByRole('button', { name: 'Show' }).click();
  await expect(form.getByLabel('By')).toHaveValue('day');
  const moved = section(page, 'How it moved');
  await moved.getByText('The figures as a table').click();
  // A heading, the window, and its days.
  expect([8, 9, 10]).toContain(await moved.getByRole('row').count());

  await form.getByLabel('Before').fill('2020-01-01');
  await form.getByRole('button', { name: 'Show' }).click();
  await expect(form.getByLabel('Before')).toHaveAccessibleDescription(/has to end after it begins/);
});
