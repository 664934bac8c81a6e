// Stripe's own CLI, unmodified, at the sandbox, and at an application that it hands events on to.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import Stripe from 'stripe';

import { startServer } from '../../server.mjs';
import { stripeCli } from './cli.mjs';

const KEY = 'sk_test_TollgateSandboxSecretKey';
const sandbox = await startServer({}, ['sandbox']);
const cli = await stripeCli(sandbox.url, KEY);
const at = new URL(sandbox.url);
const stripe = new Stripe(KEY, { protocol: 'http', host: at.hostname, port: at.port });
after(async () => {
  await cli.close();
  await sandbox.stop();
});

/** The CLI's events: those the sandbox has to bring about, and those of parts of Stripe that it hasn't got. */
const events = JSON.parse(await readFile(new URL('cli-events.json', import.meta.url), 'utf8'));

/** A webhook that notes what it is sent. */
async function webhook() {
  const received = [];
  const waiting = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ signature: request.headers['stripe-signature'], body: Buffer.concat(chunks).toString() });
    response.end('noted');
    waiting.splice(0).forEach((wake) => wake());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    received,
    /** Resolves once it has `count` events. */
    has: async (count) => {
      while (received.length < count) await new Promise((wake) => waiting.push(wake));
    },
    close: () => server.close(),
  };
}

test('every event that the CLI can trigger is accounted for', async () => {
  const help = await cli.run(['trigger', '--help'], []);
  const listed = help.split('Supported events:')[1].split('Usage:')[0].split('\n').map((line) => line.trim());
  const known = [...events.triggered, ...Object.keys(events.triggered_as), ...Object.values(events.not_here).flat()];
  assert.deepEqual(listed.filter(Boolean).sort(), known.sort());
});

for (const name of [...events.triggered, ...Object.keys(events.triggered_as)]) {
  test(`trigger ${name}`, async () => {
    const [last] = (await stripe.events.list({ limit: 1 })).data;
    // Where the CLI's own fixture is of the time before Stripe refused it.
    await cli.run(['trigger', name, ...(events.with[name] ?? [])]);
    const wanted = events.triggered_as[name] ?? name;
    const found = [];
    for (;;) {
      found.length = 0;
      const since = { limit: 100, ...(last && { ending_before: last.id }) };
      for await (const event of stripe.events.list(since)) found.push(event.type);
      // Some come to be a moment after the answer, such as a test clock's.
      if (found.includes(wanted) || !events.later.includes(name)) break;
    }
    assert.ok(found.includes(wanted), `there were ${found.join(', ') || 'none'}`);
  });
}

test('get, post and delete', async () => {
  const made = JSON.parse(await cli.run(['post', '/v1/customers', '-d', 'name=Ada', '-d', 'metadata[team]=a']));
  assert.equal(made.metadata.team, 'a');
  const list = JSON.parse(await cli.run(['get', '/v1/customers', '--limit', '1', '-e', 'data.default_source']));
  assert.equal(list.data[0].id, made.id);
  const gone = JSON.parse(await cli.run(['delete', `/v1/customers/${made.id}`, '--confirm']));
  assert.deepEqual(gone, { id: made.id, object: 'customer', deleted: true });
});

test('fixtures', async () => {
  const file = join(sandbox.folder, 'fixtures.json');
  const fixtures = [
    { name: 'product', path: '/v1/products', method: 'post', params: { name: 'Basic' } },
    {
      name: 'price',
      path: '/v1/prices',
      method: 'post',
      params: { product: '${product:id}', unit_amount: 2999, currency: 'usd', recurring: { interval: 'month' } },
    },
    { name: 'again', path: '/v1/prices/${price:id}', method: 'get' },
  ];
  await writeFile(file, JSON.stringify({ _meta: { template_version: 0 }, fixtures }));
  await cli.run(['fixtures', file]);
  const [price] = (await stripe.prices.list({ limit: 1, expand: ['data.product'] })).data;
  assert.deepEqual([price.unit_amount, price.product.name], [2999, 'Basic']);
});

test('logs tail', async () => {
  const all = cli.start(['logs', 'tail', '--format', 'JSON']);
  const failed = cli.start(['logs', 'tail', '--filter-request-status', 'FAILED', '--filter-http-method', 'POST']);
  await Promise.all([all.printed(/Ready!/), failed.printed(/Ready!/)]);
  const missing = await stripe.customers.retrieve('cus_none').catch((error) => error);
  const refused = await stripe.customers.create({ email: '', nonsense: '1' }).catch((error) => error);
  const [line] = await all.printed(new RegExp(`^.*${refused.requestId}.*$`, 'm'));
  assert.match(line, /"code":\s?"parameter_unknown"/);
  assert.ok(all.output().includes(missing.requestId));
  await failed.printed(new RegExp(`\\[400\\] POST /v1/customers \\[${refused.requestId}\\]`));
  assert.ok(!failed.output().includes(missing.requestId), 'a GET was filtered out');
  await Promise.all([all.stop(), failed.stop()]);
});

test('listen hands signed events on, and those that are asked for again', async () => {
  const [every, some] = await Promise.all([webhook(), webhook()]);
  const secret = (await cli.run(['listen', '--print-secret'])).trim();
  assert.match(secret, /^whsec_[0-9a-f]{64}$/);
  const listening = cli.start(['listen', '--all-snapshot', '--forward-to', every.url]);
  const picking = cli.start(['listen', '--events', 'product.created', '--latest', '--forward-to', some.url]);
  // At the same time an endpoint of its own, which the sessions don't hold up.
  const own = await webhook();
  const endpoint = await stripe.webhookEndpoints.create({ url: own.url, enabled_events: ['customer.created'] });
  await Promise.all([listening.printed(new RegExp(`Ready!.*${secret}`)), picking.printed(/Ready!/)]);

  const customer = await stripe.customers.create({ name: 'Ada' });
  const product = await stripe.products.create({ name: 'Basic' });
  await Promise.all([every.has(2), some.has(1), own.has(1)]);
  const sent = every.received.map(({ body, signature }) => stripe.webhooks.constructEvent(body, signature, secret));
  assert.deepEqual(sent.map((event) => event.type).sort(), ['customer.created', 'product.created']);
  assert.equal(JSON.parse(some.received[0].body).data.object.id, product.id);
  assert.throws(() => stripe.webhooks.constructEvent(every.received[0].body, every.received[0].signature, 'whsec_1'));
  stripe.webhooks.constructEvent(own.received[0].body, own.received[0].signature, endpoint.secret);

  const created = sent.find((event) => event.data.object.id === customer.id);
  await cli.run(['events', 'resend', created.id]);
  await every.has(3);
  assert.equal(JSON.parse(every.received[2].body).id, created.id);
  assert.equal(own.received.length, 1, 'to the CLI alone');
  await cli.run(['events', 'resend', created.id, '--webhook-endpoint', endpoint.id]);
  await own.has(2);
  assert.equal(every.received.length, 3, 'to the endpoint alone');
  await Promise.all([listening.stop(), picking.stop()]);
  for (const hook of [every, some, own]) hook.close();
  await stripe.webhookEndpoints.del(endpoint.id);
});

test('listen, into the application', async () => {
  const secret = (await cli.run(['listen', '--print-secret'])).trim();
  const application = await startServer(
    {
      STRIPE_API_BASE: sandbox.url,
      STRIPE_JS_URL: `${sandbox.url}/v3/`,
      STRIPE_PUBLIC_KEY: 'pk_test_TollgateSandboxPublicKey',
      STRIPE_SECRET_KEY: KEY,
      STRIPE_WEBHOOK_SECRET: secret,
    },
    ['serve'],
  );
  try {
    const hook = `${application.url}/api/subscriptions/webhook/stripe/`;
    const listening = cli.start(['listen', '--all-snapshot', '--forward-to', hook]);
    await listening.printed(/Ready!/);
    await cli.run(['trigger', 'customer.subscription.created']);
    await listening.printed(/<--\s+\[200\] POST .*\[evt_/);
    await listening.printed(/--> customer\.subscription\.created/);
    await listening.stop();
    assert.doesNotMatch(listening.output(), /<--\s+\[[^2]/, 'the application takes every one');
  } finally {
    await application.stop();
  }
});
