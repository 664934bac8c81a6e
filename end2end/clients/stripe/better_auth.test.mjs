// better-auth with its plugin for Stripe, unmodified, at the sandbox: a user buys a plan, ends it and has it back.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { stripe as stripePlugin } from '@better-auth/stripe';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import Stripe from 'stripe';

import { startServer } from '../../server.mjs';

const sandbox = await startServer({}, ['sandbox']);
const at = new URL(sandbox.url);
const stripe = new Stripe('sk_test_TollgateSandboxSecretKey', { protocol: 'http', host: at.hostname, port: at.port });

const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;
after(async () => {
  server.close();
  await sandbox.stop();
});

const webhook = await stripe.webhookEndpoints.create({
  url: `${base}/api/auth/stripe/webhook`,
  enabled_events: ['checkout.session.completed', 'customer.subscription.updated', 'customer.subscription.deleted'],
});
const product = await stripe.products.create({ name: 'Pro' });
const price = await stripe.prices.create({
  product: product.id,
  lookup_key: 'pro',
  currency: 'usd',
  unit_amount: 2999,
  recurring: { interval: 'month' },
});

/** How long an event may take to come, in milliseconds. */
const TIMEOUT = 30_000;
/** Events that better-auth has taken and no test has waited for yet, and what looks at them when there is another. */
let taken = [];
let look = () => {};
const database = { user: [], session: [], account: [], verification: [], subscription: [] };
const auth = betterAuth({
  baseURL: base,
  secret: 'of no use to anybody, and long enough',
  database: memoryAdapter(database),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  plugins: [
    stripePlugin({
      stripeClient: stripe,
      stripeWebhookSecret: webhook.secret,
      createCustomerOnSignUp: true,
      subscription: { enabled: true, plans: [{ name: 'pro', lookupKey: 'pro', limits: { seats: 5 } }] },
      onEvent: async (event) => {
        taken.push(event);
        look();
      },
    }),
  ],
});
const handle = toNodeHandler(auth);

/** Resolves once better-auth has taken an event of this type that fits, later than the last one that was waited for. */
const event = (type, fits) =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no such ${type} came`)), TIMEOUT);
    look = () => {
      const index = taken.findIndex((one) => one.type === type && fits(one.data.object));
      if (index < 0) return;
      clearTimeout(late);
      taken = taken.slice(index + 1);
      resolve();
    };
    look();
  });

let cookie = '';

/** Calls better-auth as the user's browser does. */
async function call(method, path, body) {
  const response = await fetch(`${base}/api/auth${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Origin: base, Cookie: cookie },
    body: body && JSON.stringify(body),
  });
  const set = response.headers.getSetCookie().map((one) => one.split(';', 1)[0]);
  if (set.length > 0) cookie = set.join('; ');
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

/** Sends a form of one of the sandbox's pages, as a browser that stands on it. */
const submit = (url, fields) =>
  fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Sec-Fetch-Site': 'same-origin', Accept: 'application/json' },
    body: new URLSearchParams(fields),
  });

const listed = async () => (await call('GET', '/subscription/list'))[0];
let customer;
let checkout;

test('signing up makes a customer', async () => {
  const form = { name: 'Ada', email: 'ada@example.test', password: 'a password of some length' };
  const { user } = await call('POST', '/sign-up/email', form);
  const found = (await stripe.customers.list({ email: form.email })).data;
  assert.deepEqual(found.map(({ name, metadata }) => [name, metadata.userId]), [['Ada', user.id]]);
  [customer] = found;
  assert.equal(database.user[0].stripeCustomerId, customer.id);
});

test('an upgrade leads to a Checkout session', async () => {
  checkout = await call('POST', '/subscription/upgrade', { plan: 'pro', successUrl: '/welcome', cancelUrl: '/pricing' });
  assert.equal(checkout.customer, customer.id);
  assert.equal(checkout.amount_total, price.unit_amount);
  assert.deepEqual(database.subscription.map(({ status }) => status), ['incomplete']);
});

test('paying there makes the subscription active', async () => {
  const paid = await submit(checkout.url, { payment_method: 'pm_card_visa', name: 'Ada' });
  const { url } = await paid.json();
  assert.match(url, /checkoutSessionId=cs_test_/);
  await event('checkout.session.completed', ({ id }) => id === checkout.id);
  assert.deepEqual(database.subscription.map(({ status }) => status), ['active']);
  const back = await fetch(url, { redirect: 'manual', headers: { Cookie: cookie } });
  assert.deepEqual([back.status, back.headers.get('location')], [302, `${base}/welcome`]);
});

test('the subscription is listed with its plan and its period', async () => {
  const subscription = await listed();
  const { plan, status, limits, seats, billingInterval, cancelAtPeriodEnd } = subscription;
  assert.deepEqual(
    { plan, status, limits, seats, billingInterval, cancelAtPeriodEnd },
    { plan: 'pro', status: 'active', limits: { seats: 5 }, seats: 1, billingInterval: 'month', cancelAtPeriodEnd: false },
  );
  const [{ id, items }] = (await stripe.subscriptions.list({ customer: customer.id })).data;
  assert.equal(subscription.stripeSubscriptionId, id);
  assert.equal(Date.parse(subscription.periodEnd), items.data[0].current_period_end * 1000);
});

test('it is canceled in the portal', async () => {
  const { url } = await call('POST', '/subscription/cancel', { returnUrl: '/account' });
  const first = await fetch(url, { redirect: 'manual' });
  const form = new URL(first.headers.get('location'), url);
  const done = await submit(form, { feedback: 'too_expensive' });
  assert.equal(done.status, 303);
  await event('customer.subscription.updated', ({ cancel_at_period_end }) => cancel_at_period_end);
  const { status, cancelAt, periodEnd } = await listed();
  assert.deepEqual([status, cancelAt], ['active', periodEnd]);
});

test('it is restored', async () => {
  const restored = await call('POST', '/subscription/restore', {});
  assert.deepEqual([restored.cancel_at, restored.cancel_at_period_end], [null, false]);
  await event('customer.subscription.updated', ({ cancel_at }) => cancel_at === null);
  const { status, cancelAt, cancelAtPeriodEnd } = await listed();
  assert.deepEqual([status, cancelAt, cancelAtPeriodEnd], ['active', null, false]);
});
