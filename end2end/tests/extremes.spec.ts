// The longest values the server accepts, in none of which a line could be broken: no page becomes wider than its window.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../fixtures';
import type { People, Person } from './support/people';
import { body } from './support/people';
import { overflow } from './support/watch';

const MOST = Number.MAX_SAFE_INTEGER;
const WIDTHS = [320, 390, 1280];

/** A text of so many characters, different each time. */
const long = (length: number) => randomUUID().slice(0, 8).padEnd(length, 'W');

/** An address as long as one may be: 64 characters before the @, 254 in all. */
const address = () => `${long(64)}@${[63, 63, 56].map((length) => 'd'.repeat(length)).join('.')}.test`;

const TERMS = { price: '999999.99', description: 'd'.repeat(500), features: Array(20).fill('f'.repeat(120)) };

/** The admin of a group with the longest of names, subscribed to a plan with these limits. */
async function group(people: People, limit: number, max_users: number) {
  const name = long(100);
  const limits = { llm_tokens_limit: limit, voice_tokens_limit: limit, max_users };
  const plan = await people.plan({ ...TERMS, name, ...limits });
  const admin = await people.admin(long(100), long(100), address());
  await admin.subscribe(name);
  return { admin, plan };
}

type Stage = { superadmin: Person; admin: Person; member: Person; planId: string; invitation: string; small: Person };

async function stage(people: People): Promise<Stage> {
  const { admin, plan } = await group(people, MOST, MOST);
  await admin.spend('llm', MOST - 1);
  await admin.spend('voice', MOST);
  const member = await people.member(admin, long(100));
  const { admin: small } = await group(people, 1, 2);
  await small.spend('llm', 1);
  const invited = { email: address(), role: 'member' };
  const { url } = await body(await small.api.post('/api/team/invitations/', { data: invited }));
  for (const each of [admin, small]) await body(await each.api.post('/api/auth/keys/', { data: { name: long(100) } }));
  return { superadmin: await people.superadmin(), admin, member, planId: plan.id, invitation: url, small };
}

test('the longest values fit every page, at every width', async ({ people }) => {
  test.setTimeout(180_000);
  const { superadmin, admin, member, planId, invitation, small } = await stage(people);
  const pages: [path: string, person: Person | null][] = [
    ['/usage', admin],
    ['/usage', member],
    ['/usage', small],
    ['/usage/events', admin],
    ['/usage/events', small],
    ['/subscribe', admin],
    ['/team', admin],
    ['/team', small],
    ['/settings/api-keys', admin],
    ['/subscription-plans', superadmin],
    [`/subscription-plans?edit=${planId}`, superadmin],
    ['/outbox', superadmin],
    [invitation, null],
  ];
  for (const [path, person] of pages) {
    const page = await people.page();
    await person?.signIn(page);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      expect.soft(await overflow(page), `${path} at ${width} px`).toEqual([]);
    }
  }

  // Nothing is squeezed by a neighbour either: a short name stands on one line beside the longest numbers.
  const page = await people.page();
  await superadmin.signIn(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto('/subscription-plans');
  const name = page.getByRole('rowheader', { name: /^Basic/ });
  expect((await name.boundingBox())!.width).toBeGreaterThan(150);
});
