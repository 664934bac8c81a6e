// The stand-in for Stripe.js in a page of its own: what an application may rely on beyond the happy path.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Page } from '@playwright/test';
import Stripe from 'stripe';

import { expect, test as base } from '../fixtures';
import { STRIPE_KEY, stripeAddress } from './support/stripe';

type Colours = { text: string; background: string };

const LIGHT: Colours = { text: 'rgb(20, 20, 30)', background: 'rgb(255, 255, 255)' };
const DARK: Colours = { text: 'rgb(240, 240, 250)', background: 'rgb(20, 20, 30)' };

/** The address of a shop with an empty page for a card form. */
const test = base.extend<{ shop: string }>({
  shop: async ({ server }, use) => {
    const html = shopPage(stripeAddress(server));
    const shop = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(html));
    await new Promise<void>((listening) => shop.listen(0, '127.0.0.1', listening));
    await use(`http://127.0.0.1:${(shop.address() as AddressInfo).port}/`);
    await new Promise((closed) => shop.close(closed));
  },
});

function shopPage(stripe: string) {
  return `<!doctype html><title>Shop</title><meta name="color-scheme" content="light dark">
    <style>
      body { background: ${LIGHT.background} }
      @media (prefers-color-scheme: dark) { body { background: ${DARK.background} } }
    </style>
    <link rel="icon" href="data:,">
    <section><div id="card"></div></section><script src="${stripe}/v3/"></script>`;
}

/** Opens the shop and waits until its card form is ready. Its globals: `stripe`, `elements`, `card`. */
async function openShop(page: Page, shop: string, clientSecret: string) {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(shop);
  await page.evaluate(
    ([clientSecret, appearance]) =>
      new Promise((ready) => {
        const shop = window as any;
        shop.stripe = shop.Stripe('pk_test_end2end_tests');
        shop.elements = shop.stripe.elements({ clientSecret, appearance });
        shop.card = shop.elements.create('payment');
        shop.card.on('ready', ready);
        shop.card.mount('#card');
      }),
    [clientSecret, appearance(LIGHT)] as const,
  );
}

function appearance({ text, background }: Colours) {
  return { theme: 'none', variables: { colorText: text, colorBackground: background } };
}

/** The colours that the card's labels have, and what is painted behind them. */
async function labelColours(page: Page): Promise<Colours & { canvas: string }> {
  const frame = page.frameLocator('#card iframe');
  const seen = await frame.locator('.Label').first().evaluate((label) => ({
    text: getComputedStyle(label).color,
    background: getComputedStyle(label.closest('main')!).backgroundColor,
    canvas: getComputedStyle(document.documentElement).colorScheme,
  }));
  return seen;
}

test.describe('the card form', () => {
  let mistakes: string[];

  test.beforeEach(async ({ page, server, shop }) => {
    mistakes = [];
    page.on('pageerror', (error) => mistakes.push(error.message));
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()));
    const at = new URL(stripeAddress(server));
    const stripe = new Stripe(STRIPE_KEY, { protocol: 'http', host: at.hostname, port: at.port });
    const { client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await openShop(page, shop, client_secret!);
  });

  test.afterEach(() => {
    expect(mistakes).toEqual([]);
  });

  test("follows the page's colour scheme as soon as the page gives it the colours", async ({ page }) => {
    await expect.poll(() => labelColours(page)).toEqual({ ...LIGHT, canvas: 'light' });
    for (const [colorScheme, colours] of [['dark', DARK], ['light', LIGHT]] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate((appearance) => (window as any).elements.update({ appearance }), appearance(colours));
      await expect.poll(() => labelColours(page)).toEqual({ ...colours, canvas: colorScheme });
      // On a canvas of another scheme the frame would be opaque.
      await expect(page.locator('#card iframe')).toHaveCSS('color-scheme', colorScheme);
    }
  });

  test('keeps what was typed while its look changes', async ({ page }) => {
    const number = page.frameLocator('#card iframe').getByLabel('Card number');
    await number.fill('4242 4242');
    await page.evaluate((appearance) => (window as any).elements.update({ appearance }), appearance(DARK));
    await expect.poll(async () => (await labelColours(page)).text).toBe(DARK.text);
    await expect(number).toHaveValue('4242 4242');
  });

  test('pays from a page of another origin, 3D Secure included', async ({ page }) => {
    const frame = page.frameLocator('#card iframe');
    await frame.getByLabel('Card number').fill('4000 0027 6000 3184');
    await frame.getByLabel('Expiration date').fill('12 / 34');
    await frame.getByLabel('Security code').fill('123');
    const paid = page.evaluate(async () => {
      const { stripe, elements } = window as any;
      const { paymentIntent, error } = await stripe.confirmPayment({ elements, redirect: 'if_required' });
      return error?.message ?? paymentIntent.status;
    });
    const bank = page.frameLocator('dialog iframe');
    await bank.getByRole('button', { name: 'Complete authentication' }).click();
    expect(await paid).toBe('succeeded');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  for (const [how, leave] of [
    ['destroyed', () => (window as any).card.destroy()],
    ['unmounted', () => (window as any).card.unmount()],
    ['dropped with the nodes around it', () => document.querySelector('section')!.remove()],
  ] as const) {
    test(`is silent once it was ${how}`, async ({ page }) => {
      await page.evaluate(leave);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.evaluate((appearance) => (window as any).elements.update({ appearance }), appearance(DARK));
      const refused = await page.evaluate(async () => {
        const { stripe, elements } = window as any;
        const options = { elements, redirect: 'if_required' };
        return stripe.confirmPayment(options).then(
          (result: any) => result.error?.message,
          (error: Error) => error.message,
        );
      });
      expect(refused).toMatch(/mounted Payment Element/);
      // What a listener throws is reported in a task of its own, before this one.
      await page.evaluate(() => new Promise((done) => setTimeout(done)));
    });
  }
});
