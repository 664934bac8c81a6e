// The people of a test. What a test is not about is done for them through the API: a group with a subscription, a
// member, a plan. Each is new, so that no test sees what another did.

import { randomUUID } from 'node:crypto';

import { expect, request } from '@playwright/test';
import type { APIRequestContext, APIResponse, Browser, BrowserContextOptions, Page } from '@playwright/test';

import { PASSWORD } from '../../server.mjs';

export type Plan = { id: string; name: string; price: string; max_users: number | null; archived: boolean };

export type UsageType = 'llm' | 'voice';

export type PlanTerms = {
  name: string;
  price: string;
  description?: string;
  trial_days?: number;
  llm_tokens_limit?: number | null;
  voice_tokens_limit?: number | null;
  max_users?: number | null;
  features?: string[];
};

/** The body of an answer that has to be a success. */
export async function body(response: APIResponse) {
  expect(response.ok(), `${response.status()} ${response.url()}: ${await response.text()}`).toBe(true);
  return [202, 204].includes(response.status()) ? null : response.json();
}

/** A user, with a session at the API. */
export class Person {
  constructor(
    readonly email: string,
    readonly password: string,
    readonly api: APIRequestContext,
    /** The id of this person's group; none for a SuperAdmin. */
    readonly group: string | null,
  ) {}

  /** Gives `page` this person's session. */
  async signIn(page: Page) {
    const { cookies } = await this.api.storageState();
    expect(cookies.length, `${this.email} has a session`).toBeGreaterThan(0);
    await page.context().addCookies(cookies);
  }

  async spend(usageType: UsageType, tokens: number) {
    const event = { id: randomUUID(), usage_type: usageType, tokens_used: tokens };
    return body(await this.api.post('/api/subscriptions/usage/events/', { data: event }));
  }

  async usage() {
    return body(await this.api.get('/api/subscriptions/subscriptions/usage/'));
  }

  async subscription() {
    return body(await this.api.get('/api/subscriptions/subscriptions/my_subscription/'));
  }

  async plans(): Promise<Plan[]> {
    return (await body(await this.api.get('/api/subscriptions/plans/?include_archived=true&limit=200'))).results;
  }

  /** Subscribes this admin's group to the plan of this name, by a card that pays at once. */
  async subscribe(plan: string) {
    const { id } = (await this.plans()).find(({ name }) => name === plan)!;
    const { subscription } = await body(await this.buy(id));
    expect(subscription.status).toBe('active');
    return subscription;
  }

  /** The bare request for a subscription, to see what it answers. */
  buy(plan_id: string) {
    const data = { plan_id, payment_method: 'pm_card_visa' };
    return this.api.post('/api/subscriptions/subscriptions/create_subscription/', { data });
  }
}

export class People {
  private readonly sessions: APIRequestContext[] = [];
  private readonly pages: Page[] = [];
  private readonly made: string[] = [];

  constructor(
    readonly url: string,
    private readonly browser: Browser,
    private readonly options: BrowserContextOptions,
  ) {}

  private async session(email: string, password: string) {
    const api = await request.newContext({ baseURL: this.url });
    this.sessions.push(api);
    const { group } = await body(await api.post('/api/auth/login/', { data: { email, password } }));
    return new Person(email, password, api, group?.id ?? null);
  }

  /** A user of the demo data. */
  demo(email: string) {
    return this.session(email, PASSWORD);
  }

  superadmin() {
    return this.demo('superadmin@tollgate.test');
  }

  /** The admin of a group that didn't exist before. */
  async admin(group = 'Fresh Ltd', name = 'Ada Admin', email = `admin-${randomUUID()}@fresh.test`) {
    const password = `pass-${randomUUID()}`;
    const data = { email, password, name, group_name: group };
    const api = await request.newContext({ baseURL: this.url });
    this.sessions.push(api);
    await body(await api.post('/api/auth/signup/', { data }));
    return this.session(email, password);
  }

  /** The admin of a new group that is subscribed to a plan. */
  async subscriber(plan = 'Basic') {
    const admin = await this.admin();
    await admin.subscribe(plan);
    return admin;
  }

  /** A new member of an admin's group. */
  async member(admin: Person, name = 'Max Member') {
    const email = `member-${randomUUID()}@fresh.test`;
    const password = `pass-${randomUUID()}`;
    const invitation = { email, role: 'member' };
    const { url } = await body(await admin.api.post('/api/team/invitations/', { data: invitation }));
    const token = new URL(url).pathname.split('/').at(-1);
    await body(await admin.api.post('/api/team/invitations/accept/', { data: { token, name, password } }));
    return this.session(email, password);
  }

  /** The link that sets a new password, as the outbox has it for the SuperAdmin to read. */
  async resetLink({ email }: Person): Promise<string> {
    await body(await (await this.superadmin()).api.post('/api/auth/forgot/', { data: { email } }));
    return this.linkTo(email, 'reset');
  }

  /** The link by which an admin, whose group has just used four fifths of Basic's LLM tokens, stops being told so. */
  async unsubscribeLink(admin: Person): Promise<string> {
    await admin.spend('llm', 80_000);
    return this.linkTo(admin.email, 'unsubscribe');
  }

  /** The link with this path that was sent to an address, once it was. */
  private async linkTo(email: string, path: string): Promise<string> {
    const { api } = await this.superadmin();
    let link: string | undefined;
    await expect(async () => {
      const letters = (await (await api.get('/outbox')).text()).split('<article');
      const mine = letters.filter((letter) => letter.includes(email)).join();
      link = new RegExp(`https?://[^\\s<"]+/${path}/[\\w-]+`).exec(mine)?.[0];
      expect(link, `a link for ${email}`).toBeTruthy();
    }).toPass();
    return link!;
  }

  /** A plan that is taken away again after the test. */
  async plan(terms: PlanTerms): Promise<Plan> {
    const superadmin = await this.superadmin();
    const plan = await body(await superadmin.api.post('/api/subscriptions/plans/', { data: terms }));
    this.made.push(plan.id);
    return plan;
  }

  /** A page in a browser of its own, not signed in. */
  async page() {
    const context = await this.browser.newContext({ ...this.options, baseURL: this.url });
    const page = await context.newPage();
    this.pages.push(page);
    return page;
  }

  async leave() {
    for (const page of this.pages) await page.context().close();
    if (this.made.length > 0) {
      const superadmin = await this.superadmin();
      for (const id of this.made) await body(await superadmin.api.delete(`/api/subscriptions/plans/${id}/`));
    }
    for (const api of this.sessions) await api.dispose();
  }
}
