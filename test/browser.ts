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
  return chromium.launch(howToStart());
}

/** A browser whose processes can be stopped, as by a machine that sleeps. */
export async function openStoppable(): Promise<{
  readonly browser: Browser;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  close(): Promise<void>;
}> {
  const server = await chromium.launchServer(howToStart());
  const { pid } = server.process();
  if (pid === undefined) throw new Error('the browser has no process');
  return {
    browser: await chromium.connect(server.wsEndpoint()),
    // It is started with a process group of its own.
    signal: (name) => process.kill(-pid, name),
    close: () => server.close(),
  };
}

function howToStart() {
  if (chromiumHere === null) throw new Error('there is no Chromium here');
  return {
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
  };
}
