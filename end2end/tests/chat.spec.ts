// A member talks with a model: streamed, kept, spoken, and stopped by a limit.

import { randomUUID } from 'node:crypto';

import type { Page } from '@playwright/test';

import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../server.mjs';
import { expect, test } from '../fixtures';
import { body } from './support/people';

// A microphone that hums, which nobody is asked about.
const MICROPHONE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
test.use({ launchOptions: { executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS, ...MICROPHONE] } });

const field = (page: Page) => page.getByRole('textbox', { name: 'Message' });
const answers = (page: Page) => page.getByRole('article', { name: 'Answer' });
const send = (page: Page) => page.getByRole('button', { name: 'Send' });

async function ask(page: Page, question: string) {
  await field(page).fill(question);
  // What is typed before the page is awake is kept until it is.
  await expect(send(page)).toBeEnabled();
  await field(page).press('Enter');
}

/** Waits until the last of so many answers is whole: what it cost stands below it. */
async function answered(page: Page, count: number) {
  await expect(answers(page)).toHaveCount(count);
  await expect(answers(page).last().locator('footer')).toContainText(/[\d,]+ tokens/);
}

/** The server's refusal of a question, in the gateway's form. */
async function refuse(page: Page, status: number, error: Record<string, unknown>) {
  await page.route('**/v1/chat/completions', (route) => route.fulfill({ status, json: { error } }));
}

test('a conversation is streamed, kept, counted to the token, and goes on', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/chat');
  await expect(page.getByText('100,000 LLM tokens left')).toBeVisible();
  await ask(page, 'How do I cook rice?');
  await expect(page).toHaveURL(/\/chat\/[0-9a-f-]{36}$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('How do I cook rice?');
  await answered(page, 1);
  await expect(answers(page).first()).not.toHaveText('');

  // What stands below the answer is what the ledger says.
  const said = await answers(page).first().locator('footer span').first().textContent();
  const cost = Number(/([\d,]+) tokens/.exec(said!)![1].replace(',', ''));
  expect((await admin.usage()).llm.used).toBe(cost);
  const left = new Intl.NumberFormat('en-US').format(100_000 - cost);
  await expect(page.getByText(`${left} LLM tokens left`)).toBeVisible();

  const first = page.url();
  await ask(page, 'And pasta?');
  await answered(page, 2);
  expect(page.url(), 'the page stays').toBe(first);
  await page.reload();
  await expect(answers(page)).toHaveCount(2);
  await expect(page.getByText('And pasta?')).toBeVisible();

  await page.getByRole('link', { name: 'New', exact: true }).click();
  await page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name: 'How do I cook rice?' }).click();
  await expect(page).toHaveURL(first);
  expect(watch.mistakes).toEqual([]);
});

test('an answer is stopped, and what came of it is kept and paid', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/chat');
  await ask(page, 'Tell me a very long story about a lighthouse, in at least a thousand words.');
  const stop = page.getByRole('button', { name: 'Stop' });
  await expect(stop).toBeVisible();
  await expect(answers(page).last().locator('.message__body')).not.toHaveText('Thinking…');
  await stop.click();
  await expect(page.getByText('Stopped.')).toBeVisible();
  await expect(send(page)).toBeVisible();
  await expect.poll(async () => (await admin.usage()).llm).toMatchObject({ held: 0 });
  expect((await admin.usage()).llm.used).toBeGreaterThan(0);
  await page.reload();
  await expect(answers(page)).toHaveCount(1);
  await expect(page.getByText('This question has no answer yet.')).toHaveCount(0);
});

test('what can go wrong is said, and the question can be asked again', async ({ page, people }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/chat');
  await refuse(page, 502, { message: 'The model is overloaded.', type: 'server_error', code: null });
  await ask(page, 'Hello?');
  const notice = page.getByRole('alert').filter({ hasText: 'No answer came.' });
  await expect(notice).toContainText('The model is overloaded.');
  await expect(answers(page)).toHaveCount(0);

  // The question is kept, and so is that it has no answer.
  await page.reload();
  await expect(page.getByText('This question has no answer yet.')).toBeVisible();
  await page.unroute('**/v1/chat/completions');
  await page.getByRole('button', { name: 'Try again' }).click();
  await answered(page, 1);

  await page.context().setOffline(true);
  await ask(page, 'Are you there?');
  await expect(page.getByRole('alert').filter({ hasText: 'You are offline.' })).toBeVisible();
  await expect(field(page), 'what was typed is not lost').toHaveValue('Are you there?');
  await page.context().setOffline(false);
  await send(page).click();
  await answered(page, 2);
});

test('an answer is harmless, whatever it is', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/chat');
  const text = '# Title\n\n<img src=x onerror="document.title=1"> **bold** [link](javascript:alert(1))\n\n```js\nlet a = 1;\n```';
  const events = [{ choices: [{ delta: { content: text } }] }, { choices: [], usage: { total_tokens: 7 } }];
  const stream = [...events.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
  await page.route('**/v1/chat/completions', (route) =>
    route.fulfill({ headers: { 'content-type': 'text/event-stream' }, body: stream }),
  );
  await ask(page, 'Write something bad.');
  await answered(page, 1);
  const answer = answers(page).first();
  await expect(answer.getByRole('heading', { name: 'Title' })).toBeVisible();
  await expect(answer.locator('strong')).toHaveText('bold');
  await expect(answer.locator('img')).toHaveCount(0);
  await expect(answer.getByRole('link', { name: 'link' })).toHaveCount(0);

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await answer.getByRole('figure').getByRole('button', { name: 'Copy' }).click();
  await expect(answer.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect((await page.evaluate(() => navigator.clipboard.readText())).trim()).toBe('let a = 1;');
  expect(watch.mistakes).toEqual([]);
});

test('a question is spoken and an answer read aloud, both counted', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.signIn(page);
  await page.goto('/chat');
  const speak = page.getByRole('button', { name: 'Speak' });
  await expect(speak).toBeEnabled();
  await speak.click();
  await expect(page.getByText(/^Listening\./)).toBeVisible();
  await page.getByRole('button', { name: 'Stop and write it down' }).click();
  await expect(field(page), 'the words wait to be looked at').not.toHaveValue('');
  await expect.poll(async () => (await admin.usage()).voice.used).toBeGreaterThan(0);
  const heard = (await admin.usage()).voice.used;

  await field(page).fill('Say one short sentence.');
  await send(page).click();
  await answered(page, 1);
  const read = page.getByRole('button', { name: 'Read aloud' });
  await read.click();
  await expect(read).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(async () => (await admin.usage()).voice.used).toBeGreaterThan(heard);
  await read.click();
  await expect(read).toHaveAttribute('aria-pressed', 'false');
  expect(watch.mistakes).toEqual([]);
});

test('without a microphone the way on is said', async ({ page, people }) => {
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));
  });
  await (await people.subscriber('Basic')).signIn(page);
  await page.goto('/chat');
  await page.getByRole('button', { name: 'Speak' }).click();
  await expect(page.getByRole('alert').filter({ hasText: "doesn't let this page use the microphone" })).toBeVisible();
  await expect(field(page)).toBeEnabled();
});

test('the limits stand beside the field: near, reached, and whose they are', async ({ page, people }) => {
  const name = `Chat ${randomUUID().slice(0, 8)}`;
  await people.plan({ name, price: '2.00', llm_tokens_limit: 20_000, voice_tokens_limit: 0 });
  const admin = await people.subscriber(name);
  const member = await people.member(admin);
  await admin.signIn(page);
  const second = await people.page();
  await member.signIn(second);
  for (const each of [page, second]) {
    await each.goto('/chat');
    await expect(each.getByText('20,000 LLM tokens left')).toBeVisible();
    await expect(each.getByText(/^\d+ voice tokens left$/)).toBeHidden();
    await expect(each.getByRole('button', { name: 'No voice tokens are left' })).toBeDisabled();
    await expect(each.getByRole('alert')).toHaveCount(0);
  }
  await admin.spend('llm', 16_000);
  for (const each of [page, second]) {
    await expect(each.getByText('4,000 LLM tokens left')).toBeVisible();
    await expect(each.getByRole('alert')).toContainText('Consider upgrading');
  }

  const { id } = await body(await member.api.get('/api/auth/me/'));
  const caps = { llm: 100, voice: null };
  await body(await admin.api.put(`/api/team/members/${id}/caps/`, { data: caps }));
  await member.spend('llm', 100);
  await expect(second.getByRole('alert')).toContainText('Your own cap is reached.');
  await expect(second.getByRole('alert')).toContainText('Ask an admin of your group to raise it: Ada Admin.');
  await expect(second.getByText('0 LLM tokens left of your cap')).toBeVisible();
  await expect(field(second)).toBeDisabled();
  await expect(field(page), 'the others can go on').toBeEnabled();

  await admin.spend('llm', 3_900);
  await expect(page.getByRole('alert')).toContainText('Limit reached - upgrade required.');
  await expect(page.getByRole('alert').getByRole('link', { name: /^Upgrade to / })).toBeVisible();
  await expect(field(page)).toBeDisabled();
});

test('a group without a subscription is told what to do, by role', async ({ page, people }) => {
  await (await people.demo('admin@newco.test')).signIn(page);
  await page.goto('/chat');
  await expect(page.getByRole('heading', { name: 'Your group has no subscription' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Choose a plan' })).toBeVisible();
  const other = await people.page();
  await (await people.demo('member@newco.test')).signIn(other);
  await other.goto('/chat');
  await expect(other.getByText(/^Ask an admin of your group to choose a plan: \w+ \w+\.$/)).toBeVisible();
});

test('a conversation is renamed and deleted, and is nobody else\'s', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  const member = await people.member(admin);
  await member.signIn(page);
  await page.goto('/chat');
  await ask(page, 'A private question');
  await answered(page, 1);
  const address = page.url();

  const other = await people.page();
  await admin.signIn(other);
  expect((await other.goto(address))?.status()).toBe(404);
  await other.goto('/chat');
  await expect(other.getByText('A private question')).toHaveCount(0);

  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Title').fill('Another title');
  await page.getByRole('dialog').getByRole('button', { name: 'Save title' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Another title');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete conversation' }).click();
  await expect(page).toHaveURL('/chat');
  await expect(page.getByText('The conversation was deleted.')).toBeVisible();
  await expect(page.getByText('None yet.')).toBeVisible();
  expect(watch.mistakes).toEqual([]);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('conversations are read, and that asking needs it is said', async ({ page, people }) => {
    const admin = await people.subscriber('Basic');
    const begun = await admin.api.post('/fn/chat/begin', {
      form: { question: 'What was it?' },
      headers: { Accept: 'text/html' },
    });
    expect(begun.status()).toBe(200);
    await admin.signIn(page);
    await page.goto('/chat');
    await expect(page.getByText('Asking needs JavaScript')).toBeVisible();
    await page.getByRole('link', { name: 'What was it?' }).click();
    await expect(page.getByRole('article', { name: 'You' })).toContainText('What was it?');
    await expect(page.getByRole('textbox', { name: 'Message' })).toBeHidden();
  });
});
