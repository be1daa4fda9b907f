import { spawn } from 'node:child_process';
import path from 'node:path';
import { openBrowser } from '../../browser.js';
import { cli } from '../kit.js';
import type { Agents } from './subjects.js';

/** The server of the page for the runs of these agents; its address is good for one browser. */
async function serve(agents: Agents) {
  const home = path.join(agents.folder, 'home');
  const child = spawn(process.execPath, [cli, 'web'], {
    cwd: path.join(agents.folder, 'repo'),
    env: {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: home,
      XDG_DATA_HOME: `${home}/data`,
      XDG_CACHE_HOME: `${home}/cache`,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const address = await new Promise<string>((resolve) => {
    child.stdout.once('data', (text) => resolve(String(text).trim()));
  });
  return { address, end: () => child.kill('SIGKILL') };
}

/** The page with all agents in sight. */
export async function look(agents: Agents, count: number) {
  const server = await serve(agents);
  const browser = await openBrowser();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const start = performance.now();
  await page.goto(server.address);
  await page.locator('a[href^="#"]').first().waitFor();
  const first = performance.now() - start;
  await page.locator('a[href^="#"]').first().click();
  await page
    .locator('[data-ready="true"]')
    .nth(count - 1)
    .waitFor();
  return {
    page,
    first,
    /** What its code holds after a clean-up, megabytes. */
    memory: async () => {
      const session = await page.context().newCDPSession(page);
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      return usedSize / 1e6;
    },
    close: async () => {
      await browser.close();
      server.end();
    },
  };
}
