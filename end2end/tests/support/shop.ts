// A page of another origin with the stand-in for Stripe.js, and what tests do with it.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Page } from '@playwright/test';
import Stripe from 'stripe';

import { test as base } from '../../fixtures';
import { STRIPE_KEY, stripeAddress } from './stripe';

export const LIGHT = { text: 'rgb(20, 20, 30)', background: 'rgb(255, 255, 255)' };
export const DARK = { text: 'rgb(240, 240, 250)', background: 'rgb(20, 20, 30)' };

export const PUBLISHABLE_KEY = 'pk_test_end2end_tests';

/** Stripe's own loader, as npm has it. */
const LOADER = new URL('../../node_modules/@stripe/stripe-js/dist/', import.meta.url);

type Fixtures = {
  /** The address of a shop with an empty page for a card form; `bare` is a page of it without Stripe.js. */
  shop: string;
  /** The sandbox, as the shop's server asks it. */
  stripe: Stripe;
  /** What the page's console said, each with its kind before it. */
  said: string[];
};

export const test = base.extend<Fixtures>({
  shop: async ({ server }, use) => {
    const script = `<script src="${stripeAddress(server)}/v3/"></script>`;
    const shop = createServer(async (request, response) => {
      const { pathname } = new URL(request.url!, 'http://shop');
      if (pathname.startsWith('/loader/')) {
        const source = await readFile(new URL(pathname.slice('/loader/'.length), LOADER));
        response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(source);
      } else {
        response.writeHead(200, { 'Content-Type': 'text/html' }).end(shopPage(pathname === '/bare' ? '' : script));
      }
    });
    await new Promise<void>((listening) => shop.listen(0, '127.0.0.1', listening));
    await use(`http://127.0.0.1:${(shop.address() as AddressInfo).port}/`);
    await new Promise((closed) => shop.close(closed));
  },
  stripe: async ({ server }, use) => {
    const at = new URL(stripeAddress(server));
    await use(new Stripe(STRIPE_KEY, { protocol: 'http', host: at.hostname, port: at.port }));
  },
  said: [
    async ({ page }, use) => {
      const said: string[] = [];
      page.on('pageerror', (error) => said.push(`error ${error.message}`));
      page.on('console', (message) => said.push(`${message.type()} ${message.text()}`));
      await use(said);
    },
    { auto: true },
  ],
});

function shopPage(script: string) {
  return `<!doctype html><title>Shop</title><meta name="color-scheme" content="light dark">
    <style>
      body { background: ${LIGHT.background} }
      @media (prefers-color-scheme: dark) { body { background: ${DARK.background} } }
    </style>
    <link rel="icon" href="data:,">
    <section><div id="card"></div></section>${script}`;
}

type Form = { group: object; element?: object; type?: 'payment' | 'card' };

/**
 * Opens the shop with a card form that is ready. Its globals: `stripe`, `elements`, `card`, and `events` with the names
 * of what the form said.
 */
export async function openShop(page: Page, shop: string, { group, element = {}, type = 'payment' }: Form) {
  await page.goto(shop);
  await page.evaluate(
    ([key, group, element, type]) =>
      new Promise((ready, failed) => {
        const shop = window as any;
        shop.stripe = shop.Stripe(key);
        shop.elements = shop.stripe.elements(group);
        shop.card = shop.elements.create(type, element);
        shop.events = [];
        const payment = ['loaderstart', 'carddetailschange', 'availablepaymentmethodschange'];
        const names = ['ready', 'change', 'focus', 'blur', 'escape', 'loaderror', ...(type === 'payment' ? payment : [])];
        for (const name of names) shop.card.on(name, () => shop.events.push(name));
        shop.card.on('ready', ready);
        shop.card.on('loaderror', ({ error }: any) => failed(new Error(error.message)));
        shop.card.mount('#card');
      }),
    [PUBLISHABLE_KEY, group, element, type] as const,
  );
}

/** The fields, in their frame. */
export function fieldsOf(page: Page) {
  const frame = page.locator('#card iframe').contentFrame();
  return {
    frame,
    number: frame.getByLabel('Card number'),
    expiry: frame.getByLabel('Expiration date'),
    code: frame.getByLabel('Security code'),
  };
}

export async function fillCard(page: Page, number: string) {
  const fields = fieldsOf(page);
  await fields.number.fill(number);
  await fields.expiry.fill('12 / 34');
  await fields.code.fill('123');
}

/** What calls in the shop's page come to: what they throw, by name and words, or what they return. */
export async function outcome(page: Page, code: string) {
  return page.evaluate(async (code) => {
    try {
      const value = await eval(`(async () => (${code}))()`);
      return value?.error?.message ?? value?.paymentIntent?.status ?? value?.setupIntent?.status ?? value;
    } catch (error: any) {
      return `${error.name}: ${error.message}`;
    }
  }, code);
}
