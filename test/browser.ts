import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where a system puts Chromium, or a browser made of it. */
const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Chromium of this machine; null where there is none. */
export const chromiumHere = places.find((place) => existsSync(place)) ?? null;

/** A real browser, which asks nobody but this machine. */
export function openBrowser(): Promise<Browser> {
  if (chromiumHere === null) throw new Error('there is no Chromium here');
  return chromium.launch({
    executablePath: chromiumHere,
    args: [
      // Its sandbox wants rights that a container does not have.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
