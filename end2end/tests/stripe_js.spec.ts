// The stand-in for Stripe.js in a page of its own: what an application may rely on beyond the happy path.

import type { Page } from '@playwright/test';

import { expect } from '../fixtures';
import { DARK, LIGHT, fieldsOf, fillCard, openShop, test } from './support/shop';

type Colours = typeof LIGHT;

function appearance({ text, background }: Colours) {
  return { theme: 'none', variables: { colorText: text, colorBackground: background } };
}

/** The colours that the card's labels have, and what is painted behind them. */
async function labelColours(page: Page): Promise<Colours & { canvas: string }> {
  const { frame } = fieldsOf(page);
  const seen = await frame.locator('.Label').first().evaluate((label) => ({
    text: getComputedStyle(label).color,
    background: getComputedStyle(label.closest('main')!).backgroundColor,
    canvas: getComputedStyle(document.documentElement).colorScheme,
  }));
  return seen;
}

test.describe('the card form', () => {
  test.beforeEach(async ({ page, shop, stripe }) => {
    const { client_secret: clientSecret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
    await page.emulateMedia({ colorScheme: 'light' });
    await openShop(page, shop, { group: { clientSecret, appearance: appearance(LIGHT) } });
  });

  test.afterEach(({ said }) => {
    expect(said).toEqual([]);
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
    const { number } = fieldsOf(page);
    await number.fill('4242 4242');
    await page.evaluate((appearance) => (window as any).elements.update({ appearance }), appearance(DARK));
    await expect.poll(async () => (await labelColours(page)).text).toBe(DARK.text);
    await expect(number).toHaveValue('4242 4242');
  });

  test('pays from a page of another origin, 3D Secure included', async ({ page }) => {
    await fillCard(page, '4000 0027 6000 3184');
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
