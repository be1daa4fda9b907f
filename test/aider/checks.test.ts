import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { diffEdit } from '../../source/services/model-server/script.js';
import { aiderTest, git, makeRepo, modelServer, runPlan, world } from '../rig.js';

/** Tests of a project: both values have to be positive, and never more than 5 together. */
const check = `a=$(cat a.txt); b=$(cat b.txt)
if [ "$a" -lt 0 ] || [ "$b" -lt 0 ]; then echo "FAIL expected a positive value, key $SECRET_KEY"; exit 1; fi
if [ $((a + b)) -gt 5 ]; then echo "FAIL expected a sum of at most 5, got $((a + b))"; exit 3; fi
echo "all is well"; echo trash > leftover.txt
`;
const files = { 'a.txt': '1\n', 'b.txt': '1\n', 'test.sh': check };
const task = (name: string, more = {}) => ({
  id: name.toUpperCase(),
  title: `Raise ${name}`,
  files: [`${name}.txt`],
  ...more,
});
const edit = (name: string, from: string, to: string) => ({
  text: diffEdit(`${name}.txt`, from, to),
});
const flags = ['--test-cmd', 'sh test.sh', '--max-iterations', '4'];

function withSecret(where: ReturnType<typeof world>) {
  return { ...where, env: { ...where.env, SECRET_KEY: 'hunter2-hunter2' } };
}

describe("the project's tests, with real Aider", () => {
  aiderTest(
    'red work goes back to its agent with what the tests said; green work lands',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer([
        { when: 'Task: Raise a', replies: [edit('a', '1', '-2'), edit('a', '-2', '2')] },
      ]);
      const end = await runPlan(repo, withSecret(world(server)), [task('a')], flags);
      expect(end.code, end.stdout + end.stderr).toBe(0);
      expect(end.summary).toMatchObject({
        landed: true,
        landing: 'landed on main, tests passed',
        tests: { command: 'sh test.sh', base: 'tests passed', merged: 'tests passed' },
      });
      expect(end.summary.agents['agent0']).toMatchObject({ iterations: 2, tests: 'tests passed' });
      expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toBe('2\n');
      const told = server.requests.at(-1)?.text ?? '';
      expect(told).toContain('FAIL expected a positive value, key ***');
      expect(told).not.toContain('hunter2');
      // What the tests leave behind is nobody's work.
      expect(git(repo, 'ls-files')).not.toContain('leftover');
      expect(git(repo, 'status', '--porcelain')).toBe('');
    },
  );

  aiderTest(
    'tests that stay red: failed, nothing lands; a model that claims success is not believed',
    async () => {
      const repo = makeRepo(files);
      const claims = { text: `All tests pass.\n\n${edit('a', '1', '-2').text}` };
      const server = await modelServer([
        { replies: [claims, edit('a', '-2', '-3'), edit('a', '-3', '-4'), edit('a', '-4', '-5')] },
      ]);
      const end = await runPlan(repo, world(server), [task('a')], flags);
      expect(end.code).toBe(1);
      expect(end.summary.agents['agent0'], end.stdout).toMatchObject({
        outcome: { state: 'failed', reason: 'tests_failed' },
        iterations: 4,
        merged: false,
      });
      expect(end.summary.agents['agent0']?.error).toContain(
        'sh test.sh: exit code 1, after 4 iterations',
      );
      expect(git(repo, 'rev-parse', 'HEAD')).toBe(end.summary.base);
    },
  );

  aiderTest('a red base stops the run before any agent, and is allowed when asked', async () => {
    const repo = makeRepo({ ...files, 'a.txt': '-1\n' });
    const server = await modelServer([{ replies: [edit('b', '1', '2')] }]);
    const end = await runPlan(repo, world(server), [task('b')], flags);
    expect(end.code, end.stdout + end.stderr).toBe(1);
    expect(end.stderr).toContain('The tests fail on the base already');
    expect(end.stderr).toContain('FAIL expected a positive value');
    expect(end.stderr).toContain('--red-base report');
    expect(server.requests).toEqual([]);
    const allowed = await runPlan(repo, world(server), [task('b')], [...flags, '--allow-red-base']);
    expect(allowed.code, allowed.stdout + allowed.stderr).toBe(0);
    expect(allowed.summary.landing).toBe(
      'landed on main, tests failed (exit code 1), as on the base',
    );
  });

  aiderTest(
    'two that are green alone and red together: the later one mends it on top of the other',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer([
        {
          when: 'Together with the work of others|but together with',
          replies: [edit('b', '4', '2')],
        },
        { when: 'Task: Raise a', replies: [edit('a', '1', '3')] },
        { when: 'Task: Raise b', replies: [{ ...edit('b', '1', '4'), delayMs: 3000 }] },
      ]);
      const end = await runPlan(
        repo,
        world(server),
        [task('a'), task('b')],
        [...flags, '--max-agents', '2'],
      );
      expect(end.code, end.stdout + end.stderr).toBe(0);
      expect(end.summary.agents['agent1']).toMatchObject({
        success: true,
        repairs: 1,
        iterations: 2,
      });
      expect(readFileSync(path.join(repo, 'b.txt'), 'utf8')).toBe('2\n');
      const told = server.requests.at(-1)?.text ?? '';
      expect(told).toContain('expected a sum of at most 5, got 7');
      // What landed is the very commit that was tested.
      expect(git(repo, 'rev-parse', 'HEAD')).toBe(end.summary.integration_commit);
    },
  );

  aiderTest(
    'one that breaks the others and cannot mend it is left out; the rest lands when any may',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer([
        { when: 'Task: Raise a', replies: [edit('a', '1', '3')] },
        {
          when: 'Task: Raise b',
          replies: [
            { ...edit('b', '1', '4'), delayMs: 3000 },
            edit('b', '4', '5'),
            edit('b', '5', '6'),
          ],
        },
      ]);
      const end = await runPlan(
        repo,
        world(server),
        [task('a'), task('b')],
        [...flags, '--max-agents', '2', '--land', 'any'],
      );
      expect(end.code, end.stdout + end.stderr).toBe(1);
      expect(end.summary.agents['agent1']).toMatchObject({
        outcome: { state: 'failed', reason: 'breaks_tests' },
        merged: false,
      });
      expect(end.summary).toMatchObject({ landed: true, landing: 'landed on main, tests passed' });
      expect(readFileSync(path.join(repo, 'b.txt'), 'utf8')).toBe('1\n');
      expect(
        git(repo, 'rev-parse', '--verify', `${end.summary.agents['agent1']?.branch}`),
      ).not.toBe('');
    },
  );

  aiderTest(
    "a file where another made a folder is not the agent's to mend: left out by name",
    async () => {
      const repo = makeRepo({ 'a.txt': '1\n' });
      const made = (file: string) => ({ text: diffEdit(file, '', 'new\n') });
      const server = await modelServer([
        { when: 'Task: Make the file', replies: [made('x')] },
        { when: 'Task: Make the folder', replies: [{ ...made('x/y'), delayMs: 3000 }] },
      ]);
      const tasks = [
        { id: 'A', title: 'Make the file', files: ['x'] },
        { id: 'B', title: 'Make the folder', files: ['x/y'] },
      ];
      const more = ['--max-agents', '2', '--max-iterations', '3'];
      const end = await runPlan(repo, world(server), tasks, more);
      expect(end.code, end.stdout + end.stderr).toBe(1);
      expect(end.summary.agents['agent1']).toMatchObject({
        outcome: { state: 'failed', reason: 'merge_conflict' },
        merged: false,
      });
      expect(end.summary.agents['agent1']?.conflicts.join()).toContain('x');
      expect(git(repo, 'show', `${end.summary.agents['agent1']?.branch}:x/y`)).toBe('new');
      expect(git(repo, 'show', `${end.summary.integration_commit}:x`)).toBe('new');
    },
  );

  aiderTest('flaky tests are told from broken ones by one rerun', async () => {
    const repo = makeRepo({ 'a.txt': '1\n', '.gitignore': 'x\n' });
    const server = await modelServer([{ replies: [edit('a', '1', '2')] }]);
    const where = world(server);
    const count = path.join(where.home, 'count');
    writeFileSync(count, '');
    // Red at every first of two runs on the base and on the merged work.
    const command = `printf x >> ${count}; case $(wc -c < ${count}) in 1|4) exit 1;; esac`;
    const end = await runPlan(repo, where, [task('a')], ['--test-cmd', command]);
    expect(end.code, end.stdout + end.stderr).toBe(0);
    expect(readFileSync(count, 'utf8')).toBe('xxxxx');
    expect(end.stdout).toContain('flaky');
    expect(end.summary.tests).toMatchObject({
      base: 'tests passed at the second try (flaky)',
      merged: 'tests passed at the second try (flaky)',
    });
  });

  aiderTest('a test command that hangs, forks away or floods is bounded', async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    const server = await modelServer([{ replies: [edit('a', '1', '2')] }]);
    const where = world(server);
    const mark = `left-${Date.now()}`;
    const hang = `setsid sh -c 'sleep 987 # ${mark}' & sleep 986`;
    const first = await runPlan(
      repo,
      where,
      [task('a')],
      ['--test-cmd', hang, '--test-timeout', '0.01'],
    );
    expect(first.code, first.stdout).toBe(1);
    expect(first.stderr).toContain('no end after 0.01 min');
    expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
    const flood = await runPlan(repo, where, [task('a')], ['--test-cmd', 'yes']);
    expect(flood.stderr).toContain('printed more than 64 MB');
    expect(server.requests).toEqual([]);
  });
});
