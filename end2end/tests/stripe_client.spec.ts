// The sandbox as Stripe's own client for Node sees it. The client knows where the sandbox is, and nothing else.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import Stripe from 'stripe';

import { expect, test as base } from '../fixtures';
import { STRIPE_KEY, stripeAddress } from './support/stripe';

const test = base.extend<{ stripe: Stripe; clientWith: (key: string) => Stripe }>({
  clientWith: async ({ server }, use) => {
    const at = new URL(stripeAddress(server));
    await use((key) => new Stripe(key, { protocol: 'http', host: at.hostname, port: at.port, maxNetworkRetries: 0 }));
  },
  stripe: async ({ clientWith }, use) => {
    await use(clientWith(STRIPE_KEY));
  },
});

/** A customer and a monthly price, to subscribe the one to the other. */
async function customerAndPrice(stripe: Stripe) {
  const customer = await stripe.customers.create({ email: 'ada@example.test', metadata: { team: 'a' } });
  const product = await stripe.products.create({ name: 'Basic' });
  const price = await stripe.prices.create({
    product: product.id,
    unit_amount: 2999,
    currency: 'usd',
    recurring: { interval: 'month' },
  });
  return { customer, price };
}

/** What a call was refused with. */
function refusal(call: Promise<unknown>) {
  return call.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  );
}

test('a subscription begins incomplete and is active once 3D Secure was approved', async ({ stripe, request }) => {
  const { customer, price } = await customerAndPrice(stripe);
  const begun = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    payment_behavior: 'default_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    expand: ['latest_invoice.confirmation_secret'],
  });
  expect(begun.status).toBe('incomplete');
  const invoice = begun.latest_invoice as Stripe.Invoice;
  expect(invoice).toMatchObject({ status: 'open', amount_due: 2999, currency: 'usd', customer: customer.id });
  const intent = invoice.confirmation_secret!.client_secret.split('_secret_')[0];

  const asked = await stripe.paymentIntents.confirm(intent, {
    payment_method: 'pm_card_authenticationRequired',
    return_url: 'https://example.test/back',
  });
  expect(asked.status).toBe('requires_action');
  const bank = asked.next_action!.redirect_to_url!.url!;
  const form = { client_secret: asked.client_secret!, outcome: 'approve' };
  const answered = await request.post(bank, { form, maxRedirects: 0 });
  expect(answered.status()).toBe(303);

  const after = await stripe.subscriptions.retrieve(begun.id, { expand: ['latest_invoice', 'default_payment_method'] });
  expect(after.status).toBe('active');
  expect(after.latest_invoice).toMatchObject({ status: 'paid', amount_paid: 2999 });
  expect(after.default_payment_method).toMatchObject({ type: 'card', card: { brand: 'visa' }, customer: customer.id });
  const [item] = after.items.data;
  expect(item.current_period_end - item.current_period_start).toBeGreaterThan(27 * 86_400);

  const ending = await stripe.subscriptions.update(begun.id, { cancel_at_period_end: true });
  expect(ending).toMatchObject({ status: 'active', cancel_at_period_end: true, cancel_at: item.current_period_end });
  expect((await stripe.subscriptions.cancel(begun.id)).status).toBe('canceled');
});

test("what is refused is thrown as the client's own errors", async ({ stripe, clientWith }) => {
  const { customer, price } = await customerAndPrice(stripe);
  const declined = await refusal(
    stripe.paymentIntents.create({
      amount: 2999,
      currency: 'usd',
      payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
      payment_method_types: ['card'],
      confirm: true,
    }),
  );
  expect(declined).toBeInstanceOf(Stripe.errors.StripeCardError);
  expect(declined).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'insufficient_funds' });
  expect(declined.payment_intent).toMatchObject({ object: 'payment_intent', status: 'requires_payment_method' });

  const missing = await refusal(stripe.subscriptions.create({ customer: customer.id, items: [{ price: 'price_none' }] }));
  expect(missing).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
  expect(missing).toMatchObject({ code: 'resource_missing', param: 'items[0][price]' });
  expect(missing.requestId).toMatch(/^req_/);

  const live = await refusal(clientWith('sk_live_0123456789').prices.retrieve(price.id));
  expect(live).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
});

test('an idempotency key charges once, and belongs to one request', async ({ stripe }) => {
  const order = {
    amount: 500,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    payment_method_types: ['card'],
    confirm: true,
  };
  const options = { idempotencyKey: randomUUID() };
  const first = await stripe.paymentIntents.create(order, options);
  const again = await stripe.paymentIntents.create(order, options);
  expect(again.id).toBe(first.id);
  expect(again.latest_charge).toBe(first.latest_charge);
  const other = await refusal(stripe.paymentIntents.create({ ...order, amount: 501 }, options));
  expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
});

test('lists are walked from page to page, newest first and nothing twice', async ({ stripe }) => {
  const { id: product } = await stripe.products.create({ name: 'Many prices' });
  const made: string[] = [];
  for (let amount = 1; amount <= 7; amount += 1) {
    made.unshift((await stripe.prices.create({ product, unit_amount: amount, currency: 'eur' })).id);
  }
  const walked: string[] = [];
  for await (const price of stripe.prices.list({ product, limit: 3 })) walked.push(price.id);
  expect(walked).toEqual(made);
});

test("an event's signature is one that the client accepts, and only for that body", async ({ stripe }) => {
  const received: { body: string; signature: string }[] = [];
  const listener = createServer(async (message, response) => {
    let body = '';
    for await (const chunk of message.setEncoding('utf8')) body += chunk;
    received.push({ body, signature: message.headers['stripe-signature'] as string });
    response.end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${port}/`,
    enabled_events: ['customer.created'],
  });
  try {
    const customer = await stripe.customers.create({ name: 'Grace' });
    await expect.poll(() => received.length).toBe(1);
    const [{ body, signature }] = received;
    const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret!);
    expect(event).toMatchObject({ type: 'customer.created', data: { object: { id: customer.id, name: 'Grace' } } });
    expect(await stripe.events.retrieve(event.id)).toMatchObject({ id: event.id, type: event.type });
    expect(() => stripe.webhooks.constructEvent(body.replace('Grace', 'Mallory'), signature, endpoint.secret!)).toThrow(
      Stripe.errors.StripeSignatureVerificationError,
    );
  } finally {
    await stripe.webhookEndpoints.del(endpoint.id);
    listener.close();
  }
});
