// A program is connected: the snippets of the page, run as they stand there.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';

const run = promisify(execFile);

const WAYS = {
  gateway: 'Call the model through the gateway',
  report: 'Report what was spent',
  hold: 'Ask first',
};

/** Where Python is, with `openai` among its packages. */
const PYTHON = process.env.PYTHON || 'python3';

/** How a snippet of each language is run; Node in this folder, so that `openai` is found in its packages. */
const RUNNERS = {
  curl: (code: string) => run('sh', ['-ec', code.replaceAll('curl ', 'curl --fail-with-body --silent --show-error ')]),
  Python: (code: string) => run(PYTHON, ['-c', code]),
  Node: (code: string) => run('node', ['--input-type=module', '--eval', code]),
};

type Language = keyof typeof RUNNERS;

/** The snippet of a way in a language, as a reader copies it. */
async function snippet(page: Page, way: keyof typeof WAYS, language: Language) {
  await page.getByText(language, { exact: true }).locator('visible=true').first().click();
  const section = page.getByRole('heading', { name: WAYS[way] }).locator('..');
  const shown = section.locator('figure:visible');
  await expect(shown).toHaveCount(1);
  await expect(shown.locator('figcaption')).toContainText(language);
  return shown.locator('pre').innerText();
}

test('each snippet runs as it is, and its tokens are counted', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/usage');
  await expect(page.getByText('Waiting for your first event…')).toBeVisible();
  await page.getByRole('button', { name: 'Create a key and fill it in' }).click();
  await expect(page).toHaveURL('/settings/api-keys');
  const key = await page.getByLabel('API key').inputValue();
  await expect(page.getByText('Waiting for your first event…')).toBeVisible();

  const used = async () => (await admin.usage()).llm.used;
  for (const language of Object.keys(RUNNERS) as Language[]) {
    for (const way of ['report', 'hold'] as const) {
      const code = await snippet(page, way, language);
      expect(code).toContain(key);
      const before = await used();
      const { stdout } = await RUNNERS[language](code);
      expect(stdout, `${way} in ${language}`).toContain('usage');
      expect(await used(), `${way} in ${language}`).toBe(before + 1_200);
      // What comes quickly one after the other is told of at once, so the first is awaited before the second is sent.
      await expect(page.getByText('It works: 1,200 LLM tokens arrived.')).toBeVisible();
    }
  }
  expect(watch.mistakes).toEqual([]);

  // Nothing to wait for any more.
  await page.goto('/usage');
  await expect(page.getByText('Waiting for your first event…')).toHaveCount(0);
});

test('the gateway takes the snippets of every language', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/usage');
  await page.getByRole('button', { name: 'Create a key and fill it in' }).click();
  for (const language of Object.keys(RUNNERS) as Language[]) {
    const before = (await admin.usage()).llm.used;
    const { stdout } = await RUNNERS[language](await snippet(page, 'gateway', language));
    expect(stdout.trim(), language).not.toBe('');
    expect((await admin.usage()).llm.used, language).toBeGreaterThan(before);
  }
});

test('a snippet is copied, and one is chosen without JavaScript too', async ({ page, people, browser, baseURL }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/settings/api-keys');
  await expect(page.getByText('Create a key, and it is filled in here.')).toBeVisible();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const code = await snippet(page, 'report', 'Python');
  await page.getByRole('button', { name: `Copy: ${WAYS.report}, Python` }).click();
  await expect(page.getByText('Copied', { exact: true })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);

  const context = await browser.newContext({ javaScriptEnabled: false, baseURL });
  const plain = await context.newPage();
  await admin.signIn(plain);
  await plain.goto('/settings/api-keys');
  expect(await snippet(plain, 'hold', 'Node')).toContain('fetch(');
  await expect(plain.getByRole('button', { name: /^Copy/ })).toHaveCount(0);
  await context.close();
});
