import { PASSWORD } from '../server.mjs';
import { expect, test } from '../fixtures';
import { SCREENS } from './support/screens';
import { overflow } from './support/watch';

/** Of each role, the first demo account. */
const ROLES = {
  member: 'member@acme.test',
  admin: 'admin@acme.test',
  superadmin: 'superadmin@tollgate.test',
};

/** Who may see a page; all others see that it isn't for them. */
const FOR: Record<string, (keyof typeof ROLES)[]> = {
  '/usage': ['member', 'admin'],
  '/usage/events?usage_type=llm': ['member', 'admin'],
  '/chat': ['member', 'admin'],
  '/billing': ['admin'],
  '/reports': ['admin', 'superadmin'],
  '/subscribe': ['admin'],
  '/team': ['admin'],
  '/analytics': ['superadmin'],
  '/analytics/rows?figure=mrr': ['superadmin'],
  '/groups': ['superadmin'],
  '/groups?level=warning&sort=-usage': ['superadmin'],
  '/subscription-plans': ['superadmin'],
  '/subscription-plans?new=1': ['superadmin'],
  '/outbox': ['superadmin'],
  '/settings/api-keys': ['member', 'admin', 'superadmin'],
  '/settings/account': ['member', 'admin', 'superadmin'],
};

for (const [role, email] of Object.entries(ROLES)) {
  test(`a ${role} sees the pages of a ${role}, and of no other`, async ({ page, people }) => {
    await (await people.demo(email)).signIn(page);
    for (const [path, roles] of Object.entries(FOR)) {
      const allowed = roles.includes(role as keyof typeof ROLES);
      const response = await page.goto(path);
      expect(response?.status(), path).toBe(allowed ? 200 : 403);
      await expect(page).toHaveURL(path);
      // The billing page says whom to ask.
      const stopped = page.getByRole('heading', { name: /^(This page isn't for you|Billing is for your group's admins)$/ });
      await expect(stopped, path).toHaveCount(allowed ? 0 : 1);
    }
    // The menu leads to what may be seen, and to all of it.
    await page.goto('/');
    await expect(page).toHaveURL(role === 'superadmin' ? '/subscription-plans' : '/usage');
    const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').all();
    const paths = await Promise.all(links.map((link) => link.getAttribute('href')));
    const expected = Object.keys(FOR).filter((path) => !path.includes('?') && FOR[path].includes(role as never));
    expect(paths.sort()).toEqual(expected.sort());
  });
}

test('no page is seen before signing in, and is led back to it afterwards', async ({ page }) => {
  for (const path of Object.keys(FOR)) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/login\?next=/);
    expect(new URL(page.url()).searchParams.get('next')).toBe(path);
  }
  await page.goto('/settings/api-keys');
  await page.getByLabel('E-mail').fill('member@acme.test');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page).toHaveURL('/settings/api-keys');
  await page.goto('/login?next=//example.com/');
  await page.getByLabel('E-mail').fill('member@acme.test');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page, 'the log-in page leads to no other site').toHaveURL('/usage');
});

test('what is not there is said to be not there', async ({ page, people }) => {
  for (const [path, status] of [['/no-such-page', 404], ['/usage/more', 404], ['/invite/unknown', 410]] as const) {
    expect((await page.goto(path))?.status(), path).toBe(status);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Go to the front page' })).toBeVisible();
  }
  // Nothing beside it, where there is no menu to show.
  await page.goto('/no-such-page');
  expect((await page.getByRole('banner').boundingBox())!.height).toBeLessThan(150);
  await (await people.superadmin()).signIn(page);
  for (const id of ['unknown', '01890000-0000-7000-8000-000000000000']) {
    expect((await page.goto(`/subscription-plans?edit=${id}`))?.status(), id).toBe(404);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is nothing here');
  }
});

test('an error in the address that the server did not write is not shown', async ({ page }) => {
  await page.goto('/login?__path=/fn/account/sign-in&__err=eyJSZWZ1c2VkIjp7InJlZnVzYWwiOnsiRm9yYmlkZGVuIjoiQ2FsbCB1cyJ9fX0');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page).toHaveURL('/login');
});

for (const { name, open, still } of SCREENS) {
  test(`${name} has one heading, a title, no mistakes, and fits a telephone`, async ({ page, people, watch }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await open(page, people);
    if (!still) await watch.awake(page);

    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    await expect(page.getByRole('heading', { level: 1 })).not.toBeEmpty();
    await expect(page).toHaveTitle(/^\S.* · Tollgate$/);
    await expect(page.getByRole('main')).toHaveCount(1);
    await expect(page.locator('meta[name=description]')).toHaveAttribute('content', /\S.{10,}/);
    expect(await overflow(page), 'at 390 px').toEqual([]);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await overflow(page), 'at 320 px').toEqual([]);

    // The browser notes that a page was answered with its status; that is meant so.
    const meant = /status of (403|404|410|422)/;
    expect(watch.mistakes.filter((mistake) => !meant.test(mistake))).toEqual([]);
  });
}

test("the API's own page shows every path, under the same policy", async ({ page, watch }) => {
  await page.goto('/api/docs/');
  await expect(page.getByText('/api/subscriptions/usage/events/', { exact: true }).first()).toBeVisible();
  expect(watch.mistakes).toEqual([]);
});
