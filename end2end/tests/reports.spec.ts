// Reports: what an admin and a SuperAdmin download, and what was paid, credited and refunded.

import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures';
import { Stripe } from './support/stripe';

const form = (page: Page) => page.getByRole('form', { name: 'Report' });

/** Downloads what the form says; gives the file's name and its text. */
async function download(page: Page) {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    form(page).getByRole('button', { name: 'Download' }).click(),
  ]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

test('an admin downloads its usage and its invoices, and stays on the page', async ({ page, people, watch }) => {
  const admin = await people.subscriber('Basic');
  await admin.spend('llm', 1_200);
  await admin.spend('voice', 34);
  await admin.signIn(page);
  await page.goto('/usage');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Reports' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Reports');

  const byDay = await download(page);
  expect(byDay.name).toBe('usage-by-day.csv');
  const lines = byDay.text.trimEnd().split('\r\n');
  expect(lines[0]).toBe('key,label,llm,voice,events');
  expect(lines.at(-1)).toBe('total,Total,1200,34,2');

  await form(page).getByLabel('A row for').selectOption('Each event of the ledger');
  await form(page).getByLabel('Format').selectOption('JSON lines');
  await form(page).getByLabel('Time zone').selectOption('Europe/Berlin');
  const events = await download(page);
  expect(events.name).toBe('usage-by-event.jsonl');
  const rows = events.text.trimEnd().split('\n').map((line) => JSON.parse(line));
  expect(rows.map(({ tokens }) => tokens)).toEqual([1_200, 34, 1_234]);

  await form(page).getByLabel('Report').selectOption('Invoices');
  await form(page).getByLabel('Format').selectOption('CSV');
  const invoices = await download(page);
  expect(invoices.name).toBe('invoices.csv');
  expect(invoices.text).toContain('2999,29.99');
  expect(invoices.text.trimEnd().split('\r\n').at(-1)).toMatch(/^total,1,/);
  await expect(page).toHaveURL(/\/reports$/);
  expect(watch.mistakes).toEqual([]);
});

test('a window that ends before it begins is said at its field', async ({ page, people }) => {
  const admin = await people.admin();
  await admin.signIn(page);
  await page.goto('/reports');
  await expect(page.getByText('Nothing was charged yet.')).toBeVisible();
  await form(page).getByLabel('From').fill('2026-11-02');
  await form(page).getByLabel('Before').fill('2026-11-01');
  await form(page).getByRole('button', { name: 'Download' }).click();
  const before = form(page).getByLabel('Before');
  await expect(before).toHaveAttribute('aria-invalid', 'true');
  await expect(before).toHaveAccessibleDescription('The window has to end after it begins.');
  await expect(form(page).getByLabel('From')).toHaveValue('2026-11-02');
});

test('a SuperAdmin downloads a group or all of them', async ({ page, people }) => {
  const superadmin = await people.demo('superadmin@tollgate.test');
  await superadmin.signIn(page);
  await page.goto('/reports');
  const all = await download(page);
  expect(all.text.split('\r\n')[0]).toBe('key,label,llm,voice,events,group_id,group');
  await form(page).getByLabel('Group').selectOption('Acme');
  const acme = await download(page);
  expect(acme.text.split('\r\n')[0]).toBe('key,label,llm,voice,events');
});

test('a refund and a credit note are shown with their invoice', async ({ page, people, server, request }) => {
  const admin = await people.subscriber('Basic');
  const stripe = new Stripe(request, server);
  const [invoice] = (await (await admin.api.get('/api/subscriptions/invoices/')).json()).results;
  await stripe.giveBack(invoice.id, 500, 300);
  await expect
    .poll(async () => {
      const [kept] = (await (await admin.api.get('/api/subscriptions/invoices/')).json()).results;
      return [kept.amount_refunded, kept.amount_credited];
    })
    .toEqual(['5.00', '3.00']);
  await admin.signIn(page);
  for (const path of ['/billing', '/reports']) {
    await page.goto(path);
    const row = page.getByRole('table', { name: 'Invoices' }).getByRole('row').filter({ hasText: 'Paid' });
    await expect(row).toContainText('$5.00 refunded');
    await row.getByText('Lines').click();
    await expect(row.getByText('requested by customer')).toBeVisible();
    await expect(row.getByText('Credit note')).toBeVisible();
    await expect(row.getByRole('link', { name: /^PDF/ })).toBeVisible();
  }
});
