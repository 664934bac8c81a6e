// The pictures of the dashboard on the front page, photographed from the demo: light and dark, wide and narrow. Run it when
// /usage looks another way, with a server and its site built:  node pictures.mjs

import { mkdir, writeFile } from 'node:fs/promises';

import { chromium } from '@playwright/test';

import { CHROMIUM, CHROMIUM_ARGUMENTS, signIn, startServer } from './server.mjs';

/** Windows, in CSS pixels, and the part of the page that is photographed; the whole window where none is named. */
const SHAPES = {
  wide: { viewport: { width: 1200, height: 608 }, scale: 1.5 },
  narrow: { viewport: { width: 390, height: 1600 }, scale: 2, part: '.usage__bars' },
};

/** Of WebP: no edge of a letter is blurred, and no byte is spent on what nobody sees. */
const QUALITY = 0.8;

const FOLDER = new URL('../public/pictures/', import.meta.url);

/** A PNG as WebP, encoded by the browser itself. */
async function webp(browser, png) {
  const page = await browser.newPage();
  const encoded = await page.evaluate(
    async ([png, quality]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight });
      canvas.getContext('2d').drawImage(image, 0, 0);
      return canvas.toDataURL('image/webp', quality).split(',')[1];
    },
    [png.toString('base64'), QUALITY],
  );
  await page.close();
  return Buffer.from(encoded, 'base64');
}

const server = await startServer();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
try {
  await mkdir(FOLDER, { recursive: true });
  const cookie = await signIn(server.url, 'admin@acme.test');
  for (const [name, { viewport, scale, part }] of Object.entries(SHAPES)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({
        viewport,
        colorScheme,
        deviceScaleFactor: scale,
        bypassCSP: true,
        reducedMotion: 'reduce',
        extraHTTPHeaders: { Cookie: cookie },
      });
      const page = await context.newPage();
      await page.goto(`${server.url}/usage`);
      // The sandbox's strip is of this demo, not of the page.
      await page.addStyleTag({ content: '.sandbox { display: none !important } ::-webkit-scrollbar { display: none }' });
      await page.waitForFunction(() => document.fonts.status === 'loaded');
      const file = new URL(`usage-${name}-${colorScheme}.webp`, FOLDER);
      const shown = part ? page.locator(part) : page;
      const { width, height } = part ? await shown.boundingBox() : viewport;
      const picture = await webp(browser, await shown.screenshot({ animations: 'disabled' }));
      await writeFile(file, picture);
      // As src/web/pages/home.rs has to say.
      console.log(`${file.pathname}: ${Math.round(width)} × ${Math.round(height)}, ${(picture.length / 1000).toFixed(1)} kB`);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
