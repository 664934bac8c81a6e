import { defineConfig } from '@playwright/test';

import { CHROMIUM, CHROMIUM_ARGUMENTS } from './server.mjs';

export default defineConfig({
  testDir: './tests',
  outputDir: '../target/end2end/artifacts',
  forbidOnly: !!process.env.CI,
  // A test that needs a second attempt is a test that sometimes fails.
  retries: 0,
  workers: 2,
  // A limit against hanging, not a measure of speed: axe on two busy cores takes its time.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS },
    screenshot: 'only-on-failure',
    // Costs a sixth of the time; `npx playwright test --trace=on` where the picture isn't enough.
    trace: 'off',
  },
});
