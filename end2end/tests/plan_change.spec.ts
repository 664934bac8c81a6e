// Changing the plan: looked at before it is made, with a payment that the bank asks about, and from the limit on.

import { randomUUID } from 'node:crypto';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { CARDS, challenge, typeCard } from './support/card';
import type { People, Person } from './support/people';
import { Stripe } from './support/stripe';

const due = (page: Page) => page.getByRole('region', { name: 'What it costs' });

async function switchTo(page: Page, plan: string) {
  await page.goto('/subscribe');
  await page.getByRole('article', { name: plan }).getByRole('button', { name: 'Switch to this plan', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Switch to ${plan}`);
}

async function subscriber(page: Page, people: People): Promise<Person> {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  return admin;
}

test('an upgrade is paid as it was shown, and every page follows', async ({ page, people, watch }) => {
  const admin = await subscriber(page, people);
  await admin.spend('llm', 90_000);
  const member = await people.member(admin);
  const other = await people.page();
  await member.signIn(other);
  await other.goto('/usage');
  await expect(other.getByRole('progressbar', { name: 'LLM tokens' })).toHaveAttribute('data-level', 'warning');

  await switchTo(page, 'Pro');
  const row = page.getByRole('table', { name: 'What changes' }).getByRole('row', { name: 'LLM tokens a month' });
  await expect(row).toContainText('100,000');
  await expect(row).toContainText('500,000');
  await expect(due(page)).toContainText('Unused time on');
  const pay = due(page).getByRole('button', { name: /^Pay \$\d/ });
  const amount = (await pay.innerText()).replace('Pay ', '');
  await watch.awake(page);
  await pay.click();
  await expect(due(page).getByRole('status')).toContainText('Your group is on Pro now.');
  await expect(due(page).getByRole('status'), 'the focus goes to the result').toBeFocused();

  const paid = async () => {
    const invoices = await (await admin.api.get('/api/subscriptions/invoices/')).json();
    return invoices.results.map((invoice: { amount_paid: string }) => `$${invoice.amount_paid}`);
  };
  await expect.poll(paid).toContain(amount);
  expect((await admin.usage()).llm).toMatchObject({ used: 90_000, limit: 500_000 });
  await expect(other.getByRole('progressbar', { name: 'LLM tokens' })).toHaveAttribute('data-level', 'ok');
  expect(watch.mistakes).toEqual([]);
});

test('a change that the bank asks about is made once it is approved, and not before', async ({ page, people, watch, request, server }) => {
  const admin = await subscriber(page, people);
  const stripe = new Stripe(request, server);
  await stripe.payWith((await admin.subscription()).stripe_subscription_id, 'pm_card_authenticationRequired');
  await switchTo(page, 'Pro');
  await watch.awake(page);
  await due(page).getByRole('button', { name: /^Pay/ }).click();
  await challenge(page).fail();
  await expect(due(page).getByRole('alert')).toContainText("Your plan hasn't changed.");
  expect((await admin.subscription()).plan.name).toBe('Basic');

  await due(page).getByRole('button', { name: /^Pay/ }).click();
  await challenge(page).approve();
  await expect(due(page).getByRole('status')).toContainText('Your group is on Pro now.');
  expect((await admin.subscription()).plan.name).toBe('Pro');
});

test('a plan that costs nothing has no card, and is left for a dearer one with a card that is entered there', async ({ page, people, watch }) => {
  const free = await people.plan({ name: `Starter ${randomUUID()}`, price: '0.00', llm_tokens_limit: 1_000 });
  const admin = await people.admin();
  const data = { plan_id: free.id };
  const bought = await admin.api.post('/api/subscriptions/subscriptions/create_subscription/', { data });
  expect((await bought.json()).subscription.status).toBe('active');
  await admin.signIn(page);
  await switchTo(page, 'Pro');
  await watch.awake(page);
  await expect(due(page)).toContainText('There is no card to pay with yet.');
  await expect(due(page).getByRole('button', { name: /^Pay/ }), 'first a card').toHaveCount(0);
  await due(page).getByRole('button', { name: 'Add a card' }).click();
  await typeCard(page, CARDS.needs3dSecure);
  await due(page).getByRole('button', { name: 'Save card' }).click();
  await challenge(page).approve();
  await expect(due(page)).toContainText('Paid with Visa');
  await due(page).getByRole('button', { name: /^Pay \$\d/ }).click();
  await challenge(page).approve();
  await expect(due(page).getByRole('status')).toContainText('Your group is on Pro now.');
  expect((await admin.subscription()).plan.name).toBe('Pro');
  expect(watch.mistakes).toEqual([]);
});

test('a cheaper plan begins with the next period, and can be taken back until then', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Pro');
  await admin.signIn(page);
  await switchTo(page, 'Basic');
  await expect(due(page)).toContainText('$0.00');
  await watch.awake(page);
  await due(page).getByRole('button', { name: /^Switch on / }).click();
  await expect(due(page).getByRole('status')).toContainText('Pro stays until');
  await page.goto('/billing');
  await expect(page.getByText(/^Basic begins on \d+ \w+ \d{4} UTC\./)).toBeVisible();
  await page.goto('/subscribe');
  await expect(page.getByText(/^Basic begins on \d+ \w+ \d{4} UTC\./)).toBeVisible();
  await page.getByRole('button', { name: 'Keep this plan' }).click();
  await expect(page.getByText('The subscription to Pro goes on.')).toBeVisible();
  await expect(page.getByText(/^Basic begins on/)).toHaveCount(0);
});

test('the limit leads straight to the plan that helps', async ({ page, people }) => {
  const admin = await subscriber(page, people);
  await admin.spend('voice', 50_000);
  await page.goto('/usage');
  const alert = page.getByRole('alert').filter({ hasText: 'Limit reached - upgrade required' });
  await alert.getByRole('link', { name: 'Upgrade to Pro' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Switch to Pro');
});

test('a card that is declined, and a subscription that ends, change nothing and say so', async ({ page, people, watch, request, server }) => {
  const admin = await subscriber(page, people);
  const { id, stripe_subscription_id } = await admin.subscription();
  await new Stripe(request, server).payWith(stripe_subscription_id, 'pm_card_chargeCustomerFail');
  await switchTo(page, 'Pro');
  await watch.awake(page);
  await due(page).getByRole('button', { name: /^Pay/ }).click();
  await expect(due(page).getByRole('alert')).toContainText('declined');
  expect((await admin.subscription()).plan.name).toBe('Basic');

  // The page would follow, and meet the visit to another.
  await page.goto('about:blank');
  await admin.api.post(`/api/subscriptions/subscriptions/${id}/cancel/`, { data: {} });
  await page.goto('/subscribe');
  const button = page.getByRole('article', { name: 'Pro' }).getByRole('button', { name: 'Switch to this plan' });
  await expect(button).toBeDisabled();
  await expect(button).toHaveAccessibleDescription(/Keep it first/);
});
