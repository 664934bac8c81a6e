import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { CARDS, cardFrame, challenge, typeCard } from './support/card';
import { Stripe } from './support/stripe';
import { countLoads } from './support/watch';

/** Chooses a plan and waits for the card form. */
async function choose(page: Page, plan: string) {
  await page.goto('/subscribe');
  await page.getByRole('article', { name: plan }).getByRole('button', { name: 'Subscribe' }).click();
  await expect(cardFrame(page).contentFrame().getByLabel('Card number')).toBeVisible();
}

test('a declined card says why, a failed 3D Secure too, and an approved one subscribes without a reload', async ({
  page,
  people,
  watch,
}) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await choose(page, 'Basic');
  const loads = countLoads(page);
  const pay = page.getByRole('button', { name: 'Pay $29.99' });
  const alert = page.getByRole('alert');

  await typeCard(page, CARDS.declined);
  await pay.click();
  await expect(alert).toContainText('Your card was declined.');
  expect((await admin.subscription()).status).toBe('incomplete');

  await typeCard(page, CARDS.needs3dSecure);
  await pay.click();
  await expect(challenge(page).dialog).toBeVisible();
  await expect(alert).toHaveCount(0);
  await challenge(page).fail();
  await expect(challenge(page).dialog).toHaveCount(0);
  await expect(alert).toContainText(/unable to authenticate/i);
  expect((await admin.subscription()).status).toBe('incomplete');

  await typeCard(page, CARDS.needs3dSecure);
  await pay.click();
  await challenge(page).approve();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText("You're subscribed");
  await expect(page.getByRole('heading', { level: 1 }), 'the focus goes to the result').toBeFocused();
  await expect(page.getByText('Active', { exact: true })).toBeVisible();
  await expect(alert).toHaveCount(0);
  expect(loads(), 'the page was never loaded anew').toBe(0);

  const subscription = await admin.subscription();
  expect(subscription).toMatchObject({ status: 'active', plan: { name: 'Basic' }, cancel_at_period_end: false });
  // The browser itself says that a payment was refused; nothing else may be in its console.
  expect(watch.mistakes.filter((mistake) => !mistake.includes('status of 402'))).toEqual([]);

  await page.getByRole('link', { name: 'Go to usage' }).click();
  await expect(page.getByRole('progressbar', { name: 'LLM tokens' })).toHaveAttribute('aria-valuenow', '0');
});

test('a plain card pays at once, and a second purchase is refused', async ({ page, people, watch }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  // A second tab, from before the purchase.
  const stale = await page.context().newPage();
  await stale.goto('/subscribe');

  await choose(page, 'Pro');
  const loads = countLoads(page);
  await typeCard(page, CARDS.pays);
  await page.getByRole('button', { name: 'Pay $79.99' }).click();
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  expect(loads()).toBe(0);
  expect((await admin.subscription()).plan.name).toBe('Pro');
  expect(watch.mistakes).toEqual([]);

  await expect(stale.getByRole('heading', { name: "You're subscribed" }), 'the other tab followed').toBeVisible();

  await page.goto('/subscribe');
  const pro = page.getByRole('article', { name: 'Pro' });
  await expect(pro.getByRole('button', { name: 'Current plan' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Current plan' })).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Subscribe' })).toHaveCount(0);
  await expect(page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Switch to this plan' })).toBeVisible();

  for (const plan of await admin.plans()) {
    const second = await admin.buy(plan.id);
    expect(second.status(), plan.name).toBe(409);
    expect((await second.json()).code).toBe('subscription_exists');
  }
  expect((await admin.subscription()).plan.name).toBe('Pro');
});

test('a card is typed in a frame of another origin and never reaches the application', async ({ page, people, baseURL }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin === baseURL) sent.push(`${request.url()} ${request.postData() ?? ''}`);
  });
  await choose(page, 'Basic');
  const source = await cardFrame(page).getAttribute('src');
  expect(new URL(source ?? '').origin).not.toBe(baseURL);
  const frame = await (await cardFrame(page).elementHandle())?.contentFrame();
  expect(new URL(frame!.url()).origin).not.toBe(baseURL);

  await typeCard(page, CARDS.pays);
  const inputs = await page.mainFrame().evaluate(() =>
    [...document.querySelectorAll('input:not([type=hidden]), textarea, [contenteditable]')].map((input) => input.outerHTML),
  );
  expect(inputs, 'nothing to type into in the page itself').toEqual([]);
  expect(await page.mainFrame().evaluate(() => document.documentElement.outerHTML)).not.toMatch(/4242[ ]?4242/);
  // The browser keeps the frame's document from the page's scripts.
  expect(await page.mainFrame().evaluate(() => document.querySelector('iframe')?.contentDocument ?? null)).toBeNull();

  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  expect(sent.length).toBeGreaterThan(0);
  expect(sent.filter((request) => /4242[ +]?4242|%204242/.test(request))).toEqual([]);
});

test('an incomplete card is refused before anything is sent', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await choose(page, 'Basic');
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(cardFrame(page).contentFrame().getByText('Your card number is incomplete.')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Pay/ })).toBeEnabled();
  expect((await admin.subscription()).status).toBe('incomplete');
});

test('another plan can be chosen as long as nothing is paid', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await choose(page, 'Basic');
  await page.getByRole('button', { name: 'Choose another plan' }).click();
  await page.getByRole('article', { name: 'Pro' }).getByRole('button', { name: 'Subscribe' }).click();
  await expect(page.getByRole('button', { name: 'Pay $79.99' })).toBeEnabled();
  // What was begun is there after a reload.
  await page.reload();
  await typeCard(page, CARDS.pays);
  await page.getByRole('button', { name: 'Pay $79.99' }).click();
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  expect((await admin.subscription()).plan.name).toBe('Pro');
});

test("an error of a purchase in another tab doesn't outlive the one that succeeds", async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  const stale = await page.context().newPage();
  // Cut off from the stream, it doesn't follow.
  await stale.route('**/usage/stream/', (route) => route.abort());
  await stale.goto('/subscribe');
  await choose(page, 'Basic');
  await stale.getByRole('article', { name: 'Scale' }).getByRole('button', { name: 'Subscribe' }).click();
  await expect(stale.getByRole('alert')).toContainText('already has a subscription');
  await typeCard(stale, CARDS.pays);
  await stale.getByRole('button', { name: 'Pay $29.99' }).click();
  await expect(stale.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  await expect(stale.getByRole('alert')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
});

test("what the bank's dialog covers waits for it, and has the focus then", async ({ page, people, request }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await choose(page, 'Basic');
  const other = await page.context().newPage();
  await other.goto('/subscribe');
  await typeCard(page, CARDS.needs3dSecure);
  await page.getByRole('button', { name: 'Pay $29.99' }).click();
  const { dialog, approve } = challenge(page);
  const question = (await dialog.locator('iframe').getAttribute('src'))!;

  // Approved on the cardholder's telephone.
  const form = { client_secret: new URL(question).searchParams.get('client_secret')!, outcome: 'approve' };
  expect((await request.post(question, { form })).status()).toBe(200);
  await expect(other.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  await expect(dialog).toBeVisible();
  await approve();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeFocused();
});

test("the card form takes a change of colour scheme, and nothing goes wrong after it", async ({ page, people, watch }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  const admin = await people.admin();
  await admin.signIn(page);
  await choose(page, 'Basic');
  const label = cardFrame(page).contentFrame().getByText('Card number', { exact: true });
  const lightness = () =>
    label.evaluate((element) => Math.max(...getComputedStyle(element).color.match(/\d+/g)!.slice(0, 3).map(Number)));
  expect(await lightness()).toBeLessThan(128);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(lightness).toBeGreaterThan(128);
  await typeCard(page, CARDS.pays);
  await page.getByRole('button', { name: 'Pay $29.99' }).click();
  await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
  await page.emulateMedia({ colorScheme: 'light' });
  await expect(page.getByText('Active', { exact: true })).toBeVisible();
  expect(watch.mistakes).toEqual([]);
});

test("who was sent to the bank's own page comes back to what became of the payment", async ({ page, people, server, request }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  const basic = (await admin.plans()).find(({ name }) => name === 'Basic')!;
  const begun = await admin.api.post('/api/subscriptions/subscriptions/create_subscription/', { data: { plan_id: basic.id } });
  const { client_secret } = await begun.json();
  const intent = client_secret.split('_secret_')[0];
  const back = `/subscribe?payment_intent=${intent}&payment_intent_client_secret=${client_secret}`;

  await page.goto(`${back}&redirect_status=failed`);
  await expect(page.getByRole('alert')).toContainText("The bank didn't approve the payment.");
  await expect(page.getByRole('button', { name: 'Pay $29.99' })).toBeEnabled();

  const stripe = new Stripe(request, server);
  await stripe.post(`/payment_intents/${intent}/confirm`, { payment_method: 'pm_card_visa' });
  await page.goto(`${back}&redirect_status=succeeded`);
  await expect(page.getByText("You're subscribed")).toBeVisible();
  expect((await admin.subscription()).status).toBe('active');
});

test('what happens at Stripe arrives by webhook, without the browser', async ({ page, people, server, request }) => {
  const admin = await people.subscriber('Basic');
  const { stripe_subscription_id: id } = await admin.subscription();
  const stripe = new Stripe(request, server);
  const status = async () => {
    const answer = await admin.api.get('/api/subscriptions/subscriptions/my_subscription/');
    const { status, cancel_at_period_end, code } = await answer.json();
    return code ?? `${status}${cancel_at_period_end ? ', ending' : ''}`;
  };

  await stripe.post(`/subscriptions/${id}`, { cancel_at_period_end: 'true' });
  await expect.poll(status).toBe('active, ending');
  await admin.signIn(page);
  await page.goto('/subscribe');
  await expect(page.getByText(/^Ends on .*\.$/)).toBeVisible();

  await stripe.delete(`/subscriptions/${id}`);
  await expect.poll(status).toBe('no_subscription');
  // The page follows by itself.
  await expect(page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' })).toBeVisible();
});
