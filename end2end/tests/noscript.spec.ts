// The pages without JavaScript: all but entering a card and following the numbers live.

import { randomUUID } from 'node:crypto';

import { PASSWORD } from '../server.mjs';
import { expect, test } from '../fixtures';
import { expectModal } from './support/dialog';

test.use({ javaScriptEnabled: false });

test('signing in, wrongly and rightly, leads to the usage, right as it arrives', async ({ page }) => {
  await page.goto('/usage');
  await expect(page).toHaveURL('/login?next=%2Fusage');
  await page.getByLabel('E-mail').fill('member@acme.test');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('alert')).toHaveText('The e-mail address or the password is wrong.');
  await expect(page.getByLabel('E-mail')).toHaveValue('member@acme.test');
  await expect(page.getByLabel('Password')).toHaveValue('');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();

  await expect(page).toHaveURL('/usage');
  const llm = page.getByRole('progressbar', { name: 'LLM tokens' });
  await expect(llm).toHaveAttribute('aria-valuenow', '75');
  await expect(llm).toHaveAttribute('data-level', 'ok');
  const voice = page.getByRole('progressbar', { name: 'Voice tokens' });
  await expect(voice).toHaveAttribute('aria-valuenow', '86');
  await expect(voice).toHaveAttribute('data-level', 'warning');
  await expect(page.getByRole('alert')).toContainText('Consider upgrading');
  await expect(page.getByRole('article', { name: 'Pro' })).toBeVisible();
  // Drawn as wide as it says.
  for (const [bar, share] of [[llm, 75.23], [voice, 85.78]] as const) {
    const whole = (await bar.boundingBox())!.width;
    const used = (await bar.locator('.bar__used').boundingBox())!.width;
    expect((used / whole) * 100).toBeCloseTo(share, 0);
  }

  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL('/login');
  await page.goto('/usage');
  await expect(page).toHaveURL('/login?next=%2Fusage');
});

test('one click signs in with a demo account', async ({ page }) => {
  await page.goto('/login');
  await page.getByRole('button', { name: /admin@newco\.test/ }).click();
  await expect(page).toHaveURL('/usage');
  await expect(page.getByRole('heading', { name: 'Your group has no subscription' })).toBeVisible();
});

test('an account is made, after its mistakes were shown', async ({ page }) => {
  await page.goto('/signup');
  await page.getByLabel('Your name').fill('Nora Noscript');
  await page.getByLabel('Group').fill('Plain & Co');
  await page.getByLabel('E-mail').fill('admin@acme.test');
  await page.getByLabel('Password').fill('long enough now');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('E-mail')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('E-mail')).toHaveAccessibleDescription(/account with this e-mail address already/);
  await expect(page.getByLabel('Group')).toHaveValue('Plain & Co');
  await page.getByLabel('E-mail').fill(`nora-${randomUUID()}@fresh.test`);
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Password')).toHaveAccessibleDescription(/at least 8 characters/);
  await page.getByLabel('Password').fill('long enough now');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page).toHaveURL('/subscribe');
  await expect(page.getByText('Plain & Co')).toBeVisible();
});

test('a plan is written, refused, put right and taken away', async ({ page, people }) => {
  const name = `Plain ${randomUUID().slice(0, 8)}`;
  await (await people.superadmin()).signIn(page);
  await page.goto('/subscription-plans');
  await page.getByRole('link', { name: 'Create plan' }).click();
  const field = (name: string) => page.getByLabel(name, { exact: true });
  await field('Name').fill(name);
  await field('Price').fill('29.999');
  await field('LLM tokens').fill('lots');
  await field('Users').fill('10');
  await field('Features').fill('One\nTwo');
  await page.getByRole('button', { name: 'Create plan' }).click();
  await expect(field('Price')).toHaveAttribute('aria-invalid', 'true');
  await expect(field('Price')).toHaveAccessibleDescription(/at most 2 decimals/);
  await expect(field('LLM tokens')).toHaveAttribute('aria-invalid', 'true');
  await expect(field('Users')).not.toHaveAttribute('aria-invalid', 'true');
  await expect(field('Name')).toHaveValue(name);
  await expect(field('Features')).toHaveValue('One\nTwo');
  await expect(field('Voice tokens')).toHaveAccessibleDescription(/or choose unlimited/);
  await field('Price').fill('1.99');
  await field('LLM tokens').fill('100000');
  await page.getByRole('group', { name: 'Voice tokens' }).getByRole('checkbox', { name: 'Unlimited' }).check();
  await page.getByRole('button', { name: 'Create plan' }).click();

  const row = page.getByRole('row').filter({ hasText: name });
  await expect(row).toContainText('$1.99');
  await row.getByRole('link', { name: 'Edit' }).click();
  await field('Users').fill('0');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(field('Users')).toHaveAccessibleDescription(/at least 1/);
  await field('Users').fill('12');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(row).toContainText('12');
  await row.getByRole('button', { name: `Archive ${name}` }).click();
  await expectModal(page.getByRole('dialog', { name: `Archive ${name}?` }));
  await page.getByRole('button', { name: 'Archive plan' }).click();
  await expect(row).toHaveCount(0);
});

test('a guest is invited and joins', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/team');
  await page.getByLabel('Invite by e-mail').fill('guest@localhost@example');
  await page.getByLabel('Role').selectOption('Admin');
  // The browser itself would stop this one; what it lets through the server refuses as well.
  await page.getByLabel('Invite by e-mail').fill(admin.email);
  await page.getByRole('button', { name: 'Invite' }).click();
  await expect(page.getByLabel('Invite by e-mail')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Role')).toHaveValue('admin');

  const email = `plain-${randomUUID()}@fresh.test`;
  await page.getByLabel('Invite by e-mail').fill(email);
  await page.getByRole('button', { name: 'Invite' }).click();
  const link = await page.getByLabel('Invitation link').inputValue();
  const guest = await people.page();
  await guest.goto(link);
  await guest.getByLabel('Your name').fill('Paul Plain');
  await guest.getByLabel('Password').fill('long enough now');
  await guest.getByRole('button', { name: 'Join the group' }).click();
  await expect(guest).toHaveURL('/usage');
  await page.goto('/team');
  await expect(page.getByRole('row').filter({ hasText: email })).toContainText('Paul Plain');
});

test('a subscription is ended, kept and ended again, and the billing details are said', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/billing');
  await expect(page.getByRole('region', { name: 'Payment method' })).toContainText('Visa •••• 4242');
  await expect(page.getByRole('button', { name: 'Change card' })).toBeHidden();
  await page.getByText('Lines').click();
  await expect(page.getByText(/1 × .*Basic/)).toBeVisible();
  const cancel = async (when: RegExp) => {
    await page.getByRole('button', { name: 'Cancel subscription' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Cancel Basic?' });
    await expectModal(dialog);
    await dialog.getByRole('radio', { name: when }).check();
    await dialog.getByRole('button', { name: 'Cancel subscription' }).click();
  };
  await cancel(/^At the end of the period/);
  await page.getByRole('button', { name: 'Keep my plan' }).click();
  await expect(page.getByText('The subscription to Basic goes on.')).toBeVisible();
  await page.getByLabel('Name').fill('Plain & Co');
  await page.getByRole('button', { name: 'Save details' }).click();
  await expect(page.getByLabel('Name')).toHaveValue('Plain & Co');
  await cancel(/^Now/);
  await expect(page.getByRole('link', { name: 'Start again' })).toBeVisible();
});

test('a key is made and revoked', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await page.goto('/settings/api-keys');
  await page.getByLabel('Name', { exact: true }).fill('x'.repeat(300));
  await page.getByRole('button', { name: 'Create key' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Name', { exact: true }).fill('a script');
  await page.getByRole('button', { name: 'Create key' }).click();
  await expect(page.getByLabel('API key')).toHaveValue(/^tg_/);
  await page.getByRole('button', { name: 'Revoke a script' }).click();
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await expect(page.getByText('No keys yet.')).toBeVisible();
});

test('a plan is chosen, as far as the card form, which says what it needs', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await page.goto('/subscribe');
  await page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Subscribe to Basic');
  // Playwright's `getByText` passes over what stands in a `<noscript>`.
  const note = page.locator('noscript p');
  await expect(note).toBeVisible();
  await expect(note).toContainText('needs JavaScript');
  expect((await admin.subscription()).status).toBe('incomplete');
  await page.getByRole('button', { name: 'Choose another plan' }).click();
  await expect(page.getByRole('article', { name: 'Pro' }).getByRole('button', { name: 'Subscribe' })).toBeVisible();
});
