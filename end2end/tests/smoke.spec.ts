import { expect, test } from '../fixtures';

test('the first page arrives with its style sheet and without a mistake in the console', async ({ page }) => {
  const mistakes: string[] = [];
  page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()));
  page.on('pageerror', (error) => mistakes.push(error.message));

  const response = await page.goto('/login');
  expect(response?.status()).toBe(200);
  await expect(page).toHaveTitle(/Tollgate/);
  const styles = await page.evaluate(() => [...document.styleSheets].map((sheet) => sheet.cssRules.length));
  expect(styles.length).toBeGreaterThan(0);
  expect(Math.min(...styles)).toBeGreaterThan(0);
  await page.waitForLoadState('networkidle');
  expect(mistakes).toEqual([]);
});

test('every file the page names is there, compressed, and kept for ever', async ({ page, request }) => {
  await page.goto('/login');
  const addresses = await page.evaluate(() =>
    [...document.querySelectorAll('link[href*="/pkg/"], script[src*="/pkg/"]')].map(
      (element) => element.getAttribute('href') ?? element.getAttribute('src') ?? '',
    ),
  );
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) {
    const response = await request.get(address, { headers: { 'Accept-Encoding': 'br' } });
    expect(response.status(), address).toBe(200);
    expect(response.headers()['cache-control'], address).toContain('immutable');
    expect(response.headers()['content-encoding'], address).toBe('br');
  }
});
