// Which e-mails one gets, and the operator's look at those that were written.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';

test('a member chooses which e-mails to get, and the choice stays', async ({ page, people, watch }) => {
  await (await people.demo('member@newco.test')).signIn(page);
  await page.goto('/settings/account');
  const choices = page.getByRole('group', { name: 'Tell me when' });
  await expect(choices.getByRole('checkbox', { checked: true })).toHaveCount(0);
  await choices.getByLabel('A limit is reached').check();
  await choices.getByLabel('The plan, a trial or billing changes').check();
  await page.getByRole('button', { name: 'Save notifications' }).click();
  await expect(page.getByRole('status')).toHaveText('Your choice of e-mails was saved.');
  await expect(choices.getByLabel('A limit is reached')).toBeChecked();
  await expect(choices.getByRole('checkbox', { checked: true })).toHaveCount(2);
  await choices.getByLabel('A limit is reached').uncheck();
  await choices.getByLabel('The plan, a trial or billing changes').uncheck();
  await page.getByRole('button', { name: 'Save notifications' }).click();
  await expect(choices.getByRole('checkbox', { checked: true })).toHaveCount(0);
  expect(watch.mistakes).toEqual([]);
});

test('the outbox shows a message as text and as HTML, and its links work in both', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/team');
  const email = `reader-${randomUUID()}@fresh.test`;
  await page.getByLabel('Invite by e-mail').fill(email);
  await page.getByRole('button', { name: 'Invite' }).click();
  const link = await page.getByLabel('Invitation link').inputValue();

  const operator = await people.page();
  await (await people.demo('superadmin@tollgate.test')).signIn(operator);
  await operator.goto('/outbox');
  const letter = operator.getByRole('article').filter({ hasText: email });
  await expect(letter.getByRole('heading')).toHaveText('Invitation to Fresh Ltd');
  await expect(letter.getByText('Kept', { exact: true })).toBeVisible();
  // Without a mail server there is nothing to send it again by.
  await expect(letter.getByRole('button', { name: 'Send again' })).toHaveCount(0);
  await expect(letter.getByRole('link', { name: link })).toHaveAttribute('href', link);

  await letter.getByText('As HTML').click();
  const html = letter.frameLocator('iframe');
  const action = html.getByRole('link', { name: 'Accept the invitation' });
  await expect(action).toBeVisible();
  // The styles hold in the frame, whose page's policy allows no others.
  await expect(action).toHaveCSS('text-decoration-line', 'none');
  const opened = operator.context().waitForEvent('page');
  await action.click();
  await expect((await opened).getByRole('heading', { level: 1 })).toHaveText('Join Fresh Ltd');
  expect(watch.mistakes).toEqual([]);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('a link in a message stops its kind of e-mail, without signing in', async ({ page, people, watch }) => {
      const admin = await people.subscriber('Basic');
      await page.goto(await people.unsubscribeLink(admin));
      await expect(page.getByText(`${admin.email} gets e-mail of this kind: 80 % of a limit is used.`)).toBeVisible();
      await page.getByRole('button', { name: 'Unsubscribe' }).click();
      await expect(page.getByRole('status')).toHaveText("You don't get these e-mails any more.");
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Unsubscribed');

      await admin.signIn(page);
      await page.getByRole('link', { name: 'Choose which e-mails you get' }).click();
      const choices = page.getByRole('group', { name: 'Tell me when' });
      await expect(choices.getByLabel('80 % of a limit is used')).not.toBeChecked();
      await expect(choices.getByRole('checkbox', { checked: true })).toHaveCount(3);
      expect(watch.mistakes).toEqual([]);
    });
  });
}
