// Typing a card into Stripe's element, and answering the bank.

import type { Page } from '@playwright/test';

export const CARDS = {
  pays: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  needs3dSecure: '4000 0027 6000 3184',
};

/** The element's frame, by where it is in the page. */
export function cardFrame(page: Page) {
  return page.locator('#payment-element iframe');
}

export async function typeCard(page: Page, number: string) {
  const fields = cardFrame(page).contentFrame();
  // Key by key, as people do: the fields write their own spaces and move on by themselves.
  await fields.getByLabel('Card number').fill('');
  await fields.getByLabel('Card number').pressSequentially(number.replaceAll(' ', ''));
  await fields.getByLabel('Expiration date').fill('');
  await fields.getByLabel('Expiration date').pressSequentially('1234');
  await fields.getByLabel('Security code').fill('');
  await fields.getByLabel('Security code').pressSequentially('123');
}

/** The bank's question, where it asks one. */
export function challenge(page: Page) {
  const dialog = page.getByRole('dialog', { name: '3D Secure authentication' });
  const question = dialog.locator('iframe').contentFrame();
  return {
    dialog,
    approve: () => question.getByRole('button', { name: 'Complete authentication' }).click(),
    fail: () => question.getByRole('button', { name: 'Fail authentication' }).click(),
  };
}
