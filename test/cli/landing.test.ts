import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { git, lastSummary, makeRepo, runCli } from '../rig.js';
import { key, openScreen } from '../screen-rig.js';
import { lineWriter } from '../stand-in-aider.js';

const files = { 'a.txt': '1\n', 'b.txt': '1\n', 'c.txt': 'fine\n' };
const task = { id: 'T1', title: 'Add a line', files: ['a.txt'] };

/** A run on the screen whose one agent has done its work; `during` happens while it works. */
async function finished(
  flags: readonly string[],
  during: (repo: string) => void,
  ends: RegExp,
): Promise<{
  app: ReturnType<typeof openScreen>;
  repo: string;
  where: ReturnType<typeof lineWriter>;
}> {
  const repo = makeRepo(files);
  const where = lineWriter(1);
  const plan = path.join(where.home, 'plan.json');
  writeFileSync(plan, JSON.stringify({ tasks: [task] }));
  const args = ['--plan', plan, '--change', 'Add a line', ...flags];
  const app = openScreen([...args, ...where.aiderFlags], { cwd: repo, env: where.env });
  await app.shows(/What is to be changed/);
  await app.press(key.enter, /GROUPS/);
  await app.press(key.enter, /This is what will happen/);
  await app.press(key.enter, /● working/);
  during(repo);
  await app.shows(ends);
  await app.press(key.enter, /SUMMARY/);
  return { app, repo, where };
}

/** A commit of somebody else on the branch that the run is to land on. */
const commits = (file: string, text: string) => (repo: string) => {
  writeFileSync(path.join(repo, file), text);
  git(repo, 'commit', '-qam', 'Meanwhile');
};

const inTree = (repo: string, file: string) => readFileSync(path.join(repo, file), 'utf8');

describe('a branch that has moved', () => {
  test('L merges the work onto it, tests it there, and lands it; u brings it back to where it was', async () => {
    const { app, repo, where } = await finished(
      ['--test-cmd', 'grep -q 1 a.txt b.txt'],
      commits('b.txt', '1\n2\n'),
      /has moved since the run started/,
    );
    const moved = git(repo, 'rev-parse', 'HEAD');
    await app.shows(/L merges the work onto main as it is now, tests it there, and lands it/);
    await app.press('L', /✓ Landed on main, tests passed/);
    expect(inTree(repo, 'a.txt')).toBe('1\nby an agent\n');
    expect(inTree(repo, 'b.txt')).toBe('1\n2\n');
    expect(git(repo, 'rev-parse', 'HEAD^1')).toBe(moved);
    await app.press('u', new RegExp(`main goes back to ${moved.slice(0, 12)}`));
    await app.press('y', /Taken back from main/);
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(moved);
    expect(inTree(repo, 'a.txt')).toBe('1\n');
    // And once more, to be taken back by the command.
    await app.press('L', /✓ Landed on main/);
    app.type('q');
    expect((await app.end()).code).toBe(0);
    expect(lastSummary(repo)).toMatchObject({ landed: true, landed_from: moved });
    const undone = await runCli(['undo'], { cwd: repo, env: where.env });
    expect(undone.stdout + undone.stderr).toContain(`main is at ${moved.slice(0, 12)} again`);
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(moved);
  });

  test('a conflict, and tests that are red there, are said; nothing is touched', async () => {
    for (const [file, text, why] of [
      ['a.txt', 'other\n', /conflicts in a\.txt/],
      ['c.txt', 'broken\n', /on top of main as it is now the\s+tests failed/],
    ] as const) {
      const { app, repo } = await finished(
        ['--test-cmd', 'grep -q fine c.txt'],
        commits(file, text),
        /has moved since the run started/,
      );
      const moved = git(repo, 'rev-parse', 'HEAD');
      await app.press('L', why);
      expect(git(repo, 'rev-parse', 'HEAD')).toBe(moved);
      expect(git(repo, 'status', '--porcelain')).toBe('');
      app.type('q');
      const end = await app.end();
      expect(end.code).toBe(1);
      expect(end.text).toContain('git merge aider/');
    }
  });
});

describe('--land ask', () => {
  test('waits for a look at the merged diff, then L lands it', async () => {
    const { app, repo } = await finished(['--land', 'ask'], () => {}, /it waits for your\s+look/);
    expect(inTree(repo, 'a.txt')).toBe('1\n');
    await app.shows(/b shows the merged diff, L lands the merged work/);
    await app.press('L', /✓ Landed on main/);
    expect(inTree(repo, 'a.txt')).toBe('1\nby an agent\n');
    app.type('q');
    expect((await app.end()).code).toBe(0);
  });
});

test('a set-up command that fails is changed on the summary, and the agent then succeeds', async () => {
  const repo = makeRepo(files);
  const where = lineWriter(1);
  const plan = path.join(where.home, 'plan.json');
  writeFileSync(plan, JSON.stringify({ tasks: [task] }));
  const args = [
    '--plan',
    plan,
    '--change',
    'Add a line',
    '--setup-cmd',
    'echo no such tool; exit 3',
  ];
  const app = openScreen([...args, ...where.aiderFlags], { cwd: repo, env: where.env });
  await app.shows(/What is to be changed/);
  await app.press(key.enter, /GROUPS/);
  await app.press(key.enter, /This is what will happen/);
  await app.press(key.enter, /✗ 1 failed/);
  await app.press(key.enter, /S changes it, R restarts[\s\S]*exit code 3: no such\s+tool/);
  await app.press('S', /It prepares each worktree/);
  await app.press('\x15echo ready > made.txt\r', /are prepared by/);
  await app.press('R', /landed on main/);
  expect(inTree(repo, 'a.txt')).toBe('1\nby an agent\n');
  expect(existsSync(path.join(repo, 'made.txt'))).toBe(false);
  app.type('q');
  expect((await app.end()).code).toBe(0);
  expect(lastSummary(repo).warnings.join(' ')).toContain('From here on worktrees are prepared by');
});

test('another run that is going on here is said before a change is typed', async () => {
  const repo = makeRepo(files);
  const where = lineWriter(1);
  const plan = path.join(where.home, 'plan.json');
  writeFileSync(plan, JSON.stringify({ tasks: [task] }));
  const open = () =>
    openScreen(['--plan', plan, '--change', 'Add a line', ...where.aiderFlags], {
      cwd: repo,
      env: where.env,
    });
  const first = open();
  await first.shows(/What is to be changed/);
  await first.press(key.enter, /GROUPS/);
  await first.press(key.enter, /This is what will happen/);
  await first.press(key.enter, /RUN/);
  // Paused it goes on for as long as nobody resumes it.
  await first.press('p', /PAUSED/);
  const second = open();
  await second.shows(/runs: the run \d{8}_\d{6} is open in this repository/);
  second.type('\x03');
  await second.press('\x03', /kept|Quit/);
  await first.press('p', /landed on main/);
  first.type('q');
  expect((await first.end()).code).toBe(0);
});

test('git is told who commits on Change, and what was fixed elsewhere is seen by Enter', async () => {
  const repo = makeRepo(files);
  const where = lineWriter(1);
  const plan = path.join(where.home, 'plan.json');
  writeFileSync(plan, JSON.stringify({ tasks: [task] }));
  for (const name of ['user.name', 'user.email']) git(repo, 'config', '--unset-all', name);
  const nobody = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', EMAIL: '' };
  const env = { ...where.env, ...nobody };
  const open = () =>
    openScreen(['--plan', plan, '--change', 'Add a line', ...where.aiderFlags], { cwd: repo, env });
  const app = open();
  await app.shows(/identity: git does not know who commits/);
  await app.press('\x1b[15~', /Who commits\?/);
  await app.press('Ann Lee <ann@example.com>\r', /Commits in this repository are by Ann Lee/);
  expect(git(repo, 'config', '--local', 'user.email')).toBe('ann@example.com');
  await app.press(key.enter, /GROUPS/);
  await app.press(key.enter, /This is what will happen/);
  for (const name of ['user.name', 'user.email']) git(repo, 'config', '--unset-all', name);
  app.type('\x1b[27u\x1b[27u');
  await app.press('', /identity: git does not know/);
  git(repo, 'config', 'user.name', 'Bob');
  git(repo, 'config', 'user.email', 'bob@example.com');
  await app.press(key.enter, /GROUPS/);
});
