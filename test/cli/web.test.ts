import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect, inject, onTestFinished, test } from 'vitest';
import { diffEdit } from '../../source/services/model-server/script.js';
import { chromiumHere, openStoppable } from '../browser.js';
import { eventually, patience, until } from '../eventually.js';
import {
  given,
  isUsable,
  large,
  open,
  phone,
  press,
  serve,
  terminal,
  tryOut,
} from '../page-rig.js';
import { hostsOf } from '../processes.js';
import {
  git,
  lastSummary,
  makeRepo,
  modelServer,
  recordOf,
  runCli,
  startPlan,
  world,
} from '../rig.js';

const browserTest = test.skipIf(chromiumHere === null);

test('there is a browser where one is required', () => {
  if (process.env['REQUIRE_BROWSER'] === '1') expect(chromiumHere).not.toBeNull();
});

browserTest('a run of four agents in a browser, from the grid to the summary', async () => {
  const { where, repo, run, links } = await given();
  const { page, problems } = await open(links[0] as string, { colorScheme: 'dark' });
  await page.getByRole('link', { name: run }).click();
  for (const agent of [0, 1, 2, 3]) {
    await terminal(page, agent).getByText(`at work on f${agent}.txt`).waitFor();
  }
  await isUsable(page);
  // Typed into, by keys alone: also from another part of the agent.
  await page.keyboard.press('0');
  await terminal(page, 0).getByText('at work on f0.txt').first().waitFor();
  await page.keyboard.press('d');
  await page.getByText('This agent has changed nothing.').waitFor();
  await page.keyboard.press('i');
  await page.locator('.agent-terminal.large textarea:focus').waitFor();
  await page.keyboard.type('hello there');
  await page.keyboard.press('Enter');
  await terminal(page, 0).getByText('heard: hello there').first().waitFor();
  // Selected and copied: the key does not reach the agent then.
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await terminal(page, 0)
    .getByText('heard: hello there')
    .first()
    .dblclick({ force: true, position: { x: 60, y: 5 } });
  await page.keyboard.press('Control+c');
  await eventually(async () =>
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('hello'),
  );
  // Killed, after a question.
  // The key that leaves a terminal on the screen leaves it here; then Esc shows all agents.
  await page.keyboard.press('Control+]');
  await page.keyboard.press('Escape');
  await terminal(page, 3).getByText('at work on f3.txt').waitFor();
  await page.keyboard.press('1');
  await terminal(page, 1).getByText('at work on f1.txt').first().waitFor();
  await press(page, 'Kill');
  await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
  await page.getByText('killed', { exact: true }).first().waitFor();
  // What cannot be done now is said, with its reason.
  await tryOut(page, 'Kill');
  await page.getByRole('status').getByText('Agent1 has ended.').waitFor();
  await press(page, 'Restart with a remark');
  await page.getByRole('dialog').getByRole('textbox').fill('once more');
  await page.getByRole('dialog').getByRole('button', { name: 'Restart with a remark' }).click();
  await page.getByText('working', { exact: true }).first().waitFor();
  // A second browser, and the same run there.
  const other = await open(links[1] as string, { viewport: phone, colorScheme: 'light' });
  await other.page.getByRole('link', { name: run }).click();
  await terminal(other.page, 0).getByText('heard: hello there').waitFor();
  await isUsable(other.page);
  for (const agent of [0, 1, 2, 3]) {
    await other.page.getByRole('button', { name: new RegExp(`^agent${agent}`) }).click();
    await terminal(other.page, agent).locator('textarea').pressSequentially('go');
    await other.page.keyboard.press('Enter');
    await press(other.page, 'All agents');
  }
  await press(page, 'summary');
  await page.getByText('The work landed on main').waitFor();
  await isUsable(page);
  await press(page, 'change');
  await page.getByText('f3.txt').waitFor();
  await isUsable(page);
  // As it was before: the timeline leads there.
  await press(page, 'timeline');
  await isUsable(page);
  await page.getByRole('button', { name: /agent1\s+attempt 1 started/ }).click();
  await page.getByText(/As it was at/).waitFor();
  await press(page, 'groups');
  await isUsable(page);
  await page.getByRole('button', { name: /agent1: working/ }).waitFor();
  expect([...problems, ...other.problems]).toEqual([]);
  await eventually(() => expect(lastSummary(repo).landed).toBe(true));
  expect(git(repo, 'show', 'HEAD:f0.txt')).toBe('text\ndone');
  await page.context().close();
  await other.page.context().close();
  // Nobody looks any more, and the run's host goes.
  await until(() => hostsOf(where.home).length === 0);
});

browserTest('a link opens once, and one that can only watch says so', async () => {
  const { links, run, repo, where } = await given('--read-only');
  const { page } = await open(links[0] as string);
  const again = await open(links[0] as string);
  await again.page.getByText('This address was used already').waitFor();
  await isUsable(again.page);
  await isUsable(page);
  await page.getByRole('link', { name: run }).click();
  await terminal(page, 0).getByText('at work on f0.txt').waitFor();
  await tryOut(page, 'Kill all');
  await page.getByRole('status').getByText('This link can only watch.').waitFor();
  await page.context().close();
  await again.page.context().close();
  await runCli(['stop', run], { cwd: repo, env: where.env });
});

browserTest(
  'a run that has ended is shown by what is left of it, and what is not is said',
  async () => {
    const { links, run, repo, where } = await given();
    await runCli(['stop', run], { cwd: repo, env: where.env });
    await until(() => hostsOf(where.home).length === 0);
    writeFileSync(path.join(repo, `.aider_logs/agent1_${run}.cast`), '{"half');
    truncateSync(path.join(repo, `.aider_logs/agent2_${run}.cast`), 64 * 1024 * 1024 + 1);
    rmSync(path.join(repo, `.aider_logs/agent3_${run}.cast`));
    const { page } = await open(links[0] as string);
    await page.getByRole('link', { name: run }).click();
    await terminal(page, 0).getByText('at work on f0.txt').waitFor();
    await terminal(page, 1).getByText('Its recording cannot be read now.').waitFor();
    await terminal(page, 2).getByText('Its recording is too large to be shown here.').waitFor();
    await terminal(page, 3).getByText('Nothing was recorded of it.').waitFor();
    // Its keys are the page's, also where it is clicked into.
    await page.keyboard.press('0');
    await page.keyboard.press('i');
    await page.keyboard.press('l');
    await terminal(page, 1).waitFor();
    await page.keyboard.press('h');
    await terminal(page, 0).getByText('at work on f0.txt').first().waitFor();
    await terminal(page, 0).click();
    await page.keyboard.press('Escape');
    await terminal(page, 3).waitFor();
    await tryOut(page, 'Kill all');
    await page.getByRole('status').getByText('The run has ended.').waitFor();
    await press(page, 'PRD');
    await page.getByText('This run has no PRD.').waitFor();
    await press(page, 'change');
    await page.getByText('Nothing is merged yet.').waitFor();
    await isUsable(page);
    // Its own journal is gone.
    rmSync(recordOf(where, run).replace(/jsonl$/, 'journal.jsonl'));
    await page.reload();
    await page.getByText("The run's journal is empty, or gone.").waitFor();
    await page.context().close();
  },
);

/** A browser is asked each half minute whether it is there, and let go the next time: this is more. */
const sleepsMs = 65_000;

browserTest(
  'a browser that sleeps for a minute finds the run as it is when it comes back',
  async () => {
    const { links, run, repo, where } = await given();
    const { browser, signal, close } = await openStoppable();
    onTestFinished(close);
    const page = await (await browser.newContext({ viewport: large })).newPage();
    page.setDefaultTimeout(patience);
    await page.goto(links[0] as string);
    await page.getByRole('link', { name: run }).click();
    await terminal(page, 2).getByText('at work on f2.txt').waitFor();
    signal('SIGSTOP');
    const slept = pause(sleepsMs);
    const other = await open(links[1] as string);
    await other.page.getByRole('link', { name: run }).click();
    await terminal(other.page, 2).getByText('at work on f2.txt').waitFor();
    await other.page.keyboard.press('2');
    await terminal(other.page, 2).locator('textarea').pressSequentially('while you slept\n');
    await terminal(other.page, 2).getByText('heard: while you slept').first().waitFor();
    await other.page.keyboard.press('Control+]');
    await press(other.page, 'Kill');
    await other.page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
    await other.page.getByText('killed', { exact: true }).first().waitFor();
    await slept;
    signal('SIGCONT');
    await page.getByText('killed', { exact: true }).first().waitFor();
    await terminal(page, 2).getByText('heard: while you slept').first().waitFor();
    // It leads the run as before.
    await page.getByRole('button', { name: 'Kill all', disabled: false }).waitFor();
    await page.keyboard.press('1');
    await terminal(page, 1).locator('textarea').pressSequentially('good morning\n');
    await terminal(page, 1).getByText('heard: good morning').first().waitFor();
    await other.page.context().close();
    await runCli(['stop', run], { cwd: repo, env: where.env });
  },
);

/** Where pictures for the docs are put, such as `.github`; null where none are taken. */
const pictures = process.env['PICTURES'] ?? null;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== null) await page.screenshot({ path: path.join(pictures, `${name}.png`) });
}

test.skipIf(chromiumHere === null || inject('aider') === null)(
  'four real Aiders on a page: one is killed and restarted with a remark, one taken over and typed into, and all lands',
  async () => {
    const names = ['a', 'b', 'c', 'd'];
    const edit = (name: string) => diffEdit(`${name}.py`, `${name} = 1`, `${name} = 2`);
    const slowly = { chunkSize: 3, chunkDelayMs: 60 };
    const server = await modelServer([
      { when: 'hurry up', replies: [{ text: edit('b') }] },
      { when: 'Task: Raise b', replies: [{ text: edit('b'), delayMs: 600_000 }] },
      { when: 'By hand, raise c', replies: [{ text: edit('c') }] },
      { when: 'Task: Raise c', replies: [{ text: 'I wait.', delayMs: 600_000 }] },
      ...names.map((name) => ({
        when: `Task: Raise ${name}`,
        replies: [{ text: `I raise ${name} as I was told.\n\n${edit(name)}`, ...slowly }],
      })),
    ]);
    const where = world(server);
    const repo = makeRepo(Object.fromEntries(names.map((name) => [`${name}.py`, `${name} = 1\n`])));
    const tasks = names.map((name) => {
      const depends_on = name === 'd' ? ['A', 'C'] : [];
      return { id: name.toUpperCase(), title: `Raise ${name}`, files: [`${name}.py`], depends_on };
    });
    const flags = ['--no-test', '--max-agents', '4', '--detach', '--change', 'Raise all numbers'];
    const begun = await startPlan(repo, where, tasks, flags).end;
    expect(begun.code, begun.stderr).toBe(0);
    const { links } = await serve(repo, where);
    const { page, problems } = await open(links[0] as string, { colorScheme: 'dark' });
    await page.getByRole('link', { name: begun.stdout.trim() }).click();
    await terminal(page, 0).getByText('Aider v').waitFor();
    await terminal(page, 1).getByText('Aider v').waitFor();
    await page.getByText('Waits for A, C.').waitFor();
    await picture(page, 'page-grid');
    await page.setViewportSize(phone);
    await page.emulateMedia({ colorScheme: 'light' });
    await terminal(page, 0).getByText('Aider v').waitFor();
    await picture(page, 'page-phone');
    await page.setViewportSize(large);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.keyboard.press('1');
    await page.keyboard.press('Control+]');
    await page.keyboard.press('x');
    await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
    await page.getByText('killed', { exact: true }).first().waitFor();
    await page.keyboard.press('R');
    await page.getByRole('dialog').getByRole('textbox').fill('Please hurry up.');
    await page.keyboard.press('Enter');
    // Taken over, and typed into: a real Aider reads it, and the work counts as any other.
    await page.keyboard.press('2');
    await page.keyboard.press('t');
    await page.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
    const rows = terminal(page, 2).locator('.xterm-rows > div');
    await rows
      .filter({ hasText: /^>\s*$/ })
      .first()
      .waitFor();
    await terminal(page, 2).locator('textarea').pressSequentially('By hand, raise c\n');
    await terminal(page, 2).getByText('Applied edit to c.py').first().waitFor();
    await terminal(page, 2).locator('textarea').pressSequentially('/exit\n');
    await page.getByText('succeeded', { exact: true }).first().waitFor();
    await page.keyboard.press('Control+]');
    await page.keyboard.press('v');
    await page.getByText('The work landed on main').waitFor();
    await picture(page, 'page-summary');
    // What it was: the second agent at work, before it was killed.
    await page.keyboard.press('c');
    await page.getByRole('button', { name: /agent1\s+attempt 1 started/ }).click();
    await page.getByText(/As it was at/).waitFor();
    await page.setViewportSize(phone);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.keyboard.press('o');
    await page.getByText('working', { exact: true }).first().waitFor();
    await page.locator('[data-ready="true"]').first().waitFor();
    await isUsable(page);
    expect(problems).toEqual([]);
    await page.context().close();
    const code = (await runCli(['wait', begun.stdout.trim()], { cwd: repo, env: where.env })).code;
    expect(code).toBe(0);
    for (const name of names) {
      expect(readFileSync(path.join(repo, `${name}.py`), 'utf8')).toBe(`${name} = 2\n`);
    }
    expect(lastSummary(repo).agents['agent1']).toMatchObject({ attempts: 2, merged: true });
    await until(() => hostsOf(where.home).length === 0);
  },
);
