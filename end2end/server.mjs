// A Tollgate of one's own: the built binary in an empty folder, on free ports, with the demo data and the sandbox.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** How long a server may take until it listens, in milliseconds. */
const START_TIMEOUT = 60_000;

/** Options that keep Chromium quiet and let it run as root, in containers and without a display. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where Chromium is: `CHROMIUM`, or Debian's. */
export const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';

/** The password of every demo account. */
export const PASSWORD = 'tollgate-demo';

/**
 * Starts a server and waits until it listens.
 *
 * @param {Record<string, string>} [environment] variables to add to the server's own
 * @param {string[]} [command] what it is started as
 * @returns {Promise<{url: string, folder: string, output: () => string, stop: () => Promise<void>}>}
 */
export async function startServer(environment = {}, command = ['serve', '--demo']) {
  const binary = resolve(process.env.TOLLGATE_BINARY || '../target/debug/tollgate');
  const listening = command[0] === 'sandbox' ? /^Stripe sandbox on (http:\/\/\S+)\s/m : /^Listening on (http:\/\/\S+)\s/m;
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-'));
  const server = spawn(binary, command, {
    cwd: folder,
    // Only what is named here: a developer's database and Stripe keys stay out of the tests.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LISTEN_ADDR: '127.0.0.1:0',
      SANDBOX_ADDR: '127.0.0.1:0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));

  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };

  let output = '';
  try {
    const url = await new Promise((resolve, reject) => {
      const read = (chunk) => {
        output += chunk;
        const address = listening.exec(output);
        if (address) resolve(address[1]);
      };
      server.stdout.setEncoding('utf8').on('data', read);
      server.stderr.setEncoding('utf8').on('data', read);
      server.once('error', reject);
      ended.then((code) => reject(new Error(`the server ended (${code}) before it listened:\n${output}`)));
      setTimeout(() => reject(new Error(`the server doesn't listen:\n${output}`)), START_TIMEOUT).unref();
    });
    return { url, folder, output: () => output, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Signs in over the API.
 *
 * @param {string} url the server's address
 * @param {string} email a demo account
 * @returns {Promise<string>} the value of a `Cookie` header
 */
export async function signIn(url, email) {
  const response = await fetch(`${url}/api/auth/login/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  if (!response.ok) {
    throw new Error(`${email} can't sign in: ${response.status} ${await response.text()}`);
  }
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');
}
