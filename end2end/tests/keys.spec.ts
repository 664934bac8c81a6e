import { request } from '@playwright/test';

import { expect, test } from '../fixtures';

test('a key is shown once, works, and works no more once revoked', async ({ page, people, watch, baseURL }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin);
  await member.signIn(page);
  await page.goto('/settings/api-keys');
  await expect(page.getByText('No keys yet.')).toBeVisible();

  await page.getByLabel('Name', { exact: true }).fill('production worker');
  await page.getByRole('button', { name: 'Create key' }).click();
  const key = await page.getByLabel('API key').inputValue();
  expect(key).toMatch(/^tg_/);
  const row = page.getByRole('table', { name: 'Your keys' }).getByRole('row').filter({ hasText: 'production worker' });
  await expect(row).toContainText('Never');
  await expect(row).not.toContainText(key);

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Copied', exact: true })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);

  const program = await request.newContext({ baseURL, extraHTTPHeaders: { Authorization: `Bearer ${key}` } });
  const event = { id: 'call-1', usage_type: 'llm', tokens_used: 1_200 };
  const recorded = await program.post('/api/subscriptions/usage/events/', { data: event });
  expect(recorded.status()).toBe(200);
  expect(await recorded.json()).toMatchObject({ accepted: 1, duplicates: 0, usage: { llm: { used: 1_200 } } });
  expect((await (await program.get('/api/auth/me/')).json()).email).toBe(member.email);

  await page.reload();
  await expect(page.getByLabel('API key'), 'the key is shown once').toHaveCount(0);
  expect(await page.content()).not.toContain(key);
  await expect(row).not.toContainText('Never');

  await row.getByRole('button', { name: 'Revoke production worker' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
  await expect(page.getByText('The key was revoked.')).toBeVisible();
  await expect(row).toHaveCount(0);
  const refused = await program.post('/api/subscriptions/usage/events/', { data: { ...event, id: 'call-2' } });
  expect(refused.status()).toBe(401);
  await program.dispose();
  expect((await member.usage()).llm.used).toBe(1_200);
  expect(watch.mistakes).toEqual([]);
});

test('a SuperAdmin is promised what its key can do', async ({ page, people, baseURL }) => {
  await (await people.superadmin()).signIn(page);
  await page.goto('/settings/api-keys');
  const example = page.locator('pre');
  await expect(example).not.toContainText('usage/events');
  await page.getByLabel('Name', { exact: true }).fill('catalogue');
  await page.getByRole('button', { name: 'Create key' }).click();
  const key = await page.getByLabel('API key').inputValue();
  const path = new URL(/https?:\/\/[^"\s]+/.exec((await example.textContent())!)![0]);
  const program = await request.newContext({ baseURL, extraHTTPHeaders: { Authorization: `Bearer ${key}` } });
  expect((await program.get(path.pathname + path.search)).status()).toBe(200);
  await program.dispose();
});

test("a key's caps, last use and tokens stand beside it", async ({ page, people, baseURL }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  const { key } = await (await admin.api.post('/api/auth/keys/', { data: { name: 'worker' } })).json();
  const program = await request.newContext({ baseURL, extraHTTPHeaders: { Authorization: `Bearer ${key}` } });
  await program.post('/api/subscriptions/usage/events/', { data: { id: 'call-1', usage_type: 'voice', tokens_used: 77 } });
  await page.goto('/settings/api-keys');
  const row = page.getByRole('table', { name: 'Your keys' }).getByRole('row').filter({ hasText: 'worker' });
  await expect(row).toContainText('77');
  await expect(row).not.toContainText('Never');
  await row.getByRole('button', { name: 'Cap worker' }).click();
  await page.getByRole('dialog').getByLabel('Voice tokens').fill('100');
  await page.getByRole('dialog').getByRole('button', { name: 'Save caps' }).click();
  await expect(row).toContainText('77 of 100');

  const hold = { usage_type: 'voice', tokens: 24 };
  const refused = await program.post('/api/subscriptions/usage/holds/', { data: hold });
  expect(refused.status()).toBe(402);
  expect(await refused.json()).toMatchObject({ code: 'limit_reached', limit: 'key' });
  await program.dispose();
});
