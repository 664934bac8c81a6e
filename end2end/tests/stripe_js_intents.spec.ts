// What the stand-in for Stripe.js confirms, and what it refuses to.

import { expect } from '../fixtures';
import { fieldsOf, fillCard, openShop, outcome, test } from './support/shop';

const PAYMENT = { mode: 'payment', amount: 2999, currency: 'usd' };
const VISA = '4242 4242 4242 4242';
const SUBMIT_FIRST =
  'Call elements.submit() as soon as your customer presses pay, prior to any asynchronous work. Integration guide: ' +
  'https://stripe.com/docs/payments/accept-a-payment-deferred';

function confirmPayment(clientSecret: string) {
  return `stripe.confirmPayment({ elements, clientSecret: '${clientSecret}', redirect: 'if_required' })`;
}

test.describe('Elements made before their intent', () => {
  test('are submitted before they are confirmed', async ({ page, shop, stripe }) => {
    const { client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await openShop(page, shop, { group: PAYMENT });
    await fillCard(page, VISA);
    const pay = confirmPayment(client_secret!);
    expect(await outcome(page, pay)).toBe(
      `IntegrationError: elements.submit() must be called before stripe.confirmPayment(). ${SUBMIT_FIRST}`,
    );
    await fieldsOf(page).code.fill('');
    expect(await outcome(page, 'elements.submit()')).toBe("Your card's security code is incomplete.");
    expect(await outcome(page, pay)).toContain('elements.submit() must be called');
    await fieldsOf(page).code.fill('123');
    expect(await outcome(page, 'elements.submit()')).toEqual({ selectedPaymentMethod: 'card' });
    expect(await outcome(page, pay)).toBe('succeeded');
  });

  for (const [group, field, provided, expected] of [
    [{ amount: 3000 }, 'amount', '3000', '2999'],
    [{ currency: 'eur' }, 'currency', 'eur', 'usd'],
    [{ setupFutureUsage: 'off_session' }, 'setup_future_usage', 'off_session', 'null'],
    [{ mode: 'subscription' }, 'setup_future_usage', 'off_session', 'null'],
    [{ captureMethod: 'manual' }, 'capture_method', 'manual', 'automatic'],
    [{ mode: 'setup' }, 'mode', 'setup', 'payment'],
  ] as const) {
    test(`are refused with ${JSON.stringify(group)} for an intent without it`, async ({ page, shop, stripe }) => {
      const { id, client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
      await openShop(page, shop, { group: { ...PAYMENT, ...group } });
      await fillCard(page, VISA);
      await page.evaluate('elements.submit()');
      const error = await page.evaluate(`${confirmPayment(client_secret!)}.then(({ error }) => error)`);
      expect(error).toEqual({
        type: 'invalid_request_error',
        param: field,
        message:
          `The provided ${field} (${provided}) does not match the expected ${field} (${expected}). Try confirming with a ` +
          'Payment Intent that is configured to use the same parameters as Stripe Elements.',
      });
      expect((await stripe.paymentIntents.retrieve(id)).status).toBe('requires_payment_method');
    });
  }

  test('pay once they have been updated to what their intent is', async ({ page, shop, stripe }) => {
    const { client_secret } = await stripe.paymentIntents.create({
      amount: 4500,
      currency: 'eur',
      capture_method: 'manual',
      setup_future_usage: 'off_session',
    });
    await openShop(page, shop, { group: PAYMENT });
    await fillCard(page, VISA);
    const terms = fieldsOf(page).frame.getByText('By providing your card information');
    await expect(terms).toBeHidden();
    await page.evaluate(
      "elements.update({ amount: 4500, currency: 'EUR', capture_method: 'manual', setup_future_usage: 'off_session' })",
    );
    await expect(terms).toBeVisible();
    await page.evaluate('elements.submit()');
    expect(await outcome(page, confirmPayment(client_secret!))).toBe('requires_capture');
  });

  test('keep a card without a payment', async ({ page, shop, stripe }) => {
    const { client_secret } = await stripe.setupIntents.create({});
    await openShop(page, shop, { group: { mode: 'setup', currency: 'usd' } });
    await fillCard(page, VISA);
    await page.evaluate('elements.submit()');
    const keep = (secret: string) =>
      `stripe.confirmSetup({ elements, clientSecret: '${secret}', redirect: 'if_required' })`;
    expect(await outcome(page, keep('pi_1_secret_2'))).toBe(
      'IntegrationError: Invalid value for stripe.confirmSetup intent secret: value should be a SetupIntent client ' +
        'secret. You specified: a PaymentIntent client secret.',
    );
    expect(await outcome(page, keep(client_secret!))).toBe('succeeded');
  });

  test('make a payment method for the server, where they were made for that', async ({ page, shop, stripe }) => {
    await openShop(page, shop, { group: PAYMENT });
    await fillCard(page, VISA);
    const create = "stripe.createPaymentMethod({ elements, params: { billing_details: { name: 'Ada' } } })";
    expect(await outcome(page, create)).toContain("created with `paymentMethodCreation: 'manual'`");

    await openShop(page, shop, { group: { ...PAYMENT, paymentMethodCreation: 'manual' } });
    await fillCard(page, VISA);
    expect(await outcome(page, create)).toBe(
      `IntegrationError: elements.submit() must be called before stripe.createPaymentMethod(). ${SUBMIT_FIRST}`,
    );
    await page.evaluate('elements.submit()');
    const id = await page.evaluate<string>(`${create}.then(({ paymentMethod }) => paymentMethod.id)`);
    const { card, billing_details } = await stripe.paymentMethods.retrieve(id);
    expect([card!.last4, billing_details.name]).toEqual(['4242', 'Ada']);
  });

  test('show nothing where no card may be used', async ({ page, shop }) => {
    const group = { ...PAYMENT, excludedPaymentMethodTypes: ['card'] };
    await expect(openShop(page, shop, { group })).rejects.toThrow('the Stripe sandbox offers cards only');
  });
});

test.describe('Elements of an intent', () => {
  test('fetch what the server has changed', async ({ page, shop, stripe }) => {
    const { id, client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await openShop(page, shop, { group: { clientSecret: client_secret } });
    const terms = fieldsOf(page).frame.getByText('By providing your card information');
    await expect(terms).toBeHidden();
    await stripe.paymentIntents.update(id, { setup_future_usage: 'off_session' });
    expect(await outcome(page, 'elements.fetchUpdates()')).toEqual({});
    await expect(terms).toBeVisible();
    expect(await outcome(page, "elements.update({ clientSecret: 'pi_1_secret_2' })")).toContain('cannot be changed');
  });

  test('lead to the return address with what came of it', async ({ page, shop, stripe }) => {
    const { id, client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await openShop(page, shop, { group: { clientSecret: client_secret } });
    await fillCard(page, VISA);
    expect(await outcome(page, 'stripe.confirmPayment({ elements })')).toBe(
      'IntegrationError: stripe.confirmPayment(): the `confirmParams.return_url` argument is required when using ' +
        'automatic payment methods.',
    );
    await page.evaluate(`void stripe.confirmPayment({ elements, confirmParams: { return_url: '${shop}done?order=7' } })`);
    await page.waitForURL(/done/);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
      order: '7',
      payment_intent: id,
      payment_intent_client_secret: client_secret,
      redirect_status: 'succeeded',
    });
  });

  test('are not made for an intent that is over', async ({ page, shop, stripe }) => {
    const { id, client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await stripe.paymentIntents.cancel(id);
    await expect(openShop(page, shop, { group: { clientSecret: client_secret } })).rejects.toThrow('in a terminal state');
  });

  test('are made for the account and the version that the page names', async ({ page, shop, stripe }) => {
    const { client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await page.goto(shop);
    for (const [options, refusal] of [
      [{ stripeAccount: 'acct_other' }, "does not have access to account 'acct_other'"],
      [{ apiVersion: '1999-01-01' }, 'Invalid Stripe API version: 1999-01-01'],
    ] as const) {
      const made = `Stripe('pk_test_end2end_tests', ${JSON.stringify(options)})`;
      const call = `${made}.retrievePaymentIntent('${client_secret}')`;
      expect(await outcome(page, call)).toContain(refusal);
    }
    expect(await outcome(page, `Stripe('pk_test_end2end_tests').retrievePaymentIntent('${client_secret}')`)).toBe(
      'requires_payment_method',
    );
  });
});

test('a Card Element confirms, makes tokens and payment methods', async ({ page, shop, stripe }) => {
  const payment = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
  const setup = await stripe.setupIntents.create({});
  await openShop(page, shop, { group: {}, type: 'card' });
  await fillCard(page, VISA);
  const method = "{ payment_method: { card, billing_details: { name: 'Ada' } } }";
  expect(await outcome(page, `stripe.confirmCardPayment('${payment.client_secret}', ${method})`)).toBe('succeeded');
  expect(await outcome(page, `stripe.confirmCardSetup('${setup.client_secret}', ${method})`)).toBe('succeeded');
  const token = await page.evaluate<string>('stripe.createToken(card).then(({ token }) => token.id)');
  expect(token).toMatch(/^tok_/);
  const made = `stripe.createPaymentMethod({ type: 'card', card: { token: '${token}' } })`;
  const id = await page.evaluate<string>(`${made}.then(({ paymentMethod }) => paymentMethod.id)`);
  expect((await stripe.paymentMethods.retrieve(id)).card!.last4).toBe('4242');
});
