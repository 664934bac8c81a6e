// A plan's trial: what its card says, the card that is kept for later, and a group's second purchase.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';
import { CARDS, cardFrame, challenge, typeCard } from './support/card';
import { countLoads } from './support/watch';

const TERMS = { price: '29.99', trial_days: 14, llm_tokens_limit: 100_000, voice_tokens_limit: 50_000 };

test('a trial keeps a card without a charge, is cancelled, and is no trial the second time', async ({ page, people, watch }) => {
  const plan = await people.plan({ ...TERMS, name: `Trial ${randomUUID().slice(0, 8)}` });
  const admin = await people.admin();
  await admin.signIn(page);
  await page.goto('/subscribe');
  const card = page.getByRole('article', { name: plan.name });
  await expect(card).toContainText('14 days free, then $29.99 a month');
  await card.getByRole('button', { name: 'Subscribe' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Your trial of ${plan.name} has begun`);
  expect(await admin.subscription()).toMatchObject({ status: 'trialing' });

  await expect(cardFrame(page).contentFrame().getByLabel('Card number')).toBeVisible();
  const loads = countLoads(page);
  await typeCard(page, CARDS.needs3dSecure);
  await page.getByRole('button', { name: 'Save card' }).click();
  await challenge(page).approve();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your card is saved');
  await expect(page.getByText('From then on it is charged, $29.99 per month.')).toBeVisible();
  expect(loads(), 'the page was never loaded anew').toBe(0);
  expect(watch.mistakes).toEqual([]);

  await page.goto('/subscribe');
  await expect(page.getByText('Until then it can be canceled at no cost.')).toBeVisible();
  await expect(page.getByText('First charge on')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel subscription' }).first().click();
  const dialog = page.getByRole('dialog', { name: `Cancel ${plan.name}?` });
  await expect(dialog).toContainText("can't be taken up again: a group has one");
  await dialog.getByRole('radio', { name: /^Now/ }).check();
  await dialog.getByRole('button', { name: 'Cancel subscription' }).click();

  await expect(page.getByText(`The subscription to ${plan.name} was canceled.`)).toBeVisible();
  await page.goto('/subscribe');
  await expect(page.getByRole('heading', { name: 'Choose a plan' })).toBeVisible();
  await expect(card).not.toContainText('free');
  await card.getByRole('button', { name: 'Subscribe' }).click();
  await expect(page.getByRole('button', { name: 'Pay $29.99' })).toBeVisible();
});

test('a plan is given its trial days in the editor, which the card beside it shows', async ({ page, people }) => {
  await (await people.superadmin()).signIn(page);
  await page.goto('/subscription-plans?new=1');
  await page.getByLabel('Price', { exact: true }).fill('9.99');
  await page.getByLabel('Trial days').fill('731');
  await expect(page.getByText('Trial days must be 0 to 730.')).toBeVisible();
  await page.getByLabel('Trial days').fill('30');
  await expect(page.getByRole('complementary', { name: 'Preview' })).toContainText('30 days free, then $9.99 a month');
});
