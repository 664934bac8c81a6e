import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';

test('the SuperAdmin writes a plan, changes it and takes it away', async ({ page, people, watch }) => {
  const superadmin = await people.superadmin();
  await superadmin.signIn(page);
  await page.goto('/subscription-plans');
  const rows = page.getByRole('table', { name: 'Plans' }).getByRole('row');
  await expect(rows.filter({ hasText: 'Scale' })).toContainText('2,500,000');

  await page.getByRole('link', { name: 'Create plan' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Basic Plan');
  await page.getByLabel('Description').fill('For a small team.');
  await page.getByLabel('Price', { exact: true }).fill('29.99');
  await page.getByLabel('LLM tokens').fill('100000');
  await page.getByLabel('Voice tokens').fill('50000');
  await page.getByLabel('Users').fill('10');
  await page.getByLabel('Features').fill('E-mail support\nShared allowance');
  const preview = page.getByRole('article', { name: 'Basic Plan' });
  await expect(preview).toContainText('$29.99');
  await expect(preview).toContainText('100,000 LLM tokens');
  await expect(preview).toContainText('Shared allowance');
  const [fields, card] = [await page.getByLabel('Features').boundingBox(), await preview.boundingBox()];
  expect(card!.x, 'the card stands beside the form').toBeGreaterThan(fields!.x + fields!.width);
  await page.getByRole('button', { name: 'Create plan' }).click();

  await expect(page).toHaveURL('/subscription-plans');
  const row = rows.filter({ hasText: 'Basic Plan' });
  for (const cell of ['$29.99', '100,000', '50,000', '10', 'price_']) await expect(row).toContainText(cell);
  const made = (await superadmin.plans()).find(({ name }) => name === 'Basic Plan');
  expect(made).toMatchObject({
    price: '29.99',
    currency: 'usd',
    interval: 'month',
    llm_tokens_limit: 100_000,
    voice_tokens_limit: 50_000,
    max_users: 10,
    features: ['E-mail support', 'Shared allowance'],
    archived: false,
  });

  await row.getByRole('link', { name: 'Edit Basic Plan' }).click();
  await expect(page.getByLabel('Price', { exact: true })).toHaveValue('29.99');
  await expect(page.getByLabel('Features')).toHaveValue('E-mail support\nShared allowance');
  await page.getByLabel('Voice tokens').fill('60000');
  await page.getByLabel('Users').fill('');
  await expect(page.getByLabel('Users')).toHaveAccessibleDescription(/or choose unlimited/);
  const unlimited = page.getByRole('group', { name: 'Users' }).getByRole('checkbox', { name: 'Unlimited' });
  await unlimited.check();
  await expect(page.getByLabel('Users')).not.toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Users').fill('7');
  await expect(unlimited, 'a number takes the choice back').not.toBeChecked();
  await unlimited.check();
  await expect(page.getByLabel('Users'), 'and the choice the number').toHaveValue('');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page).toHaveURL('/subscription-plans');
  await expect(row).toContainText('60,000');
  await expect(row).toContainText('Unlimited');

  await row.getByRole('button', { name: 'Archive Basic Plan' }).click();
  await page.getByRole('dialog', { name: 'Archive Basic Plan?' }).getByRole('button', { name: 'Archive plan' }).click();
  await expect(page.getByRole('status')).toContainText('Basic Plan');
  await expect(row).toHaveCount(0);
  expect((await superadmin.plans()).some(({ name }) => name === 'Basic Plan'), 'it was never used').toBe(false);
  expect(watch.mistakes).toEqual([]);
});

test('a plan that a group has is archived: it is kept for them and not sold any more', async ({ page, people }) => {
  const name = `Kept ${randomUUID().slice(0, 8)}`;
  const plan = await people.plan({ name, price: '3.00', llm_tokens_limit: 1_000 });
  const group = await people.subscriber(name);
  await (await people.superadmin()).signIn(page);

  await page.goto('/subscription-plans');
  await page.getByRole('button', { name: `Archive ${name}` }).click();
  await page.getByRole('button', { name: 'Archive plan' }).click();
  await expect(page.getByRole('row').filter({ hasText: name })).toHaveCount(0);
  await page.getByRole('link', { name: /Show .* archived/ }).click();
  const row = page.getByRole('row').filter({ hasText: name });
  await expect(row).toContainText('Archived');
  await expect(row.getByRole('button', { name: /Archive/ })).toHaveCount(0);
  await expect(row.getByRole('cell').last(), 'its one subscriber').toContainText('Restore');
  await row.getByRole('link', { name: 'Edit' }).click();
  await expect(page.getByText(/^1 subscriber keeps \$3\.00 per month, .* until it changes plan\.$/)).toBeVisible();
  await page.goBack();

  expect((await group.usage()).plan.id).toBe(plan.id);
  const other = await people.admin();
  const bought = await other.buy(plan.id);
  expect(bought.status()).toBe(409);
  const shop = await people.page();
  await other.signIn(shop);
  await shop.goto('/subscribe');
  await expect(shop.getByRole('article', { name: 'Basic' })).toBeVisible();
  await expect(shop.getByRole('article', { name })).toHaveCount(0);

  await row.getByRole('button', { name: `Restore ${name}` }).click();
  await expect(page.getByRole('status')).toContainText(`${name} can be bought again.`);
  await shop.reload();
  await expect(shop.getByRole('article', { name }).getByRole('button', { name: 'Subscribe' })).toBeVisible();
});

test('a second plan of the same name is refused under its name', async ({ page, people }) => {
  await (await people.superadmin()).signIn(page);
  await page.goto('/subscription-plans?new=1');
  await page.getByRole('textbox', { name: 'Name' }).fill('Basic');
  await page.getByLabel('Price', { exact: true }).fill('12.00');
  for (const box of await page.getByRole('checkbox', { name: 'Unlimited' }).all()) await box.check();
  await page.getByRole('button', { name: 'Create plan' }).click();
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveAttribute('aria-invalid', 'true');
});

test('what is wrong with a field is said as it is typed, with the message of the server', async ({ page, people, watch }) => {
  const superadmin = await people.superadmin();
  await superadmin.signIn(page);
  await page.goto('/subscription-plans?new=1');
  await watch.awake(page);

  const wrong: [label: string, field: string, value: unknown, typed: string][] = [
    ['Name', 'name', 'x'.repeat(101), 'x'.repeat(101)],
    ['Price', 'price', '12.345', '12.345'],
    ['LLM tokens', 'llm_tokens_limit', -1, '-1'],
    ['Voice tokens', 'voice_tokens_limit', 9_007_199_254_740_992, '9007199254740992'],
    ['Users', 'max_users', 0, '0'],
    ['Stripe price id', 'stripe_price_id', 'not an id', 'not an id'],
  ];
  for (const [label, field, value, typed] of wrong) {
    const input = page.getByLabel(label, { exact: true });
    await expect(input).not.toHaveAttribute('aria-invalid', 'true');
    await input.pressSequentially(typed);
    await expect(input, label).toHaveAttribute('aria-invalid', 'true');

    const plan = { name: 'Sound', price: '1.00', [field]: value };
    const refused = await superadmin.api.post('/api/subscriptions/plans/', { data: plan });
    expect(refused.status(), label).toBe(422);
    const error = (await refused.json()).errors.find((error: { field: string }) => error.field === field);
    await expect(input, label).toHaveAccessibleDescription(error.message);
  }

  // Put right, the error goes as it came.
  await page.getByLabel('Price', { exact: true }).fill('12.34');
  await expect(page.getByLabel('Price', { exact: true })).not.toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Price', { exact: true }).fill('twelve');
  await expect(page.getByLabel('Price', { exact: true })).toHaveAccessibleDescription(/decimal number/);
  await page.getByRole('textbox', { name: 'Name' }).fill('');
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveAccessibleDescription('Name is required.');
  expect(watch.mistakes).toEqual([]);
});

test('a Stripe price that says something else is refused under its field', async ({ page, people }) => {
  const superadmin = await people.superadmin();
  const pro = (await superadmin.plans()).find(({ name }) => name === 'Pro') as unknown as { stripe_price_id: string };
  await superadmin.signIn(page);

  for (const [id, price] of [[pro.stripe_price_id, '12.00'], ['price_unknown1234', '79.99']]) {
    await page.goto('/subscription-plans?new=1');
    await page.getByRole('textbox', { name: 'Name' }).fill('Mismatch');
    await page.getByLabel('Price', { exact: true }).fill(price);
    for (const box of await page.getByRole('checkbox', { name: 'Unlimited' }).all()) await box.check();
    await page.getByLabel('Stripe price id').fill(id);
    await page.getByRole('button', { name: 'Create plan' }).click();
    await expect(page.getByLabel('Stripe price id')).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Stripe price id')).toHaveValue(id);
    await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Mismatch');
  }

  await page.getByLabel('Stripe price id').fill(pro.stripe_price_id);
  await page.getByRole('button', { name: 'Create plan' }).click();
  await expect(page.getByLabel('Stripe price id')).toHaveAccessibleDescription(/^Another plan is sold at this Stripe price/);
  await expect(page.getByLabel('Price', { exact: true })).not.toHaveAttribute('aria-invalid', 'true');
});
