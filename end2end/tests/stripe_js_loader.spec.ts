// Stripe's own loader, unmodified, and what the wrappers for frameworks do.

import type { Page } from '@playwright/test';

import { expect } from '../fixtures';
import { fieldsOf, fillCard, outcome, test } from './support/shop';
import { stripeAddress } from './support/stripe';

const PAYMENT = "{ mode: 'payment', amount: 2999, currency: 'usd' }";

/** Loads Stripe.js with the loader; `stripe` is what it gives. */
async function load(page: Page) {
  await page.evaluate(async () => {
    const loader = '/loader/pure.mjs';
    const { loadStripe } = await import(loader);
    (window as any).stripe = await loadStripe('pk_test_end2end_tests');
  });
}

test.describe("Stripe's loader", () => {
  test('finds the stand-in in place of js.stripe.com', async ({ page, shop, server, stripe, said }) => {
    // Where the script comes from is where its frames and its API are.
    const sandbox = stripeAddress(server);
    await page.route('https://js.stripe.com/**', async (route) => {
      const { pathname, search } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: `${sandbox}${pathname}${search}` }) });
    });
    await page.goto(`${shop}bare`);
    await load(page);
    const { client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await page.evaluate(`window.elements = stripe.elements(${PAYMENT}); elements.create('payment').mount('#card')`);
    await fillCard(page, '4242 4242 4242 4242');
    await page.evaluate('elements.submit()');
    const pay = `stripe.confirmPayment({ elements, clientSecret: '${client_secret}', redirect: 'if_required' })`;
    expect(await outcome(page, pay)).toBe('succeeded');
    // Among what it might have said: that the release isn't the one it was published for.
    expect(said).toEqual([]);
  });

  test('takes the stand-in that the page has already', async ({ page, shop, server, said }) => {
    await page.goto(`${shop}bare`);
    await page.addScriptTag({ url: `${stripeAddress(server)}/endive/stripe.js` });
    await load(page);
    expect(await outcome(page, `typeof stripe.elements(${PAYMENT}).submit`)).toBe('function');
    expect(said).toEqual([]);
  });
});

test("an Element is made, dropped and made again at once, as in React's strict mode", async ({ page, shop, said }) => {
  await page.goto(shop);
  await page.evaluate(() => {
    const shop = window as any;
    const stripe = shop.Stripe('pk_test_end2end_tests');
    stripe._registerWrapper({ name: 'react-stripe-js', version: '7.0.1' });
    stripe.registerAppInfo({ name: 'react-stripe-js', version: '7.0.1', url: 'https://stripe.com' });
    shop.elements = stripe.elements({ mode: 'payment', amount: 2999, currency: 'usd' });
    shop.ready = 0;
    const draw = () => {
      const card = shop.elements.create('payment', {});
      card.on('ready', () => (shop.ready += 1));
      card.mount(document.getElementById('card'));
      return card;
    };
    draw().destroy();
    shop.card = draw();
  });
  await expect(fieldsOf(page).number).toBeVisible();
  await expect(page.locator('#card iframe')).toHaveCount(1);
  expect(await outcome(page, "elements.getElement('payment') === card")).toBe(true);
  // A component of the wrapper names its type.
  const component = "Object.assign(() => {}, { __elementType: 'payment' })";
  expect(await outcome(page, `elements.getElement(${component}) === card`)).toBe(true);
  expect(await outcome(page, "elements.create('payment')")).toBe(
    'IntegrationError: Can only create one Element of type payment.',
  );

  // Taken out and put back, the same one shows anew.
  await page.evaluate("card.unmount(); card.unmount(); card.mount('#card'); card.mount('#card')");
  await expect(fieldsOf(page).number).toBeVisible();
  await expect.poll(() => page.evaluate('ready')).toBe(2);
  expect(said).toEqual([]);
});
