// What an admin does about paying: changing the card, paying what is due, ending the subscription and keeping it.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { CARDS, cardFrame, challenge, typeCard } from './support/card';
import { expectModal } from './support/dialog';
import type { Person } from './support/people';
import { Stripe } from './support/stripe';
import { countLoads } from './support/watch';

const card = (page: Page) => page.getByRole('region', { name: 'Payment method' });
const history = (page: Page) => page.getByRole('table', { name: 'Invoices' });

async function changeCard(page: Page, number: string) {
  await card(page).getByRole('button', { name: 'Change card' }).click();
  await expect(cardFrame(page).contentFrame().getByLabel('Card number')).toBeVisible();
  await typeCard(page, number);
  await card(page).getByRole('button', { name: 'Save card' }).click();
}

/** Has the next charge fail, now. */
async function fallBehind(admin: Person, stripe: Stripe) {
  await stripe.failNextCharge((await admin.subscription()).stripe_subscription_id);
  await expect.poll(async () => (await admin.subscription()).status).toBe('past_due');
}

test('an admin sees the plan, its card, its next charge and its invoices', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/usage');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Billing' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Billing');
  const plan = page.getByRole('region', { name: 'Basic' });
  await expect(plan.getByText('Active', { exact: true })).toBeVisible();
  await expect(plan.getByRole('definition').filter({ hasText: /^\$29\.99 on \d+ \w+ \d{4} UTC$/ })).toBeVisible();
  await expect(card(page)).toContainText('Visa •••• 4242');
  await expect(card(page)).toContainText(/Expires \d\d\/\d{4}/);

  const row = history(page).getByRole('row').filter({ hasText: 'Paid' });
  await expect(row).toHaveCount(1);
  await expect(row).toContainText('$29.99');
  await row.getByText('Lines').click();
  await expect(row.getByText(/1 × .*Basic/)).toBeVisible();
  const invoices = await (await admin.api.get('/api/subscriptions/invoices/')).json();
  await expect(row.getByRole('link', { name: /^View / })).toHaveAttribute('href', invoices.results[0].hosted_invoice_url);
  expect(watch.mistakes).toEqual([]);
});

test('the card is changed in place, also where the bank asks', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/billing');
  await watch.awake(page);
  const loads = countLoads(page);

  await changeCard(page, CARDS.declined);
  await expect(card(page).getByRole('alert')).toContainText('declined');
  await typeCard(page, CARDS.needs3dSecure);
  await card(page).getByRole('button', { name: 'Save card' }).click();
  await challenge(page).approve();
  await expect(card(page).getByRole('status')).toContainText('The card was changed.');
  await expect(card(page).getByRole('status'), 'the focus goes to the result').toBeFocused();
  await expect(card(page)).toContainText('•••• 3184');

  await card(page).getByRole('button', { name: 'Change card' }).click();
  await card(page).getByRole('button', { name: 'Keep it as it is' }).click();
  await expect(card(page)).toContainText('•••• 3184');
  expect(loads(), 'the page was never loaded anew').toBe(0);
  await page.reload();
  await expect(card(page)).toContainText('•••• 3184');
});

test('a new card pays what is past due, and every page stops saying so', async ({ page, people, server, request, watch }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin);
  const other = await people.page();
  await member.signIn(other);
  await other.goto('/settings/api-keys');
  await admin.signIn(page);
  await page.goto('/billing');
  await watch.awake(page);
  const loads = [page, other].map(countLoads);

  await fallBehind(admin, new Stripe(request, server));
  await expect(page.getByRole('alert')).toContainText(/The last payment failed.*Tokens can be spent until/);
  await expect(page.getByRole('region', { name: 'Basic' }).getByText('Payment overdue')).toBeVisible();
  await expect(other.getByRole('alert')).toContainText('Ask an admin of your group to put it right: Ada Admin.');
  expect(loads.map((count) => count()), 'both followed in place').toEqual([0, 0]);

  await page.goto('/usage');
  await page.getByRole('link', { name: 'Pay or change the card' }).click();
  await expect(page).toHaveURL('/billing');
  await page.getByRole('button', { name: 'Try the card again' }).click();
  await expect(page.getByText('declined')).toBeVisible();
  await expect(page.getByRole('link', { name: "Pay on Stripe's page" })).toHaveAttribute('href', /^http/);

  await expect(card(page)).toContainText(/A new card pays the \$[\d.]+ that is due at once\./);
  const paying = countLoads(page);
  await changeCard(page, CARDS.needs3dSecure);
  // Once for keeping the card, once for the payment.
  await challenge(page).approve();
  await expect(challenge(page).dialog).toHaveCount(0);
  await challenge(page).approve();
  await expect(card(page).getByRole('status')).toContainText('The payment went through');
  await expect(page.getByRole('region', { name: 'Basic' }).getByText('Active', { exact: true })).toBeVisible();
  await expect(history(page).getByText('Open', { exact: true })).toHaveCount(0);
  for (const each of [page, other]) await expect(each.getByText('The last payment failed.')).toHaveCount(0);
  expect((await admin.subscription()).status).toBe('active');
  await expect(card(page).getByRole('status'), 'it stays').toContainText('The payment went through');
  expect(paying(), 'in place').toBe(0);
});

test('one dialog ends a subscription at the end of its period or now, and until then it can be kept', async ({
  page,
  people,
  server,
  request,
}) => {
  const admin = await people.subscriber('Basic');
  const stripe = new Stripe(request, server);
  const { stripe_subscription_id: id } = await admin.subscription();
  await admin.signIn(page);
  await page.goto('/subscribe');
  const open = page.getByRole('button', { name: 'Cancel subscription' }).first();
  const dialog = page.getByRole('dialog', { name: 'Cancel Basic?' });
  await open.click();
  await expectModal(dialog);
  for (let i = 0; i < 8; i += 1) {
    await page.keyboard.press('Tab');
    const outside = await page.evaluate(() => {
      const focused = document.activeElement;
      return focused !== document.body && !focused?.closest('dialog');
    });
    expect(outside, 'Tab stays in the dialog').toBe(false);
  }
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(open).toBeFocused();
  await open.click();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await expect(dialog).toBeHidden();
  expect((await admin.subscription()).cancel_at_period_end).toBe(false);

  await open.click();
  await expect(dialog.getByRole('radio', { name: /^At the end of the period/ })).toBeChecked();
  await dialog.getByLabel('Why? (optional)').selectOption('It is too expensive');
  await dialog.getByLabel('What should we know? (optional)').fill('Half of it would do.');
  await dialog.getByRole('button', { name: 'Cancel subscription' }).click();
  await expect(page).toHaveURL('/billing');
  await expect(page.getByText(/^Ends on .*\.$/)).toBeVisible();
  await expect(page.getByText('Next charge')).toHaveCount(0);
  expect((await stripe.get(`/subscriptions/${id}`)).cancellation_details).toMatchObject({
    feedback: 'too_expensive',
    comment: 'Half of it would do.',
  });

  await page.getByRole('button', { name: 'Keep my plan' }).click();
  await expect(page.getByText('The subscription to Basic goes on.')).toBeVisible();
  await expect(page.getByText('Next charge')).toBeVisible();
  expect((await admin.subscription()).cancel_at_period_end).toBe(false);

  await page.getByRole('button', { name: 'Cancel subscription' }).first().click();
  await dialog.getByRole('radio', { name: /^Now/ }).check();
  await dialog.getByRole('button', { name: 'Cancel subscription' }).click();
  await expect(page.getByText('The subscription to Basic was canceled.')).toBeVisible();
  await expect(history(page)).toContainText('$29.99');
  await page.getByRole('link', { name: 'Start again' }).click();
  await expect(page).toHaveURL('/subscribe');
  await expect(page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' })).toBeVisible();
});

test('invoices are made out to what the admin says', async ({ page, people, server, request }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/billing');
  const details = page.getByRole('region', { name: 'Billing details' });
  await details.getByLabel('Name').fill('Acme Holding Ltd');
  await details.getByLabel('Address', { exact: true }).fill('1 High Street');
  await details.getByLabel('City').fill('Berlin');
  await details.getByLabel('Country').selectOption('Germany');
  await details.getByLabel('Kind of tax id').selectOption('EU VAT');
  await details.getByRole('button', { name: 'Save details' }).click();
  await expect(details.getByLabel('Tax id', { exact: true })).toHaveAccessibleDescription(/is required/);
  await expect(details.getByLabel('City'), 'what was typed is kept').toHaveValue('Berlin');
  await details.getByLabel('Tax id', { exact: true }).fill('DE123456789');
  await details.getByRole('button', { name: 'Save details' }).click();
  await expect(page.getByText('The billing details were saved.')).toBeVisible();
  await expect(details.getByLabel('Country')).toHaveValue('DE');
  await expect(details.getByLabel('Tax id', { exact: true })).toHaveValue('DE123456789');

  const stripe = new Stripe(request, server);
  const { customer } = await stripe.get(`/subscriptions/${(await admin.subscription()).stripe_subscription_id}`);
  expect(await stripe.get(`/customers/${customer}`)).toMatchObject({
    name: 'Acme Holding Ltd',
    address: { line1: '1 High Street', city: 'Berlin', country: 'DE', line2: null },
  });
});

test('a member is told whom to ask, and a group without a subscription what it can have', async ({ page, people }) => {
  const admin = await people.admin();
  const member = await people.member(admin);
  await member.signIn(page);
  const answer = await page.goto('/billing');
  expect(answer?.status()).toBe(403);
  await expect(page.getByText(/Ask an admin of your group .*: Ada Admin\./)).toBeVisible();
  await expect(page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Billing' })).toHaveCount(0);

  const other = await people.page();
  await admin.signIn(other);
  await other.goto('/billing');
  await expect(other.getByText('Nothing was charged yet.')).toBeVisible();
  await expect(other.getByRole('link', { name: 'Choose a plan' })).toBeVisible();
});

test('a demo says that no money moves, and leads to the sandbox', async ({ page, people }) => {
  await page.goto('/login');
  await expect(page.getByRole('contentinfo')).toContainText("only Stripe's test cards work");
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/chat');
  await page.getByRole('contentinfo').getByRole('link', { name: /^Its panel at / }).click();
  await expect(page).toHaveTitle(/sandbox/i);
});
