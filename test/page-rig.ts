import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, expect } from 'vitest';
import { openBrowser } from './browser.js';
import { eventually, patience } from './eventually.js';
import { makeRepo, runCli, startCli, type World, world } from './rig.js';

/** For tests that look at the page of real runs in a real browser. */

/** Says each line that is typed, until it is told to go on. */
const listener = `#!/bin/sh
echo "at work on $AGENT_FILES"
while read -r line && [ "$line" != go ]; do echo "heard: $line"; done
for file in $AGENT_FILES; do echo done >> "$file"; done
`;

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export interface Served {
  readonly where: World;
  readonly repo: string;
  /** Addresses, each for one browser. */
  readonly links: readonly string[];
}

export interface Given extends Served {
  readonly run: string;
}

/** A server of the page for the runs of a repository's user. */
export async function serve(repo: string, where: World, ...flags: string[]): Promise<Served> {
  const server = startCli(['web', ...flags], { cwd: repo, env: where.env, input: '\n\n' });
  const [links = ''] = await server.waitFor(/(?:http\S+\n){3}/);
  return { where, repo, links: links.trim().split('\n') };
}

let browser: Promise<Browser> | null = null;
afterAll(async () => {
  await (await browser)?.close();
});

/** A repository, and what starts four agents in it that wait for what is typed. */
export function makeListeners(): { where: World; repo: string; args: readonly string[] } {
  const where = world(null);
  const names = Array.from({ length: 4 }, (_, agent) => `f${agent}.txt`);
  const repo = makeRepo(Object.fromEntries(names.map((name) => [name, 'text\n'])));
  const agent = path.join(where.home, 'agent.sh');
  writeFileSync(agent, listener);
  chmodSync(agent, 0o755);
  const plan = path.join(where.home, 'plan.json');
  const tasks = names.map((name, at) => ({ id: `T${at + 1}`, title: `Task ${at}`, files: [name] }));
  writeFileSync(plan, JSON.stringify({ tasks }));
  const args = ['--plan', plan, '--agent-cmd', agent, '--no-test', '--max-agents', '4'];
  return { where, repo, args };
}

/** A run of such agents, and a server of the page. */
export async function given(...flags: string[]): Promise<Given> {
  const { where, repo, args } = makeListeners();
  const begun = await runCli([...args, '--detach'], { cwd: repo, env: where.env });
  expect(begun.code, begun.stderr).toBe(0);
  return { ...(await serve(repo, where, ...flags)), run: begun.stdout.trim() };
}

export const large = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

export async function open(
  link: string,
  how: { viewport?: typeof large; colorScheme?: 'light' | 'dark' } = {},
): Promise<{ page: Page; problems: string[] }> {
  browser ??= openBrowser();
  const context = await (await browser).newContext({ viewport: large, ...how });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) problems.push(message.text());
  });
  await page.goto(link);
  return { page, problems };
}

/** What breaks the rules for people who see, hear or press keys otherwise. */
async function unusable(page: Page): Promise<string[]> {
  // Not as a script of the page, which its policy refuses, but beside it.
  await page.evaluate(readFileSync(axe, 'utf8'));
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: Axe }).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

/** Waits until nothing breaks them: while a part is loaded it may for a moment. */
export async function isUsable(page: Page): Promise<void> {
  await eventually(async () => expect(await unusable(page)).toEqual([]));
}

interface Axe {
  run(): Promise<{
    readonly violations: readonly {
      readonly id: string;
      readonly nodes: readonly { readonly html: string }[];
    }[];
  }>;
}

export const terminal = (page: Page, agent: number) =>
  page.getByRole('region', { name: `Terminal of agent${agent}` });

export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).first().click();
}

/** Presses what says that it cannot be had now. */
export async function tryOut(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true, disabled: true }).click({ force: true });
}
