// Stripe's own Node client, unmodified, against the sandbox: what the pages' tests don't call.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import Stripe from 'stripe';

const KEY = 'sk_test_TollgateSandboxSecretKey';
const at = new URL(process.env.SANDBOX_URL);
const options = { protocol: 'http', host: at.hostname, port: at.port, maxNetworkRetries: 0 };
const stripe = new Stripe(KEY, options);

/** What a call was refused with. */
const refusal = (call) => call.then(() => assert.fail('it was not refused'), (error) => error);

test('paging, forwards and backwards', async () => {
  const email = `${randomUUID()}@example.test`;
  const made = [];
  for (let index = 0; index < 7; index += 1) made.unshift((await stripe.customers.create({ email })).id);
  const found = await stripe.customers.list({ email, limit: 2 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(found.map(({ id }) => id), made);
  const back = await stripe.customers.list({ email, limit: 3, ending_before: made[6] });
  assert.deepEqual(back.data.map(({ id }) => id), made.slice(3, 6));
  assert.equal(back.has_more, true);
});

test('expansion, of what is null too', async () => {
  const customer = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
    expand: ['default_source', 'test_clock', 'subscriptions', 'invoice_settings.default_payment_method'],
  });
  assert.equal(customer.invoice_settings.default_payment_method.card.last4, '4242');
  assert.deepEqual([customer.test_clock, customer.subscriptions.data], [null, []]);
});

test('idempotency: the same is replayed, another is refused', async () => {
  const key = { idempotencyKey: randomUUID() };
  const made = await stripe.customers.create({ name: 'Ada' }, key);
  const again = await stripe.customers.create({ name: 'Ada' }, key);
  assert.equal(again.id, made.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  const other = await refusal(stripe.customers.create({ name: 'Grace' }, key));
  assert.ok(other instanceof Stripe.errors.StripeIdempotencyError);
});

test('errors are of their classes and say what they are about', async () => {
  const declined = await refusal(
    stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      payment_method: 'pm_card_chargeDeclined',
      payment_method_types: ['card'],
      confirm: true,
    }),
  );
  assert.ok(declined instanceof Stripe.errors.StripeCardError);
  assert.deepEqual(
    [declined.code, declined.decline_code, declined.raw.advice_code, declined.statusCode],
    ['card_declined', 'generic_decline', 'try_again_later', 402],
  );
  const missing = await refusal(stripe.prices.retrieve('price_none'));
  assert.deepEqual([missing.code, missing.statusCode], ['resource_missing', 404]);
  const elsewhere = await refusal(stripe.customers.list({}, { stripeAccount: 'acct_other' }));
  assert.ok(elsewhere instanceof Stripe.errors.StripePermissionError);
  const old = await refusal(new Stripe(KEY, { ...options, apiVersion: '1999-12-31' }).balance.retrieve());
  assert.match(old.message, /^Invalid Stripe API version: 1999-12-31/);
  const stranger = await refusal(new Stripe('sk_test_1', options).balance.retrieve());
  assert.ok(stranger instanceof Stripe.errors.StripeAuthenticationError);
});
