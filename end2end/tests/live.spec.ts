// Every change of the subscription reaches every open page, in every state.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { CARDS, cardFrame, typeCard } from './support/card';
import { Stripe } from './support/stripe';
import { countLoads } from './support/watch';

/** A second tab of the same browser. */
const tab = (page: Page) => page.context().newPage();

const cancel = (id: string) => `/api/subscriptions/subscriptions/${id}/cancel/`;

test('a first purchase reaches the pages of the whole group, and the tabs of its buyer', async ({ page, people }) => {
  const admin = await people.admin();
  const member = await people.member(admin);
  await admin.signIn(page);
  const [usage, team, checkout, other] = [await tab(page), await tab(page), await tab(page), await people.page()];
  await member.signIn(other);
  await other.goto('/usage');
  await expect(other.getByRole('heading', { name: 'Your group has no subscription' })).toBeVisible();
  await usage.goto('/usage');
  await team.goto('/team');
  await expect(team.getByText('2 seats taken')).toBeVisible();

  await page.goto('/subscribe');
  await page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' }).click();
  await expect(other.getByRole('alert')).toContainText("The first payment for Basic isn't done.");
  await expect(usage.getByRole('link', { name: 'Finish paying' })).toBeVisible();
  await checkout.goto('/subscribe');
  await expect(cardFrame(checkout).contentFrame().getByLabel('Card number')).toBeVisible();
  const loads = countLoads(checkout);

  await typeCard(page, CARDS.pays);
  await page.getByRole('button', { name: 'Pay $29.99' }).click();
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  await expect(checkout.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  expect(loads(), 'the other tab shows it in place').toBe(0);
  for (const each of [usage, other]) {
    await expect(each.getByRole('progressbar', { name: 'LLM tokens' })).toBeVisible();
    await expect(each.getByText("isn't done")).toHaveCount(0);
  }
  await expect(team.getByText('2 of 10 seats taken')).toBeVisible();
});

test('a cancellation reaches the pages of the whole group: first its end, then that it has ended', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin);
  await admin.signIn(page);
  const [subscribe, team, other] = [await tab(page), await tab(page), await people.page()];
  await member.signIn(other);
  for (const each of [page, other]) {
    await each.goto('/usage');
    await expect(each.getByText('Live', { exact: true })).toBeVisible();
    await expect(each.getByText('Resets', { exact: true })).toBeVisible();
  }
  await subscribe.goto('/subscribe');
  await team.goto('/team');
  const loads = [page, other].map(countLoads);

  const { id } = await admin.subscription();
  await admin.api.post(cancel(id), { data: { at_period_end: true } });
  for (const each of [page, other]) {
    await expect(each.getByText('Ends', { exact: true })).toBeVisible();
    await expect(each.getByText("The subscription was canceled. It isn't charged again.")).toBeVisible();
  }
  expect(loads.map((count) => count()), 'in place').toEqual([0, 0]);
  await expect(subscribe.getByText(/^Ends on .*\.$/)).toBeVisible();

  await admin.api.post(cancel(id), { data: { at_period_end: false } });
  for (const each of [page, other]) {
    await expect(each.getByRole('heading', { name: 'Your group has no subscription' })).toBeVisible();
    await expect(each.getByText(/^The subscription to Basic ended on \d+ \w+ \d{4} UTC\.$/)).toBeVisible();
    for (const gone of ['Live', 'Active']) await expect(each.getByText(gone, { exact: true })).toHaveCount(0);
  }
  await expect(subscribe.getByRole('article', { name: 'Pro' }).getByRole('button', { name: 'Subscribe' })).toBeVisible();
  await expect(team.getByText('2 seats taken')).toBeVisible();
  expect(watch.mistakes).toEqual([]);
});

test('a purchase that was never paid leaves no period behind, and one that ended its own', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  const plan = (await admin.plans()).find(({ name }) => name === 'Pro')!;
  const begun = await admin.api.post('/api/subscriptions/subscriptions/create_subscription/', { data: { plan_id: plan.id } });
  await admin.api.post(cancel((await begun.json()).subscription.id), { data: { at_period_end: false } });
  await page.goto('/usage');
  await expect(page.getByRole('heading', { name: 'Your group has no subscription' })).toBeVisible();
  await expect(page.getByRole('table')).toHaveCount(0);

  const { id } = await admin.subscribe('Basic');
  await admin.spend('llm', 1_000);
  // The page follows states, not moments: one that begins and ends between two looks is none.
  await expect(page.getByRole('definition').filter({ hasText: /^1,000$/ })).toBeVisible();
  await admin.api.post(cancel(id), { data: { at_period_end: false } });
  const today = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  const row = page.getByRole('table', { name: 'Usage in earlier periods' }).getByRole('row').filter({ hasText: 'Basic' });
  await expect(row).toContainText('1,000');
  await expect(row, 'it ended when it did, and not when it would have').toContainText(`– ${today.format(new Date())} UTC`);
});

test('a purchase, its end and its renewal reach every page that shows the subscription, and a member', async ({
  page,
  people,
  server,
  request,
}) => {
  const admin = await people.admin();
  const member = await people.member(admin);
  const [subscribe, billing, chat, keys] = [page, await tab(page), await tab(page), await tab(page)];
  await admin.signIn(page);
  const other = await people.page();
  await member.signIn(other);
  await subscribe.goto('/subscribe');
  await billing.goto('/billing');
  await chat.goto('/chat');
  await keys.goto('/settings/api-keys');
  await other.goto('/usage');
  for (const each of [billing, chat, other]) await expect(each.getByText('Your group has no subscription')).toBeVisible();

  const { id, stripe_subscription_id } = await admin.subscribe('Basic');
  await expect(subscribe.getByRole('button', { name: 'Current plan' })).toBeVisible();
  await expect(billing.getByRole('region', { name: 'Payment method' })).toContainText('Visa •••• 4242');
  await expect(chat.getByRole('textbox', { name: 'Message' })).toBeVisible();
  await expect(other.getByRole('progressbar', { name: 'LLM tokens' })).toBeVisible();

  await admin.api.post(cancel(id), { data: { at_period_end: true } });
  for (const each of [subscribe, billing]) await expect(each.getByText(/^Ends on .*\.$/)).toBeVisible();
  await admin.api.post(`/api/subscriptions/subscriptions/${id}/resume/`);
  for (const each of [subscribe, billing]) await expect(each.getByText(/^Ends on .*\.$/)).toHaveCount(0);

  const stripe = new Stripe(request, server);
  await stripe.failNextCharge(stripe_subscription_id);
  for (const each of [subscribe, billing, chat, keys]) {
    await expect(each.getByRole('alert').getByRole('link', { name: 'Pay or change the card' })).toBeVisible();
  }
  await expect(other.getByRole('alert')).toContainText('Ask an admin of your group to put it right');
  await admin.api.post(`/api/subscriptions/subscriptions/${id}/payment_method/`, { data: { payment_method: 'pm_card_visa' } });
  for (const each of [subscribe, billing, chat, keys, other]) {
    await expect(each.getByText('The last payment failed.')).toHaveCount(0);
  }
  await admin.api.post(cancel(id), { data: { at_period_end: false } });
  for (const each of [billing, chat, other]) await expect(each.getByText('Your group has no subscription')).toBeVisible();
});

test('a page out of sight keeps no connection, and catches up when it is seen again', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  const streams: string[] = [];
  page.on('request', (request) => request.url().endsWith('/usage/stream/') && streams.push('opened'));
  page.on('requestfailed', (request) => request.url().endsWith('/usage/stream/') && streams.push('closed'));
  await page.goto('/usage');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const setHidden = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await setHidden(true);
  await expect.poll(() => streams).toEqual(['opened', 'closed']);
  const { id } = await admin.subscription();
  await admin.api.post(cancel(id), { data: { at_period_end: true } });
  await expect(page.getByText('Resets', { exact: true })).toBeVisible();
  await setHidden(false);
  await expect(page.getByText('Ends', { exact: true })).toBeVisible();
  expect(streams, 'one for the whole page').toEqual(['opened', 'closed', 'opened']);
});
