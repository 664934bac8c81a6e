// Where the tokens went: the days, who and what, what is to be expected, and the events behind the figures.

import { randomUUID } from 'node:crypto';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { body } from './support/people';
import type { Person } from './support/people';

const BREAKDOWN = '/api/subscriptions/usage/breakdown/';
const EVENTS = '/api/subscriptions/usage/events/';

const digits = (count: number) => count.toLocaleString('en-US');
const table = (page: Page, name: string) => page.getByRole('table', { name });
const llm = (page: Page) => page.locator('section').filter({ has: page.getByRole('progressbar', { name: 'LLM tokens' }) });

async function breakdown(person: Person, by: string) {
  return body(await person.api.get(`${BREAKDOWN}?by=${by}`));
}

test('an admin sees when, who and what, and finds the events behind a figure', async ({ page, people, watch }) => {
  const admin = await people.demo('admin@acme.test');
  await admin.signIn(page);
  await page.goto('/usage');

  // When: a picture for those who see it, and a table for those who don't.
  const { total, rows: days } = await breakdown(admin, 'day');
  expect([total.llm, total.voice]).toEqual([75_234, 42_891]);
  const picture = page.getByRole('img', { name: /^LLM tokens by day\. Most on \d+ \w+: [\d,]+ · even pace: [\d,]+ a day\.$/ });
  await expect(picture).toBeVisible();
  await expect(page.getByRole('img', { name: /^Voice tokens by day\./ })).toBeVisible();
  await page.getByText('The days as a table').click();
  const last = days.at(-1);
  const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const name = date.format(new Date(last.key)).replace('Sept', 'Sep');
  const day = table(page, 'Usage by day').getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  await expect(day).toContainText(digits(last.llm));
  await expect(day).toContainText(digits(last.voice));

  // Who and what, each at an address of its own.
  for (const [tab, by] of [['Members', 'member'], ['Models', 'model'], ['Keys', 'key']]) {
    await page.getByRole('navigation', { name: 'Break down by' }).getByRole('link', { name: tab }).click();
    await expect(page).toHaveURL(`/usage?by=${by}#shares`);
    const { rows } = await breakdown(admin, by);
    for (const row of rows) {
      const name = page.getByRole('rowheader', { name: row.label, exact: true });
      const shown = table(page, `Usage by ${by}`).getByRole('row').filter({ has: name });
      for (const kind of ['llm', 'voice'].filter((kind) => row[kind] > 0)) {
        await expect(shown).toContainText(digits(row[kind]));
        await expect(shown).toContainText(`${Math.round((row[kind] * 100) / total[kind])} %`);
      }
    }
  }

  // The events behind a figure.
  await page.getByRole('navigation', { name: 'Break down by' }).getByRole('link', { name: 'Members' }).click();
  await table(page, 'Usage by member').getByRole('link', { name: 'Ben Castillo' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
  await expect(page.getByLabel('Member')).toHaveValue(/.+/);
  const events = table(page, 'Events').getByRole('row');
  await expect(events.filter({ hasNotText: 'Ben Castillo' })).toHaveCount(1, { timeout: 1_000 });
  const { rows: members } = await breakdown(admin, 'member');
  const ben = members.find(({ label }: { label: string }) => label === 'Ben Castillo');
  const seen = await pageThrough(page);
  expect(seen).toBe(ben.events);
  expect(watch.mistakes).toEqual([]);
});

/** Counts the events from this page on to the oldest. */
async function pageThrough(page: Page) {
  const older = page.getByRole('link', { name: 'Older events' });
  let count = 0;
  for (;;) {
    count += (await table(page, 'Events').getByRole('row').count()) - 1;
    if ((await older.count()) === 0) return count;
    const before = page.url();
    await older.click();
    await expect(page).not.toHaveURL(before);
  }
}

test('the list of events is narrowed by its filters, and shows what each is made of', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin, 'Spender');
  const details = { input: 30, cached_input: 10, output: 2 };
  const data = [
    { id: randomUUID(), usage_type: 'llm', tokens_used: 42, model: 'gpt-5', details, estimated: true },
    { id: randomUUID(), usage_type: 'voice', tokens_used: 7 },
  ];
  await body(await member.api.post(EVENTS, { data }));
  await admin.spend('llm', 1_000);
  await admin.signIn(page);
  await page.goto('/usage/events');
  const events = table(page, 'Events').getByRole('row');
  await expect(events).toHaveCount(4);
  await page.getByLabel('Model').selectOption('gpt-5');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(events).toHaveCount(2);
  for (const text of ['Spender', 'gpt-5', 'LLM', '42', 'input 30 · cached input 10 · output 2', 'estimated', data[0].id]) {
    await expect(events.last()).toContainText(text);
  }
  await page.getByLabel('Kind').selectOption('Voice tokens');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page.getByText('No events.')).toBeVisible();
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(events).toHaveCount(4);
  await page.goto('/usage/events?from=yesterday');
  await expect(page.getByRole('alert')).toHaveText("From isn't a time.");
});

test('a member sees the group whole, and of members, keys and events its own', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin, 'Max Member');
  await admin.spend('llm', 600);
  await member.spend('llm', 200);
  await member.signIn(page);
  await page.goto('/usage');
  const shares = table(page, 'Usage by member');
  await expect(shares.getByRole('row').filter({ hasText: 'Max Member' })).toContainText('25 %');
  await expect(shares.getByRole('row').filter({ hasText: 'Others' })).toContainText('75 %');
  await expect(shares).not.toContainText('Ada Admin');
  await page.getByRole('link', { name: 'See every event' }).click();
  await expect(table(page, 'Events').getByRole('row')).toHaveCount(2);
  await expect(page.getByLabel('Member')).toHaveCount(0);
});

test('what is to be expected, and what happens at the limit, is said in words', async ({ page, people }) => {
  await (await people.demo('admin@acme.test')).signIn(page);
  await page.goto('/usage');
  const expected = llm(page).getByText(/^At this pace \d+ % \(\d+ to \d+ %\) by \d+ \w+(, runs out on \d+ \w+ \(.+\))?\.$/);
  await expect(expected).toBeVisible();
  // Hatched beyond what is used.
  const width = async (part: string) => (await llm(page).locator(part).boundingBox())!.width;
  expect(await width('.bar__ahead')).toBeGreaterThan(await width('.bar__used'));
  await expect(page.getByRole('complementary', { name: 'Plan' })).toContainText('At 100 % new requests are refused until the reset');

  // A group's first day says nothing yet.
  const admin = await people.subscriber('Basic');
  await admin.spend('llm', 10);
  const fresh = await people.page();
  await admin.signIn(fresh);
  await fresh.goto('/usage');
  await expect(llm(fresh)).toContainText('10');
  await expect(fresh.getByText(/^At this pace/)).toHaveCount(0);
});

test("a member's own cap and what is held move while the page is open", async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin, 'Capped');
  const { id } = await body(await member.api.get('/api/auth/me/'));
  await body(await admin.api.put(`/api/team/members/${id}/caps/`, { data: { llm: 5_000, voice: null } }));
  await member.signIn(page);
  await page.goto('/usage');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const cap = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Your own cap' }) });
  await expect(cap).toContainText('0 of 5,000 used, 0 held, 5,000 left');
  const hold = { usage_type: 'llm', tokens: 1_500 };
  await body(await member.api.post('/api/subscriptions/usage/holds/', { data: hold }));
  await expect(cap).toContainText('0 of 5,000 used, 1,500 held, 3,500 left');
  await expect(llm(page)).toContainText('98,500');
  await member.spend('llm', 500);
  await expect(cap).toContainText('500 of 5,000 used, 1,500 held, 3,000 left');
  await expect(cap.getByRole('progressbar', { name: 'Your cap, LLM' })).toHaveAttribute('aria-valuenow', '10');
});

test('without JavaScript it is all there', async ({ browser, people }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: people.url });
  const page = await context.newPage();
  await (await people.demo('admin@acme.test')).signIn(page);
  await page.goto('/usage?by=model');
  await expect(table(page, 'Usage by model')).toContainText('gpt-5-mini');
  await expect(llm(page).getByText(/^At this pace/)).toBeVisible();
  await page.getByRole('link', { name: 'See every event' }).click();
  await page.getByLabel('Kind').selectOption('Voice tokens');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(table(page, 'Events')).toContainText('whisper-1');
  await context.close();
});
