// The front page, for who isn't signed in.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';

test('it says what this is, shows it, and sells the plans', async ({ page, people, watch, baseURL }) => {
  const name = `Shown ${randomUUID().slice(0, 8)}`;
  await people.plan({ name, price: '7.00', llm_tokens_limit: 1_000, voice_tokens_limit: 0, max_users: 3, features: ['Friendly support'] });
  expect((await page.goto('/'))?.status()).toBe(200);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.locator('link[rel=canonical]')).toHaveAttribute('href', `${baseURL}/`);
  await expect(page.locator('meta[name=robots]')).toHaveAttribute('content', 'index, follow');
  await expect(page.locator('meta[name=description]')).toHaveAttribute('content', /.{50,160}/);

  const plan = page.getByRole('article', { name });
  for (const said of ['$7.00', '1,000 LLM tokens', 'Not in this plan', '3 users', 'Friendly support']) {
    await expect(plan).toContainText(said);
  }
  await plan.getByRole('link', { name: `Get started with ${name}` }).click();
  await expect(page).toHaveURL('/signup');
  await page.goBack();
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
  await expect(page).toHaveURL('/login');
  expect(watch.mistakes).toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [shape, width] of [['wide', 1280], ['narrow', 390]] as const) {
    test(`its picture is the ${shape} one in ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.goto('/');
      const picture = page.getByRole('img', { name: /^The usage page/ });
      await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBeTruthy();
      const { file, natural, shown } = await picture.evaluate((image: HTMLImageElement) => ({
        file: new URL(image.currentSrc).pathname,
        natural: image.naturalWidth / image.naturalHeight,
        shown: image.clientWidth / image.clientHeight,
      }));
      expect(file).toBe(`/pictures/usage-${shape}-${colorScheme}.webp`);
      expect(shown, 'not squeezed').toBeCloseTo(natural, 1);
    });
  }
}

test('it asks for nothing but its style sheet and its pictures', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.resourceType()));
  await page.goto('/', { waitUntil: 'networkidle' });
  expect([...new Set(asked)].filter((kind) => !['document', 'stylesheet', 'image', 'other'].includes(kind))).toEqual([]);
});
