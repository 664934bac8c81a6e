// One's own account: name, sign-in details, sessions, leaving; and a new password for who forgot theirs.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('the name and the sign-in details are changed, after their mistakes were shown', async ({ page, people }) => {
      const admin = await people.admin();
      await admin.signIn(page);
      await page.goto('/settings/account');
      await page.getByLabel('Your name').fill('Ada Lovelace');
      await page.getByRole('button', { name: 'Save name' }).click();
      await expect(page.getByRole('status')).toHaveText('Your name was changed.');
      await expect(page.getByLabel('Your name')).toHaveValue('Ada Lovelace');

      const email = `moved-${randomUUID()}@fresh.test`;
      const password = `new-${randomUUID()}`;
      await page.getByLabel('E-mail').fill(email);
      await page.getByLabel('New password').fill(password);
      await page.getByLabel('Current password').fill('wrong');
      await page.getByRole('button', { name: 'Save sign-in details' }).click();
      await expect(page.getByLabel('Current password')).toHaveAccessibleDescription("This isn't your current password.");
      await expect(page.getByLabel('E-mail')).toHaveValue(email);
      await expect(page.getByLabel('New password')).toHaveValue('');

      const elsewhere = await people.page();
      await admin.signIn(elsewhere);
      await elsewhere.goto('/usage');
      await page.getByLabel('New password').fill(password);
      await page.getByLabel('Current password').fill(admin.password);
      await page.getByRole('button', { name: 'Save sign-in details' }).click();
      await expect(page.getByRole('status')).toContainText('Every other browser was signed out.');
      await expect(page.getByLabel('E-mail')).toHaveValue(email);

      const fresh = await people.page();
      await fresh.goto('/login');
      await fresh.getByLabel('E-mail').fill(email);
      await fresh.getByLabel('Password').fill(password);
      await fresh.getByRole('button', { name: 'Sign in', exact: true }).click();
      await expect(fresh).toHaveURL('/usage');
    });

    test('a forgotten password is set anew by the link in the outbox, once', async ({ page, people }) => {
      const admin = await people.admin();
      await page.goto('/login');
      await page.getByRole('link', { name: 'Forgot password?' }).click();
      await expect(page).toHaveURL('/forgot');
      await page.getByLabel('E-mail').fill(admin.email);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Look into your mailbox');

      const operator = await people.page();
      await (await people.superadmin()).signIn(operator);
      await operator.goto('/outbox');
      const letter = operator.getByRole('article').filter({ hasText: admin.email }).first();
      await expect(letter).toContainText('Choose a new password');
      const link = /https?:\S+\/reset\/\S+/.exec((await letter.textContent())!)![0];

      const password = `new-${randomUUID()}`;
      await page.goto(link);
      await expect(page.getByText(admin.email)).toBeVisible();
      await page.getByLabel('New password').fill('short');
      await page.getByRole('button', { name: 'Set password' }).click();
      await expect(page.getByLabel('New password')).toHaveAccessibleDescription(/at least 8 characters/);
      await page.getByLabel('New password').fill(password);
      await page.getByRole('button', { name: 'Set password' }).click();
      await expect(page).toHaveURL('/login');
      await expect(page.getByRole('status')).toContainText('Your password was changed.');
      await page.getByLabel('E-mail').fill(admin.email);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await expect(page).toHaveURL('/usage');
      expect((await admin.api.get('/api/auth/me/')).status(), 'the other sessions ended').toBe(401);

      expect((await page.goto(link))?.status()).toBe(410);
      await page.getByRole('link', { name: 'Get another link' }).click();
      await expect(page).toHaveURL('/forgot');
    });

    test('a member leaves, after being asked; the last admin is told what to do first', async ({ page, people }) => {
      const admin = await people.admin();
      const member = await people.member(admin, 'Max Member');
      await member.signIn(page);
      await page.goto('/settings/account');
      await page.getByRole('button', { name: 'Leave the group' }).click();
      const dialog = page.getByRole('dialog', { name: 'Leave Fresh Ltd?' });
      await dialog.getByRole('button', { name: 'Stay' }).click();
      await expect(dialog).toBeHidden();
      await page.getByRole('button', { name: 'Leave the group' }).click();
      await dialog.getByRole('button', { name: 'Leave', exact: true }).click();
      await expect(page).toHaveURL('/login');
      await expect(page.getByRole('status')).toContainText('You left the group');
      expect((await member.api.get('/api/auth/me/')).status()).toBe(401);

      await admin.signIn(page);
      await page.goto('/settings/account');
      await expect(page.getByRole('button', { name: 'Leave the group' })).toHaveCount(0);
      await expect(page.getByRole('link', { name: 'make another member an admin' })).toHaveAttribute('href', '/team');
    });
  });
}

test('browsers are seen and signed out', async ({ page, people, watch }) => {
  const admin = await people.admin();
  const phone = await people.page();
  await phone.goto('/login');
  await phone.getByLabel('E-mail').fill(admin.email);
  await phone.getByLabel('Password').fill(admin.password);
  await phone.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(phone).toHaveURL('/usage');

  await admin.signIn(page);
  await page.goto('/settings/account');
  const rows = page.getByRole('table', { name: 'Where you are signed in' }).getByRole('row');
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: 'This browser' }).getByRole('button')).toHaveCount(0);
  await rows.filter({ hasText: 'Chrome on Linux' }).getByRole('button', { name: /^Sign out/ }).click();
  await expect(page.getByRole('status')).toHaveText('That browser was signed out.');
  await expect(rows).toHaveCount(2);
  await phone.goto('/usage');
  await expect(phone).toHaveURL(/\/login/);
  await expect(page.getByRole('button', { name: 'Sign out everywhere else' })).toHaveCount(0);
  expect(watch.mistakes).toEqual([]);
});
