// Stripe's own CLI, as it is installed from npm.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** How long a command may take, or what it prints let itself be waited for, in milliseconds. */
const TIMEOUT = 60_000;

/** A CLI that speaks to the sandbox at `base`, with a home of its own. */
export async function stripeCli(base, key) {
  const home = await mkdtemp(join(tmpdir(), 'stripe-cli-'));
  const running = new Set();

  function start(args, where = ['--api-base', base]) {
    const process_ = spawn(resolve('node_modules/.bin/stripe'), [...args, ...where], {
      env: { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home, STRIPE_API_KEY: key, STRIPE_CLI_TELEMETRY_OPTOUT: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // What npm installs starts the program itself; they end together.
      detached: true,
    });
    running.add(process_);
    let output = '';
    let look = () => {};
    for (const stream of [process_.stdout, process_.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk;
        look();
      });
    }
    const ended = new Promise((resolve, reject) => {
      process_.once('error', reject);
      process_.once('close', (code) => {
        running.delete(process_);
        resolve(code);
        look();
      });
    });
    return {
      ended,
      output: () => output,
      /** Waits until it has printed what fits `pattern`. */
      printed: (pattern) =>
        new Promise((resolve, reject) => {
          const late = setTimeout(() => reject(new Error(`it never printed ${pattern}:\n${output}`)), TIMEOUT);
          look = () => {
            const found = pattern.exec(output);
            if (!found && process_.exitCode === null) return;
            clearTimeout(late);
            if (found) resolve(found);
            else reject(new Error(`it ended before it printed ${pattern}:\n${output}`));
          };
          look();
        }),
      stop: async () => {
        process.kill(-process_.pid, 'SIGINT');
        await ended;
      },
    };
  }

  return {
    start,
    /** Runs a command to its end and returns what it printed. */
    run: async (args, where) => {
      const command = start(args, where);
      const code = await command.ended;
      if (code !== 0) throw new Error(`stripe ${args.join(' ')} ended with ${code}:\n${command.output()}`);
      return command.output();
    },
    close: async () => {
      for (const process_ of running) process.kill(-process_.pid, 'SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
}
