import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';

test('a guest invited by link joins, spends, and is removed', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/team');
  await expect(page.getByText('1 of 10 seats taken')).toBeVisible();
  const members = page.getByRole('table', { name: 'Members of the group' });
  await expect(members.getByRole('row')).toHaveCount(2);

  const email = `joiner-${randomUUID()}@fresh.test`;
  await page.getByLabel('Invite by e-mail').fill(email);
  await page.getByRole('button', { name: 'Invite' }).click();
  const link = await page.getByLabel('Invitation link').inputValue();
  await expect(page.getByText('2 of 10 seats taken')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Open invitations' })).toContainText(email);
  await page.reload();
  await expect(page.getByLabel('Invitation link'), 'the link is shown once').toHaveCount(0);

  const guest = await people.page();
  await guest.goto(link);
  await expect(guest.getByRole('heading', { level: 1 })).toHaveText('Join Fresh Ltd');
  await expect(guest.getByText(email)).toBeVisible();
  await guest.getByLabel('Your name').fill('June Joiner');
  await guest.getByLabel('Password').fill('short');
  await guest.getByRole('button', { name: 'Join the group' }).click();
  await expect(guest.getByLabel('Password')).toHaveAccessibleDescription(/at least 8 characters/);
  await expect(guest.getByLabel('Your name')).toHaveValue('June Joiner');
  await guest.getByLabel('Password').fill('long enough now');
  await guest.getByRole('button', { name: 'Join the group' }).click();
  await expect(guest).toHaveURL('/usage');
  await expect(guest.getByRole('progressbar', { name: 'LLM tokens' })).toBeVisible();

  // The link works once.
  const late = await people.page();
  expect((await late.goto(link))?.status()).toBe(410);
  await expect(late.getByRole('heading', { level: 1 })).toHaveText('This invitation is gone');

  await page.reload();
  const row = members.getByRole('row').filter({ hasText: 'June Joiner' });
  await expect(row).toContainText(email);
  await expect(row).toContainText('Member');
  await row.getByRole('button', { name: 'Remove June Joiner' }).click();
  await page.getByRole('dialog', { name: 'Remove June Joiner?' }).getByRole('button', { name: 'Remove member' }).click();
  await expect(row).toHaveCount(0);
  await expect(page.getByText('1 of 10 seats taken')).toBeVisible();

  // Their session ended with it.
  await guest.goto('/usage');
  await expect(guest).toHaveURL(/\/login\?next=%2Fusage$/);
  expect(watch.mistakes).toEqual([]);
});

test('no more are invited than the plan has seats for', async ({ page, people }) => {
  const name = `Duo ${randomUUID().slice(0, 8)}`;
  await people.plan({ name, price: '4.00', llm_tokens_limit: 10, max_users: 2 });
  const admin = await people.subscriber(name);
  await admin.signIn(page);
  await page.goto('/team');
  const invite = async (email: string) => {
    await page.getByLabel('Invite by e-mail').fill(email);
    await page.getByRole('button', { name: 'Invite' }).click();
  };
  const first = `first-${randomUUID()}@fresh.test`;
  await invite(first);
  await expect(page.getByText('2 of 2 seats taken')).toBeVisible();
  await expect(page.getByText('1 member, 1 invitation pending')).toBeVisible();
  await expect(page.getByText('Every seat is taken.')).toContainText('withdraw an invitation, remove a member or');
  await expect(page.getByRole('link', { name: 'choose a larger plan' })).toBeVisible();
  await expect(page.getByRole('progressbar', { name: 'Seats' })).toHaveAttribute('aria-valuenow', '100');
  await expect(page.getByRole('button', { name: 'Invite' })).toBeDisabled();
  await expect(page.getByLabel('Invite by e-mail')).toBeDisabled();
  const refused = await admin.api.post('/api/team/invitations/', { data: { email: 'x@fresh.test', role: 'member' } });
  expect(refused.status()).toBe(409);
  expect((await refused.json()).code).toBe('max_users_reached');

  await page.getByRole('button', { name: `Withdraw ${first}` }).click();
  const dialog = page.getByRole('dialog', { name: `Withdraw the invitation for ${first}?` });
  await dialog.getByRole('button', { name: 'Withdraw invitation' }).click();
  await expect(page.getByText('1 of 2 seats taken')).toBeVisible();
  await invite(`third-${randomUUID()}@fresh.test`);
  await expect(page.getByLabel('Invitation link')).toHaveValue(/\/invite\//);
});

test('roles are given and taken; what the last admin would be refused is not offered', async ({ page, people, watch }) => {
  const admin = await people.admin();
  const member = await people.member(admin, 'Max Member');
  await admin.signIn(page);
  await page.goto('/team');
  const row = (name: string) => page.getByRole('table', { name: 'Members of the group' }).getByRole('row').filter({ hasText: name });
  await expect(row('Ada Admin').getByRole('button')).toHaveText(['Cap Ada Admin']);
  await expect(row('Ada Admin').getByRole('link', { name: 'Leave' })).toHaveCount(0);

  await page.getByRole('button', { name: 'Role of Max Member' }).click();
  const dialog = page.getByRole('dialog', { name: 'Role of Max Member' });
  await dialog.getByLabel('Role').selectOption('Admin');
  await dialog.getByRole('button', { name: 'Save role' }).click();
  await expect(page.getByText('The role was changed.')).toBeVisible();
  await expect(row('Max Member')).toContainText('Admin');
  const other = await people.page();
  await member.signIn(other);
  await other.goto('/team');
  await expect(other.getByRole('heading', { level: 1 })).toHaveText('Team');

  // With another admin there, one may step back, or leave.
  await expect(row('Ada Admin').getByRole('link', { name: 'Leave' })).toHaveAttribute('href', '/settings/account#leaving');
  await page.getByRole('button', { name: 'Role of Ada Admin' }).click();
  const own = page.getByRole('dialog', { name: 'Role of Ada Admin' });
  await own.getByLabel('Role').selectOption('Member');
  await own.getByRole('button', { name: 'Save role' }).click();
  await expect(page).toHaveURL('/usage');
  expect((await page.goto('/team'))?.status()).toBe(403);
  expect(watch.mistakes.filter((mistake) => !mistake.includes('403'))).toEqual([]);
});

test('an invitation is sent anew, with a new link', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await page.goto('/team');
  const email = `again-${randomUUID()}@fresh.test`;
  await page.getByLabel('Invite by e-mail').fill(email);
  await page.getByRole('button', { name: 'Invite' }).click();
  const first = await page.getByLabel('Invitation link').inputValue();
  await page.getByRole('button', { name: `Resend to ${email}` }).click();
  await expect(page.getByLabel('Invitation link')).not.toHaveValue(first);
  const second = await page.getByLabel('Invitation link').inputValue();
  const guest = await people.page();
  expect((await guest.goto(first))?.status()).toBe(410);
  expect((await guest.goto(second))?.status()).toBe(200);
});

test('an admin sees what each member used and caps it; more than there is to share is said', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin, 'Max Member');
  await member.spend('llm', 1_234);
  await admin.signIn(page);
  await page.goto('/team');
  const members = page.getByRole('table', { name: 'Members of the group' });
  const row = members.getByRole('row').filter({ hasText: 'Max Member' });
  await expect(row).toContainText('1,234');
  const overcommitted = page.getByText('The caps add up to more than the allowance');
  await expect(overcommitted).toHaveCount(0);

  const cap = async (name: string, llm: string) => {
    await page.getByRole('button', { name: `Cap ${name}` }).click();
    const dialog = page.getByRole('dialog', { name: `Cap ${name}` });
    await dialog.getByLabel('LLM tokens').fill(llm);
    await dialog.getByRole('button', { name: 'Save caps' }).click();
  };
  await cap('Max Member', '60,000');
  await expect(page.getByText('The caps were saved.')).toBeVisible();
  await expect(row).toContainText('1,234 of 60,000');
  await expect(overcommitted).toHaveCount(0);
  expect((await member.usage()).you.llm).toMatchObject({ used: 1_234, limit: 60_000, remaining: 58_766 });

  await cap('Ada Admin', '50000');
  await expect(overcommitted).toBeVisible();
  await expect(page.getByText('110,000 LLM tokens of 100,000')).toBeVisible();
  await cap('Ada Admin', 'many');
  await expect(page.getByRole('alert')).toHaveText('LLM tokens: enter a whole number, or nothing for no cap.');
  await cap('Ada Admin', '');
  await expect(overcommitted).toHaveCount(0);
  expect(watch.mistakes).toEqual([]);
});
