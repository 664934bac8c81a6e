// What a confirmation has to be.

import { expect } from '@playwright/test';
import type { Locator } from '@playwright/test';

/** That a dialog is open and keeps the rest of the page from being used. */
export async function expectModal(dialog: Locator) {
  await expect(dialog).toBeVisible();
  expect(await dialog.evaluate((element) => element.matches(':modal'))).toBe(true);
}
