// Notes what goes wrong in a browser's pages, and when their code has woken.

import type { BrowserContext, Page } from '@playwright/test';

declare global {
  interface Window {
    tollgateAwake?: boolean;
  }
}

export class Watch {
  /** Errors in the console, uncaught exceptions, and violations of the Content-Security-Policy. */
  readonly mistakes: string[] = [];

  private constructor() {}

  static async start(context: BrowserContext) {
    const watch = new Watch();
    const note = (mistake: string) => watch.mistakes.push(mistake);
    context.on('console', (message) => {
      const { url, lineNumber } = message.location();
      if (message.type() === 'error' || message.type() === 'warning') {
        note(`${message.type()}: ${message.text()} (${url}:${lineNumber})`);
      }
    });
    context.on('weberror', (error) => note(`exception: ${error.error().message}`));
    await context.exposeFunction('tollgateViolation', note);
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = (window as unknown as { tollgateViolation: (text: string) => void }).tollgateViolation;
        report(`policy: ${event.violatedDirective} against ${event.blockedURI} in ${event.documentURI}`);
      });
      // The page's own code runs in the same task as this promise is kept; a task later it is awake.
      const { instantiateStreaming } = WebAssembly;
      WebAssembly.instantiateStreaming = async (...given) => {
        const instance = await instantiateStreaming.apply(WebAssembly, given);
        setTimeout(() => (window.tollgateAwake = true));
        return instance;
      };
    });
    return watch;
  }

  /** Waits until the page's WASM has arrived and run. */
  async awake(page: Page) {
    await page.waitForFunction(() => window.tollgateAwake === true);
  }
}

/** What makes a page wider than its window; nothing where it isn't. */
export async function overflow(page: Page) {
  return page.evaluate(() => {
    const { scrollWidth } = document.documentElement;
    if (scrollWidth <= innerWidth) return [];
    const wide = [...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5);
    return [`${scrollWidth} in ${innerWidth}`, ...wide.map((each) => `${each.tagName}.${each.getAttribute('class')}`)];
  });
}

/** Counts the times the page's document is loaded from here on; call the answer for the count. */
export function countLoads(page: Page) {
  let loads = 0;
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) loads += 1;
  });
  return () => loads;
}
