import AxeBuilder from '@axe-core/playwright';

import { expect, test } from '../fixtures';
import { CARDS, cardFrame, challenge, typeCard } from './support/card';
import { PLACES } from './support/places';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

type Page = ConstructorParameters<typeof AxeBuilder>[0]['page'];

/** What axe has to say about a page, frames included: the rule, where, and why. */
async function violations(page: Page) {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    // Nothing half faded in: colours are judged as they stay.
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' } });

    for (const { name, open } of PLACES) {
      test(`${name} has no barrier`, async ({ page, people, watch }) => {
        await open(page, people);
        await watch.awake(page);
        expect(await violations(page)).toEqual([]);
      });
    }

    test("the checkout has none in its mistakes, the bank's question and its end", async ({ page, people }) => {
      await (await people.admin()).signIn(page);
      await page.goto('/subscribe');
      await page.getByRole('article', { name: 'Basic' }).getByRole('button', { name: 'Subscribe' }).click();
      const pay = page.getByRole('button', { name: /^Pay/ });
      await expect(pay).toBeEnabled();
      await pay.click();
      await expect(cardFrame(page).contentFrame().getByText('Your card number is incomplete.')).toBeVisible();
      await typeCard(page, CARDS.declined);
      await pay.click();
      await expect(page.getByRole('alert')).toBeVisible();
      expect(await violations(page)).toEqual([]);

      await typeCard(page, CARDS.needs3dSecure);
      await pay.click();
      const question = challenge(page).dialog.locator('iframe').contentFrame();
      await expect(question.getByRole('heading', { level: 1 })).toBeVisible();
      expect(await violations(page)).toEqual([]);

      await challenge(page).approve();
      await expect(page.getByRole('heading', { name: "You're subscribed" })).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });
  });
}
