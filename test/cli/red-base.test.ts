import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { git, lastSummary, makeRepo, runCli, runPlan } from '../rig.js';
import { key, openScreen } from '../screen-rig.js';
import { lineWriter } from '../stand-in-aider.js';

/** A test of Node's that wants a file to hold, or not to hold, what agents write. */
const wants = (file: string, text: string, isIn = true) => `
import test from 'node:test';
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
test('${file} ${isIn ? 'has' : 'has not'} ${text}', () => {
  assert.equal(readFileSync('${file}', 'utf8').includes('${text}'), ${isIn});
});
`;

const files = {
  'a.txt': '1\n',
  'b.txt': '1\n',
  'package.json': '{"type":"module","scripts":{"test":"node --test"}}\n',
  'test/a.test.js': wants('a.txt', 'by an agent'),
  'test/b.test.js': wants('b.txt', 'by an agent', false),
};

const task = (...own: string[]) => ({ id: 'T1', title: 'Add a line', files: own });

describe('tests that fail on the base', () => {
  test('are fixed: what lands is green, and the change is told', async () => {
    const repo = makeRepo(files);
    const flags = ['--test-cmd', 'npm test', '--red-base', 'fix'];
    const { code, summary, stdout, stderr } = await runPlan(
      repo,
      lineWriter(0),
      [task('a.txt')],
      flags,
    );
    expect(code, stdout + stderr).toBe(0);
    expect(stdout + stderr).toContain(
      'no test that passed there may fail, and what lands has to be green',
    );
    expect(summary.landing).toBe('landed on main, tests passed, 1 fail → 0 fail');
    expect(summary.agents['agent0']?.tests).toBe('tests passed, 1 fail → 0 fail');
    expect(summary.tests?.base).toBe('tests failed (1 of 2)');
  });

  test('who breaks another one is told which, and does not land', async () => {
    const repo = makeRepo(files);
    const flags = ['--test-cmd', 'npm test', '--red-base', 'fix', '--max-iterations', '2'];
    const { code, summary } = await runPlan(repo, lineWriter(0), [task('b.txt')], flags);
    expect(code).toBe(1);
    expect(summary.agents['agent0']).toMatchObject({ outcome: { reason: 'tests_failed' } });
    expect(summary.agents['agent0']?.error).toContain(
      'tests that passed before fail now: b.txt has not by an agent',
    );
    const told = path.join(repo, '.aider_logs/runs', summary.timestamp, 'agent0/message2.txt');
    expect(readFileSync(told, 'utf8')).toContain('b.txt has not by an agent');
  });

  test('what is not green in the end does not land, with reports and without', async () => {
    const more = { ...files, 'test/c.test.js': wants('a.txt', 'never') };
    for (const command of ['npm test', 'npm test || exit 1']) {
      const repo = makeRepo(more);
      const flags = ['--test-cmd', command, '--red-base', 'fix'];
      const { code, summary } = await runPlan(repo, lineWriter(0), [task('a.txt')], flags);
      expect(code).toBe(1);
      expect(summary.landing).toContain('what lands has to be green');
      expect(summary.agents['agent0']?.success).toBe(true);
      expect(git(repo, 'rev-parse', 'HEAD')).toBe(summary.base);
    }
  });

  test('reports that the command writes by itself are found by their names', async () => {
    const report = (bad: string) =>
      `<testsuite><testcase classname="x" name="old"/><testcase classname="x" name="new">${bad}</testcase></testsuite>`;
    const repo = makeRepo({
      'a.txt': '1\n',
      '.gitignore': 'out/\n',
      'good.xml': report(''),
      'bad.xml': report('<failure message="no"/>'),
    });
    const command =
      'mkdir -p out; if grep -q agent a.txt; then cat good.xml > out/r.xml; else cat bad.xml > out/r.xml; exit 1; fi';
    const flags = ['--test-cmd', command, '--test-report', 'out/*.xml', '--red-base', 'fix'];
    const { code, summary } = await runPlan(repo, lineWriter(0), [task('a.txt')], flags);
    expect(code).toBe(0);
    expect(summary.landing).toBe('landed on main, tests passed, 1 fail → 0 fail');
  });
});

test('criteria of the PRD point at tests, and the summary says what those do', async () => {
  const repo = makeRepo(files);
  const where = lineWriter(0);
  const prd = path.join(where.home, 'prd.md');
  writeFileSync(
    prd,
    `# A line

## Requirements

- R1: a.txt gets a line (test: a.txt has by an agent)
- R2: b.txt stays (tests: b.txt has not by an agent; nobody wrote this one)
- R3: nothing else

## Tasks

### T1: Add a line

- Files: \`a.txt\`
- Requirements: R1, R2, R3
`,
  );
  const args = [
    '--prd',
    prd,
    '--change',
    'Add a line',
    '--test-cmd',
    'npm test',
    '--red-base',
    'fix',
  ];
  const end = await runCli([...args, '--headless', ...where.aiderFlags], {
    cwd: repo,
    env: where.env,
  });
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(lastSummary(repo).requirements?.map(({ named_tests }) => named_tests)).toEqual([
    [{ name: 'a.txt has by an agent', state: 'passes' }],
    [
      { name: 'b.txt has not by an agent', state: 'passes' },
      { name: 'nobody wrote this one', state: 'not run' },
    ],
    [],
  ]);
  expect(end.stdout).toMatch(/✓ R1 .*test "a\.txt has by an agent" passes/);
  expect(end.stdout).toMatch(/○ R2 .*test "nobody wrote this one" was not run/);
  expect(end.stdout).toMatch(/✓ R3 .*tests pass/);
});

describe('on the screen a red base asks', () => {
  const open = (repo: string) => {
    const where = lineWriter(0);
    const plan = path.join(where.home, 'plan.json');
    writeFileSync(plan, JSON.stringify({ tasks: [task('a.txt')] }));
    const args = ['--plan', plan, '--change', 'Add a line', '--test-cmd', 'npm test'];
    return openScreen([...args, ...where.aiderFlags], { cwd: repo, env: where.env });
  };
  const question =
    /The tests fail on the base[\s\S]*tests failed \(1 of 2\)[\s\S]*Continue: keep what passes, land only green/;

  test('look, another command, back to Start with the draft, and on towards green', async () => {
    const repo = makeRepo(files);
    const app = open(repo);
    await app.shows(/What is to be changed/);
    await app.press(key.enter, /GROUPS/);
    await app.press(key.enter, /This is what will happen[\s\S]*you are asked \(b\)/);
    await app.press(key.enter, question);
    // What they printed, and back to the question.
    await app.press('jj', /▸ Show what they printed/);
    await app.press(key.enter, /a\.txt has by an agent/);
    await app.press(key.esc, question);
    // Put off, it says what to press.
    await app.press(key.esc, /your decision \(b\)/);
    await app.press('b', question);
    // Another command.
    await app.press('jjj', /▸ Set another/);
    await app.press(key.enter, /The base is tested again/);
    app.type(' --silent');
    await app.press(key.enter, /The tests fail on the base[\s\S]*tests failed \(exit code 1\)/);
    // Back: all is as it was, and the run can be started again.
    await app.press('jjjj', /▸ Back to Start/);
    await app.press(key.enter, /This is what will happen[\s\S]*you are asked \(b\)/);
    await app.shows(/Add a line/);
    await app.press(key.enter, question);
    await app.press(key.enter, /landed on main, tests passed, 1 fail → 0 fail/);
    app.type('q');
    const end = await app.end();
    expect(end.code, end.text).toBe(0);
    expect(lastSummary(repo).landed).toBe(true);
    expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toContain('by an agent');
    expect(readdirSync(path.join(repo, '.aider_logs/runs'))).toHaveLength(2);
    expect(existsSync(path.join(repo, '.aider_logs/runs', lastSummary(repo).timestamp))).toBe(true);
  });
});
