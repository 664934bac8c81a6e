// What every spec starts from: `test` with a server that belongs to the worker, and pages that open on it.

import { test as base } from '@playwright/test';

import { startServer } from './server.mjs';

type Server = Awaited<ReturnType<typeof startServer>>;

export const test = base.extend<object, { server: Server }>({
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
});

export { expect } from '@playwright/test';
