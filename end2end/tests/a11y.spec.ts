import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { CARDS, cardFrame, challenge, typeCard } from './support/card';
import { SCREENS } from './support/screens';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe has to say about a page, frames included: the rule, where, and why. */
async function violations(page: Page) {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}

/** Waits until every transition has arrived. */
async function animationsFinished(page: Page) {
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished)));
}

for (const { name, open, still } of SCREENS) {
  test(`${name} has no barrier, in light and in dark`, async ({ page, people, watch }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await open(page, people);
    if (!still) await watch.awake(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await animationsFinished(page);
      expect.soft(await violations(page), colorScheme).toEqual([]);
    }
  });
}

for (const path of ['/api/docs/', '/api/docs/errors/']) {
  test(`${path} has no barrier, in light and in dark, and fits a telephone`, async ({ page }) => {
    // Thousands of elements, twice.
    test.setTimeout(240_000);
    await page.setViewportSize({ width: 320, height: 800 });
    await page.goto(path);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect.soft(await violations(page), colorScheme).toEqual([]);
    }
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' } });

    test('every button stays readable under the pointer', async ({ page, people }) => {
      await (await people.superadmin()).signIn(page);
      await page.goto('/subscription-plans');
      const hover = async (role: 'button' | 'link', name: string) => {
        await page.getByRole(role, { name }).hover();
        await animationsFinished(page);
        expect.soft(await violations(page), name).toEqual([]);
      };
      await hover('link', 'Create plan');
      await hover('button', 'Archive Pro');
      await page.getByRole('button', { name: 'Archive Pro' }).click();
      await hover('button', 'Archive plan');
    });

    test("the checkout has none in its mistakes, the bank's question and its end", async ({ page, people }) => {
      await (await people.admin()).signIn(page);
      await page.goto('/subscribe');
      await page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' }).click();
      const pay = page.getByRole('button', { name: /^Pay/ });
      await expect(pay).toBeEnabled();
      expect.soft(await violations(page)).toEqual([]);
      await pay.click();
      await expect(cardFrame(page).contentFrame().getByText('Your card number is incomplete.')).toBeVisible();
      expect.soft(await violations(page)).toEqual([]);
      await typeCard(page, CARDS.declined);
      await pay.click();
      await expect(page.getByRole('alert')).toBeVisible();
      expect.soft(await violations(page)).toEqual([]);

      await typeCard(page, CARDS.needs3dSecure);
      await pay.click();
      const question = challenge(page).dialog.locator('iframe').contentFrame();
      await expect(question.getByRole('heading', { level: 1 })).toBeVisible();
      expect.soft(await violations(page)).toEqual([]);

      await challenge(page).approve();
      await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
      expect.soft(await violations(page)).toEqual([]);
    });
  });
}
