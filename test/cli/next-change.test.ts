import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../eventually.js';
import { hostsOf } from '../processes.js';
import { git, lastSummary, makeRepo, runCli, startCli, type World, world } from '../rig.js';
import { key, openScreen } from '../screen-rig.js';

/** Waits until a file named after its task is there, then adds a line to its own files. */
const waiter = `#!/bin/sh
name=$(sed -n 's/^Task: //p' "$AGENT_PROMPT_FILE" | head -n 1)
echo "at work on $name"
for file in $AGENT_FILES; do echo "by $name" >> "$file"; done
until [ -e "$GO/$name" ]; do sleep 0.05; done
`;

interface Setting {
  readonly where: World;
  readonly repo: string;
  readonly agent: string;
  /** Lets the agents of a task go on. */
  go(task: string): void;
  /** A plan of one task. */
  plan(task: string, file: string): string;
}

function setting(): Setting {
  const where = world(null);
  const lines = Array.from({ length: 20 }, (_, line) => `line ${line}`).join('\n');
  const repo = makeRepo({ 'a.txt': `${lines}\n`, 'b.txt': 'b\n' });
  const agent = path.join(where.home, 'agent.sh');
  writeFileSync(agent, waiter);
  chmodSync(agent, 0o755);
  return {
    where: { ...where, env: { ...where.env, GO: where.home } },
    repo,
    agent,
    go: (task) => writeFileSync(path.join(where.home, task), ''),
    plan: (task, file) => {
      const plan = path.join(where.home, `${task}.json`);
      writeFileSync(plan, JSON.stringify({ tasks: [{ id: 'T1', title: task, files: [file] }] }));
      return plan;
    },
  };
}

function start(
  { where, repo, agent, plan }: Setting,
  task: string,
  file: string,
  ...more: string[]
) {
  const args = ['--plan', plan(task, file), '--agent-cmd', agent, '--headless', ...more];
  return startCli(args, { cwd: repo, env: where.env });
}

test('a run that lands later is merged onto what landed before it, and tested, first', async () => {
  const given = setting();
  const tests = ['--test-cmd', 'test -s a.txt && test -s b.txt'];
  const one = start(given, 'first', 'a.txt', ...tests);
  const other = start(given, 'second', 'b.txt', ...tests);
  await one.waitFor(/attempt 1 started/);
  await other.waitFor(/attempt 1 started/);
  given.go('first');
  expect((await one.end).code).toBe(0);
  given.go('second');
  const end = await other.end;
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(end.stdout).toMatch(/Run \d{8}_\d{6} landed on main meanwhile: the work is merged onto/);
  expect(readFileSync(path.join(given.repo, 'a.txt'), 'utf8')).toContain('by first');
  expect(readFileSync(path.join(given.repo, 'b.txt'), 'utf8')).toContain('by second');
  expect(git(given.repo, 'status', '--porcelain')).toBe('');
});

test('where anybody else has moved the branch, a run still waits for a person', async () => {
  const given = setting();
  const one = start(given, 'first', 'a.txt', '--no-test');
  const other = start(given, 'second', 'b.txt', '--no-test');
  await Promise.all([one, other].map((run) => run.waitFor(/attempt 1 started/)));
  given.go('first');
  expect((await one.end).code).toBe(0);
  git(given.repo, 'commit', '-q', '--allow-empty', '-m', "somebody's own");
  given.go('second');
  const end = await other.end;
  expect(end.code).toBe(1);
  expect(end.stdout).toContain('has moved since the run started');
});

test('two runs that change the same file say so while they do, and a conflict keeps the later one', async () => {
  const given = setting();
  const one = start(given, 'first', 'a.txt', '--no-test');
  const other = start(given, 'second', 'a.txt', '--no-test');
  await Promise.all([one, other].map((run) => run.waitFor(/Run \d{8}_\d{6} changes a\.txt, too/)));
  given.go('first');
  expect((await one.end).code).toBe(0);
  given.go('second');
  const end = await other.end;
  expect(end.code).toBe(1);
  expect(end.stdout).toMatch(/cannot be merged onto main as it is now/);
  expect(lastSummary(given.repo)).toBeDefined();
});

test('n begins the next change while a run goes, and leads from run to run', async () => {
  const given = setting();
  const { where, repo, agent } = given;
  const app = openScreen(
    ['--no-prd', '--agent-cmd', agent, '--no-test', '--max-agents', '1', '--files', 'a.txt'],
    { cwd: repo, env: where.env, cols: 120, rows: 40 },
  );
  const begin = async (change: string) => {
    await app.shows(/What is to be changed/);
    await app.press(change, new RegExp(change));
    await app.press(key.enter, /GROUPS/);
    await app.press(key.enter, /This is what will happen/);
    await app.press(key.enter, new RegExp(`at work on ${change}`));
  };
  await begin('first');
  await app.press('n', /Runs in this repository[\s\S]*Begin a new change[\s\S]*on this screen/);
  await app.press(key.enter, /CHANGE/);
  await begin('second');
  expect(hostsOf(where.home)).toHaveLength(2);
  // Back to the first one, which is below the one on the screen.
  await app.press('n', /Begin a new change[\s\S]*second[\s\S]*first/);
  await app.press(`${key.down}${key.down}${key.enter}`, /at work on first/);
  given.go('first');
  await app.shows(/1 done[\s\S]*landed/);
  await app.press(key.enter, /SUMMARY/);
  // On the summary, too; and what has ended shows its result.
  await app.press('n', /This run has finished/);
  await app.press(`${key.down}${key.enter}`, /at work on second/);
  await app.press('n', /Begin a new change/);
  await app.press(`${key.down}${key.down}${key.enter}`, /The work landed on main/);
  await app.press(key.esc, /at work on second/);
  await app.press('q', /Leave it running/);
  app.type(key.enter);
  expect((await app.end()).code).toBe(0);
  given.go('second');
  await until(() => hostsOf(where.home).length === 0);
  const list = await runCli(['runs'], { cwd: repo, env: where.env });
  expect(list.stdout.trim().split('\n')).toHaveLength(2);
});
