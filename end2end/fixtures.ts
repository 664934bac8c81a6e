// What every spec starts from: `test` with a server that belongs to the worker, pages that open on it, the people
// who use it, and a note of everything a page did wrong.

import { test as base } from '@playwright/test';

import { startServer } from './server.mjs';
import { People } from './tests/support/people';
import { Watch } from './tests/support/watch';

type Server = Awaited<ReturnType<typeof startServer>>;

export const test = base.extend<{ people: People; watch: Watch }, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => {
    await use(server.url);
  },
  people: async ({ server, browser, contextOptions }, use) => {
    const people = new People(server.url, browser, contextOptions);
    await use(people);
    await people.leave();
  },
  watch: async ({ context }, use) => {
    await use(await Watch.start(context));
  },
});

export { expect } from '@playwright/test';
