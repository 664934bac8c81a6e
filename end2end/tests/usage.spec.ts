import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { countLoads } from './support/watch';

const bar = (page: Page, name: 'LLM tokens' | 'Voice tokens') => page.getByRole('progressbar', { name });

async function expectBar(page: Page, name: 'LLM tokens' | 'Voice tokens', percent: number, level: string) {
  await expect(bar(page, name)).toHaveAttribute('aria-valuenow', String(percent));
  await expect(bar(page, name)).toHaveAttribute('data-level', level);
}

/** A bar's colour as red, green and blue, however the style sheet writes it. */
function colour(page: Page, name: 'LLM tokens' | 'Voice tokens') {
  return bar(page, name)
    .locator('.bar__used')
    .evaluate((rect) => {
      const context = document.createElement('canvas').getContext('2d')!;
      context.fillStyle = getComputedStyle(rect).fill;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
      return { red, green, blue };
    });
}

async function expectGreen(page: Page, name: 'LLM tokens' | 'Voice tokens') {
  await expect(async () => {
    const { red, green, blue } = await colour(page, name);
    expect(green).toBeGreaterThan(red);
    expect(green).toBeGreaterThan(blue);
  }).toPass();
}

async function expectYellow(page: Page, name: 'LLM tokens' | 'Voice tokens') {
  await expect(async () => {
    const { red, green, blue } = await colour(page, name);
    expect(red).toBeGreaterThan(2 * blue);
    expect(green).toBeGreaterThan(red / 2);
  }).toPass();
}

async function expectRed(page: Page, name: 'LLM tokens' | 'Voice tokens') {
  await expect(async () => {
    const { red, green, blue } = await colour(page, name);
    expect(red).toBeGreaterThan(1.5 * green);
    expect(red).toBeGreaterThan(1.5 * blue);
  }).toPass();
}

for (const email of ['admin@acme.test', 'member@acme.test']) {
  test(`${email} reads how full the allowance is`, async ({ page, people, watch }) => {
    const person = await people.demo(email);
    await person.signIn(page);
    await page.goto('/usage');

    await expectBar(page, 'LLM tokens', 75, 'ok');
    await expectBar(page, 'Voice tokens', 86, 'warning');
    await expectGreen(page, 'LLM tokens');
    await expectYellow(page, 'Voice tokens');

    const llm = page.locator('section').filter({ has: bar(page, 'LLM tokens') });
    for (const text of ['75 %', '75,234', '24,766', '100,000']) await expect(llm).toContainText(text);
    const voice = page.locator('section').filter({ has: bar(page, 'Voice tokens') });
    for (const text of ['86 %', '42,891', '7,109', '50,000']) await expect(voice).toContainText(text);
    for (const figure of ['Used', 'Held', 'Left']) await expect(llm.getByText(figure, { exact: true })).toBeVisible();

    await expect(page.getByRole('alert')).toHaveCount(1);
    await expect(page.getByRole('alert')).toContainText('Voice tokens');
    await expect(page.getByRole('alert')).toContainText('Consider upgrading');

    const side = page.getByRole('complementary', { name: 'Plan' });
    await expect(page.getByRole('article', { name: 'Pro' })).toContainText('$79.99');
    await expect(page.getByText('Suggested plan')).toBeVisible();
    await expect(side).toContainText('Period');
    const { period_end: end } = await person.usage();
    const reset = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(end));
    await expect(side.getByRole('definition').filter({ hasText: /^in \d+ days, on / })).toContainText(
      reset.replace('Sept', 'Sep'),
    );

    await expect(page.getByRole('table', { name: 'Usage in earlier periods' }).getByRole('row')).toHaveCount(4);
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    expect(watch.mistakes).toEqual([]);
  });
}

test("another member's spending moves the bars of every open page, through every level", async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  const spender = await people.member(admin, 'Spender');
  const onlooker = await people.member(admin, 'Onlooker');
  await admin.signIn(page);
  const second = await people.page();
  await onlooker.signIn(second);
  const pages = [page, second];
  for (const each of pages) {
    await each.goto('/usage');
    await expect(each.getByText('Live', { exact: true })).toBeVisible();
    await expectBar(each, 'LLM tokens', 0, 'ok');
    await expect(each.getByRole('alert')).toHaveCount(0);
  }
  const loads = pages.map(countLoads);

  await spender.spend('llm', 79_000);
  for (const each of pages) {
    await expectBar(each, 'LLM tokens', 79, 'ok');
    await expectGreen(each, 'LLM tokens');
    await expect(each.getByRole('alert')).toHaveCount(0);
    await expect(each.getByRole('article', { name: 'Pro' })).toHaveCount(0);
  }

  await spender.spend('llm', 1_000);
  for (const each of pages) {
    await expectBar(each, 'LLM tokens', 80, 'warning');
    await expectYellow(each, 'LLM tokens');
    await expect(each.getByRole('alert')).toContainText('Consider upgrading');
    await expect(each.getByRole('article', { name: 'Pro' })).toBeVisible();
  }

  await spender.spend('voice', 60_000);
  for (const each of pages) {
    // More than the limit shows as the limit.
    await expectBar(each, 'Voice tokens', 100, 'limit');
    await expectRed(each, 'Voice tokens');
    await expect(each.getByRole('alert')).toHaveCount(2);
    await expect(each.getByRole('alert').filter({ hasText: 'Limit reached' })).toContainText('Voice tokens');
  }

  await spender.spend('llm', 20_000);
  for (const each of pages) {
    await expectBar(each, 'LLM tokens', 100, 'limit');
    await expect(each.getByRole('alert').filter({ hasText: 'Limit reached' })).toHaveCount(2);
    await expect(each.getByText('Consider upgrading')).toHaveCount(0);
  }
  expect(loads.map((count) => count()), 'no page was loaded anew').toEqual([0, 0]);
  expect(watch.mistakes).toEqual([]);

  // A fresh page agrees.
  await page.reload();
  await expectBar(page, 'LLM tokens', 100, 'limit');
  await expectBar(page, 'Voice tokens', 100, 'limit');
});

test('an unlimited allowance has figures and no percentage', async ({ page, people }) => {
  const name = `Endless ${Date.now()}`;
  await people.plan({ name, price: '2.00', llm_tokens_limit: null, voice_tokens_limit: 0 });
  const admin = await people.subscriber(name);
  await admin.spend('llm', 1_234_567);
  await admin.signIn(page);
  await page.goto('/usage');
  await expectBar(page, 'LLM tokens', 0, 'ok');
  const llm = page.locator('section').filter({ has: bar(page, 'LLM tokens') });
  await expect(llm).toContainText('1,234,567');
  await expect(llm).toContainText('Unlimited');
  await expect(llm).not.toContainText('%');
  // What isn't in the plan is no reason for a warning.
  await expectBar(page, 'Voice tokens', 0, 'ok');
  await expect(page.locator('section').filter({ has: bar(page, 'Voice tokens') })).toContainText('Not in this plan');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.getByText('Suggested plan')).toHaveCount(0);
  const check = await (await admin.api.get('/api/subscriptions/subscriptions/check_limits/')).json();
  expect(check).toMatchObject({ allowed: { llm: true, voice: false }, warnings: [], suggested_plan: null });
});

test('the figure is never rounded up to a threshold that is not reached', async ({ page, people }) => {
  const name = `Round ${Date.now()}`;
  await people.plan({ name, price: '2.00', llm_tokens_limit: 500, voice_tokens_limit: 500 });
  const admin = await people.subscriber(name);
  await admin.spend('llm', 399);
  await admin.spend('voice', 499);
  await admin.signIn(page);
  await page.goto('/usage');
  await expectBar(page, 'LLM tokens', 79, 'ok');
  await expectBar(page, 'Voice tokens', 99, 'warning');
  await expect(page.getByText('79 %', { exact: true })).toBeVisible();
  await expect(page.getByText('99 %', { exact: true })).toBeVisible();
  expect((await admin.usage()).voice.percentage).toBe(99.8);
});

test('a group without a subscription is told what to do, by role', async ({ page, people }) => {
  await (await people.demo('admin@newco.test')).signIn(page);
  await page.goto('/usage');
  await expect(page.getByRole('heading', { name: 'Your group has no subscription' })).toBeVisible();
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await page.getByRole('link', { name: 'Choose a plan' }).click();
  await expect(page).toHaveURL('/subscribe');
  for (const plan of ['Basic', 'Pro', 'Scale']) {
    await expect(page.getByRole('article', { name: plan }).getByRole('button', { name: 'Subscribe' })).toBeVisible();
  }

  const other = await people.page();
  await (await people.demo('member@newco.test')).signIn(other);
  await other.goto('/usage');
  await expect(other.getByText(/^Ask an admin of your group to choose a plan: \w+ \w+\.$/)).toBeVisible();
  await expect(other.getByRole('link', { name: 'Choose a plan' })).toHaveCount(0);
});
