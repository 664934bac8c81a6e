// Every page there is, in each of its states, and who sees it.

import type { Page } from '@playwright/test';

import { cardFrame } from './card';
import type { People } from './people';

export type Screen = {
  name: string;
  /** Opens the page, signed in as those it is for. */
  open: (page: Page, people: People) => Promise<void>;
  /** Whether it is HTML alone, with no code to wake. */
  still?: boolean;
};

const at = (path: string, email?: string): Screen => ({
  name: email ? `${path} as ${email}` : path,
  open: async (page, people) => {
    if (email) await (await people.demo(email)).signIn(page);
    await page.goto(path);
  },
});

async function newPlan(page: Page, people: People) {
  await (await people.superadmin()).signIn(page);
  await page.goto('/subscription-plans?new=1');
}

async function subscribed(page: Page, people: People, plan = 'Basic') {
  const admin = await people.subscriber(plan);
  await admin.signIn(page);
  return admin;
}

export const SCREENS: Screen[] = [
  { ...at('/'), still: true },
  at('/login'),
  at('/signup'),
  at('/no-such-page'),
  at('/forgot'),
  at('/forgot?sent=1'),
  at('/reset/unknown'),
  at('/invite/unknown'),
  at('/usage', 'admin@acme.test'),
  at('/usage', 'member@acme.test'),
  at('/usage?by=model', 'admin@acme.test'),
  at('/usage', 'admin@newco.test'),
  at('/usage/events', 'admin@acme.test'),
  at('/usage/events?usage_type=voice', 'member@acme.test'),
  at('/chat', 'admin@acme.test'),
  at('/chat', 'member@newco.test'),
  at('/subscribe', 'admin@acme.test'),
  at('/subscribe', 'admin@newco.test'),
  at('/billing', 'admin@acme.test'),
  at('/billing', 'member@acme.test'),
  at('/billing', 'admin@newco.test'),
  at('/billing/overage', 'admin@acme.test'),
  at('/billing/overage', 'admin@newco.test'),
  at('/reports', 'admin@acme.test'),
  at('/reports', 'superadmin@tollgate.test'),
  at('/reports?report=usage&from=2026-11-02&to=2026-11-01', 'admin@newco.test'),
  at('/team', 'admin@acme.test'),
  at('/settings/api-keys', 'admin@acme.test'),
  at('/settings/account', 'admin@acme.test'),
  at('/settings/account', 'member@acme.test'),
  at('/settings/account', 'superadmin@tollgate.test'),
  at('/subscription-plans', 'superadmin@tollgate.test'),
  at('/subscription-plans?new=1', 'superadmin@tollgate.test'),
  at('/outbox', 'superadmin@tollgate.test'),
  at('/outbox?after=ffffffff-ffff-7fff-bfff-ffffffffffff', 'superadmin@tollgate.test'),
  at('/outbox?after=unknown', 'superadmin@tollgate.test'),
  at('/unsubscribe/unknown'),
  at('/analytics', 'superadmin@tollgate.test'),
  at('/analytics?from=2026-11-02&to=2026-11-01', 'superadmin@tollgate.test'),
  at('/analytics/rows?figure=mrr', 'superadmin@tollgate.test'),
  at('/groups', 'superadmin@tollgate.test'),
  at('/groups?search=nobody+has+this+name', 'superadmin@tollgate.test'),
  at('/groups?sort=seats', 'superadmin@tollgate.test'),
  {
    name: '/groups/{id} asking why',
    open: async (page, people) => {
      await (await people.superadmin()).signIn(page);
      await page.goto(`/groups/${(await people.admin()).group}`);
      await page.getByLabel('Reason').waitFor();
    },
  },
  {
    name: '/groups/{id} of a subscribed group',
    open: async (page, people) => {
      const admin = await people.subscriber();
      await people.member(admin);
      await admin.spend('llm', 82_345);
      await (await people.superadmin()).signIn(page);
      await page.goto(`/groups/${admin.group}`);
      await page.getByLabel('Reason').fill('A support request');
      await page.getByRole('button', { name: 'Look for an hour' }).click();
      await page.getByRole('heading', { name: 'Members' }).waitFor();
    },
  },
  at('/subscription-plans', 'member@acme.test'),
  {
    name: '/login after a wrong password',
    open: async (page) => {
      await page.goto('/login');
      await page.getByLabel('E-mail').fill('admin@acme.test');
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: '/unsubscribe',
    open: async (page, people) => {
      const link = await people.unsubscribeLink(await people.subscriber());
      await page.goto(link);
      await page.getByRole('button', { name: 'Unsubscribe' }).waitFor();
    },
  },
  {
    name: '/signup with mistakes',
    open: async (page) => {
      await page.goto('/signup');
      await page.getByLabel('Your name').fill('x'.repeat(300));
      await page.getByLabel('Group').fill('Wrong');
      await page.getByLabel('E-mail').fill('admin@acme.test');
      await page.getByLabel('Password').fill('short');
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.locator('[aria-invalid=true]').first().waitFor();
    },
  },
  {
    name: '/subscription-plans with mistakes as typed',
    open: async (page, people) => {
      await newPlan(page, people);
      await page.getByLabel('Price', { exact: true }).fill('12.345');
      await page.getByLabel('Users', { exact: true }).fill('0');
      await page.locator('#max_users[aria-invalid=true]').waitFor();
    },
  },
  {
    name: '/subscription-plans asking before it archives',
    open: async (page, people) => {
      await (await people.superadmin()).signIn(page);
      await page.goto('/subscription-plans');
      await page.getByRole('button', { name: 'Archive Scale' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: '/subscribe with the checkout open',
    open: async (page, people) => {
      await (await people.admin()).signIn(page);
      await page.goto('/subscribe');
      await page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' }).click();
      await cardFrame(page).contentFrame().getByLabel('Card number').waitFor();
    },
  },
  {
    name: '/subscribe ending with the period',
    open: async (page, people) => {
      const admin = await subscribed(page, people);
      const { id } = await admin.subscription();
      const data = { at_period_end: true };
      await admin.api.post(`/api/subscriptions/subscriptions/${id}/cancel/`, { data });
      await page.goto('/subscribe');
      await page.getByText(/^Ends on .*\.$/).waitFor();
    },
  },
  {
    name: '/billing changing the card',
    open: async (page, people) => {
      await subscribed(page, people);
      await page.goto('/billing');
      await page.getByRole('button', { name: 'Change card' }).click();
      await cardFrame(page).contentFrame().getByLabel('Card number').waitFor();
    },
  },
  {
    name: '/billing asking how to cancel',
    open: async (page, people) => {
      await subscribed(page, people);
      await page.goto('/billing');
      await page.getByRole('button', { name: 'Cancel subscription' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: '/billing with mistakes and an invoice unfolded',
    open: async (page, people) => {
      await subscribed(page, people);
      await page.goto('/billing');
      await page.getByLabel('Kind of tax id').selectOption('EU VAT');
      await page.getByRole('button', { name: 'Save details' }).click();
      await page.locator('[aria-invalid=true]').waitFor();
      await page.getByText('Lines').first().click();
    },
  },
  {
    name: '/billing with a first payment to finish',
    open: async (page, people) => {
      const admin = await people.admin();
      await admin.signIn(page);
      const { id } = (await admin.plans()).find(({ name }) => name === 'Basic')!;
      await admin.api.post('/api/subscriptions/subscriptions/create_subscription/', { data: { plan_id: id } });
      await page.goto('/billing');
      await page.getByRole('region', { name: 'Basic' }).getByRole('link', { name: 'Finish paying' }).waitFor();
    },
  },
  {
    name: '/chat with an answer',
    open: async (page, people) => {
      await subscribed(page, people);
      await page.goto('/chat');
      const message = page.getByRole('textbox', { name: 'Message' });
      await message.fill('Show me a table, a list and some code in Python.');
      await message.press('Enter');
      await page.getByRole('article', { name: 'Answer' }).locator('footer').waitFor();
    },
  },
  {
    name: '/chat at the limit',
    open: async (page, people) => {
      const admin = await subscribed(page, people);
      await admin.spend('llm', 100_000);
      await page.goto('/chat');
      await page.getByRole('alert').filter({ hasText: 'Limit reached' }).waitFor();
    },
  },
  {
    name: '/usage of a new group',
    open: async (page, people) => {
      await subscribed(page, people);
      await page.goto('/usage');
      await page.getByText('Waiting for your first event…').waitFor();
    },
  },
  {
    name: '/usage at the limit',
    open: async (page, people) => {
      const admin = await subscribed(page, people);
      await admin.spend('llm', 100_000);
      await page.goto('/usage');
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: '/team with a new invitation',
    open: async (page, people) => {
      await subscribed(page, people);
      await page.goto('/team');
      await page.getByLabel('Invite by e-mail').fill('guest-with-a-long-name@a-long-name-of-a-company.test');
      await page.getByRole('button', { name: 'Invite' }).click();
      await page.getByLabel('Invitation link').waitFor();
    },
  },
  {
    name: '/team capping a member',
    open: async (page, people) => {
      const admin = await subscribed(page, people);
      const { id } = await (await admin.api.get('/api/auth/me/')).json();
      await admin.api.put(`/api/team/members/${id}/caps/`, { data: { llm: 150_000, voice: null } });
      await page.goto('/team');
      await page.getByRole('button', { name: 'Cap Ada Admin' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: '/team with an invitation, and a member who may be given another role',
    open: async (page, people) => {
      const admin = await people.admin();
      await people.member(admin, 'Max Member');
      const data = { email: `guest-${Date.now()}@fresh.test`, role: 'member' };
      await admin.api.post('/api/team/invitations/', { data });
      await admin.signIn(page);
      await page.goto('/team');
      await page.getByRole('button', { name: 'Role of Max Member' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: '/reset/{token}',
    open: async (page, people) => {
      const admin = await people.admin();
      await page.goto(await people.resetLink(admin));
    },
  },
  {
    name: '/settings/account with mistakes',
    open: async (page, people) => {
      await (await people.admin()).signIn(page);
      await page.goto('/settings/account');
      await page.getByLabel('E-mail').fill('new@fresh.test');
      await page.getByLabel('New password').fill('short');
      await page.getByLabel('Current password').fill('wrong');
      await page.getByRole('button', { name: 'Save sign-in details' }).click();
      await page.locator('[aria-invalid=true]').first().waitFor();
    },
  },
  {
    name: '/settings/account asking before it leaves the group',
    open: async (page, people) => {
      await (await people.member(await people.admin())).signIn(page);
      await page.goto('/settings/account');
      await page.getByRole('button', { name: 'Leave the group' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: '/invite/{token}',
    open: async (page, people) => {
      const admin = await people.admin('A group with a rather long name, Ltd');
      const data = { email: `guest-${Date.now()}@fresh.test`, role: 'member' };
      const { url } = await (await admin.api.post('/api/team/invitations/', { data })).json();
      await page.goto(url);
    },
  },
  {
    name: '/settings/api-keys with a new key',
    open: async (page, people) => {
      await (await people.admin()).signIn(page);
      await page.goto('/settings/api-keys');
      await page.getByLabel('Name', { exact: true }).fill('production worker');
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.getByLabel('API key').waitFor();
    },
  },
];
