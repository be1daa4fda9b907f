import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, inject } from 'vitest';
import { diffEdit, wholeEdit } from '../../source/services/model-server/script.js';
import { until } from '../eventually.js';
import {
  aiderTest,
  git,
  isAlive,
  lastSummary,
  makeRepo,
  modelServer,
  processesWith,
  readLines,
  runCli,
  runPlan,
  startPlan,
  world,
} from '../rig.js';

const files = { 'a.py': 'a = 1\n', 'b.py': 'b = 1\n', 'c.py': 'c = 1\n' };
const edit = (name: string) => diffEdit(`${name}.py`, `${name} = 1`, `${name} = 2`);
const task = (name: string, depends_on: string[] = []) => ({
  id: name.toUpperCase(),
  title: `Raise ${name}`,
  files: [`${name}.py`],
  depends_on,
});

describe('several agents with real Aider', () => {
  aiderTest(
    'three agents in the diff format (gpt-4o, the default) are merged and landed',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer(
        ['a', 'b', 'c'].map((name) => ({
          when: `Task: Raise ${name}`,
          replies: [{ text: edit(name) }],
        })),
      );
      const end = await runPlan(
        repo,
        world(server),
        [task('a'), task('b', ['A']), task('c')],
        ['--max-agents', '3'],
      );
      expect(end.code, end.stdout + end.stderr).toBe(0);
      for (const name of ['a', 'b', 'c'])
        expect(readFileSync(path.join(repo, `${name}.py`), 'utf8')).toBe(`${name} = 2\n`);
      expect(server.requests.every((request) => request.model === 'gpt-4o')).toBe(true);
      expect(end.summary).toMatchObject({
        landed: true,
        successful_agents: 3,
        failed_agents: 0,
        total_iterations: 3,
      });
      expect(git(repo, 'rev-parse', 'HEAD')).toBe(end.summary.integration_commit);
      expect(git(repo, 'status', '--porcelain')).toBe('');
      // A dependent starts from what it depends on.
      expect(
        git(
          repo,
          'merge-base',
          '--is-ancestor',
          String(end.summary.agents['agent0']?.commit),
          String(end.summary.agents['agent1']?.commit),
        ),
      ).toBe('');
      expect(
        git(repo, 'log', '-1', '--format=%B', String(end.summary.agents['agent0']?.commit)),
      ).toContain('Co-authored-by: aider (gpt-4o)');
      expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
      const cast = readFileSync(
        path.join(repo, `.aider_logs/agent0_${end.summary.timestamp}.cast`),
        'utf8',
      )
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      expect(cast[0]).toMatchObject({ version: 2, width: 120 });
      expect(
        cast
          .slice(1)
          .every(
            ([at, code, data]) =>
              typeof at === 'number' && ['o', 'm', 'r'].includes(code) && typeof data === 'string',
          ),
      ).toBe(true);
    },
  );

  aiderTest('an unknown model, in the whole format; paths with blanks and accents', async () => {
    const name = 'my dir/größe.py';
    const repo = makeRepo(
      { [name]: 'x = 1\n', 'other.py': 'y = 1\n' },
      path.join(makeRepo({ x: '' }), '..', 'a répo'),
    );
    const server = await modelServer([{ replies: [{ text: wholeEdit(name, 'x = 2\n') }] }]);
    const end = await runPlan(
      repo,
      world(server),
      [{ id: 'T1', title: 'Raise x', files: [name] }],
      ['--model', 'openai/scripted'],
    );
    expect(end.code, end.stdout + end.stderr).toBe(0);
    expect(readFileSync(path.join(repo, name), 'utf8')).toBe('x = 2\n');
    expect(end.summary.agents['agent0']?.files_changed).toEqual([
      { path: name, status: 'M', added: 1, removed: 1 },
    ]);
  });

  aiderTest('a model of which no provider is known is told as that', async () => {
    const repo = makeRepo({ 'a.py': 'a = 1\n' });
    const server = await modelServer([{ replies: [{ text: edit('a') }] }]);
    const end = await runPlan(
      repo,
      world(server),
      [{ id: 'T1', title: 'One', files: ['a.py'] }],
      ['--model', 'no-such-model-at-all', '--direct'],
    );
    expect(end.summary.agents['agent0']?.outcome, end.stdout).toMatchObject({
      state: 'failed',
      reason: 'model_not_found',
    });
  });

  aiderTest('--land none leaves all on branches; land brings it home later', async () => {
    const repo = makeRepo(files);
    const server = await modelServer([
      { when: 'Task: One', replies: [{ text: diffEdit('a.py', 'a = 1', 'a = 11') }] },
      { when: 'Task: Two', replies: [{ text: edit('b') }] },
    ]);
    const where = world(server);
    const end = await runPlan(
      repo,
      where,
      [
        { id: 'T1', title: 'One', files: ['a.py'] },
        { id: 'T2', title: 'Two', files: ['b.py'] },
      ],
      ['--land', 'none'],
    );
    expect(end.code).toBe(0);
    expect(end.summary.landed).toBe(false);
    expect(git(repo, 'status', '--porcelain')).toBe('');
    const land = await runCli(['land'], { cwd: repo, env: where.env });
    expect(land.code, land.stderr).toBe(0);
    expect(readFileSync(path.join(repo, 'a.py'), 'utf8')).toBe('a = 11\n');
    expect(lastSummary(repo).landed).toBe(true);
  });

  aiderTest('the cap is exact: after N responses the agent is stopped', async () => {
    const repo = makeRepo(files);
    const server = await modelServer([
      { replies: [{ text: diffEdit('a.py', 'no such line', 'x'), delayMs: 300 }] },
    ]);
    const end = await runPlan(repo, world(server), [task('a')], ['--max-iterations', '2']);
    const agent = end.summary.agents['agent0'];
    expect(agent?.outcome, end.stdout).toEqual({ state: 'failed', reason: 'malformed_edits' });
    expect(agent?.iterations).toBe(2);
    expect(end.code).toBe(1);
  });

  aiderTest(
    'a change that holds a URL: Aider neither fetches it nor installs a browser',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer([{ replies: [{ text: edit('a') }] }]);
      const url = `${server.url}/page-to-fetch`;
      const end = await runPlan(repo, world(server), [
        { ...task('a'), description: `As described on ${url} and https://example.com/x` },
      ]);
      expect(end.code, end.stdout + end.stderr).toBe(0);
      expect(server.requests.map((request) => request.kind)).toEqual(['chat']);
      const cast = readFileSync(
        path.join(repo, `.aider_logs/agent0_${end.summary.timestamp}.cast`),
        'utf8',
      );
      expect(cast).not.toMatch(/playwright|Scraping|pip install/i);
    },
  );

  aiderTest('20 tasks on 2 slots', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `f${index}`);
    const repo = makeRepo(Object.fromEntries(names.map((name) => [`${name}.py`, `${name} = 1\n`])));
    const server = await modelServer(
      names.map((name) => ({ when: `Task: Raise ${name}\\b`, replies: [{ text: edit(name) }] })),
    );
    const end = await runPlan(
      repo,
      world(server),
      names.map((name) => task(name)),
      ['--max-agents', '2', '--json'],
    );
    expect(end.code, end.stderr).toBe(0);
    expect(end.summary.successful_agents).toBe(20);
    const events = end.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    let running = 0;
    let most = 0;
    for (const { event } of events) {
      if (event === 'agent_prepared') running += 1;
      if (event === 'agent_done') running -= 1;
      most = Math.max(most, running);
    }
    expect(most).toBe(2);
    expect(events.at(-1)).toMatchObject({ v: 1, event: 'run_finished', exit_code: 0 });
  });

  aiderTest(
    'the base branch moves meanwhile: nothing lands, and the way on that is named works',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer([{ replies: [{ text: edit('a'), delayMs: 1000 }] }]);
      const running = startPlan(repo, world(server), [task('a')], ['--json']);
      await running.waitFor(/"event":"attempt_started"/);
      git(repo, 'commit', '-q', '--allow-empty', '-m', 'moved');
      const end = await running.end;
      expect(end.code, end.stdout + end.stderr).toBe(1);
      const summary = lastSummary(repo);
      expect(summary).toMatchObject({ landed: false, agents: { agent0: { merged: true } } });
      expect(summary.landing).toMatch(/moved/);
      expect(git(repo, 'log', '-1', '--format=%s')).toBe('moved');
      const [program, ...args] = String(summary.land_later).split(' ');
      expect(program).toBe('git');
      git(repo, ...args, '--no-edit');
      expect(readFileSync(path.join(repo, 'a.py'), 'utf8')).toBe('a = 2\n');
    },
  );

  aiderTest('two runs in one repository at the same time do not disturb each other', async () => {
    const repo = makeRepo(files);
    const server = await modelServer(
      ['a', 'b'].map((name) => ({ when: `Task: Raise ${name}`, replies: [{ text: edit(name) }] })),
    );
    const where = world(server);
    const runs = ['a', 'b'].map((name) => startPlan(repo, where, [task(name)], ['--land', 'none']));
    const ends = await Promise.all(runs.map((run) => run.end));
    expect(
      ends.map((end) => end.code),
      ends.map((end) => end.stdout + end.stderr).join('\n'),
    ).toEqual([0, 0]);
    expect(git(repo, 'branch', '--list', 'aider/*/merged').split('\n').length).toBe(2);
  });
});

/** An agent that has changed its file and now waits for an answer that takes long. */
async function halfDone(where: ReturnType<typeof world>, repo: string) {
  const running = startPlan(repo, where, [task('a'), task('b')], ['--json', '--max-agents', '1']);
  await running.waitFor(/"event":"assistant_response"/);
  const started = await running.waitFor(/"event":"attempt_started".*?"pid":(\d+)/);
  return { running, pid: Number(started[1]) };
}

async function halfDoneServer() {
  const text = `${edit('a')}\n${diffEdit('a.py', 'no such line', 'x')}`;
  return modelServer([{ replies: [{ text }, { text: edit('a'), delayMs: 120_000 }] }]);
}

describe('a run that is stopped', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    aiderTest(
      `${signal} in the middle: exit ${code} within 5 s, no process left, the work is on its branch`,
      async () => {
        const repo = makeRepo(files);
        const server = await halfDoneServer();
        const where = world(server);
        const { running, pid } = await halfDone(where, repo);
        await until(() => server.requests.length >= 2);
        const at = Date.now();
        running.child.kill(signal);
        const end = await running.end;
        expect(Date.now() - at).toBeLessThan(5000);
        expect(end.code, end.stderr).toBe(code);
        expect(isAlive(pid)).toBe(false);
        expect(processesWith(where.home)).toEqual([]);
        expect(forkedBy(running.child)).toEqual([]);
        const summary = lastSummary(repo);
        expect(summary).toMatchObject({ landed: false, interrupted_by: signal });
        expect(summary.agents['agent0']).toMatchObject({
          outcome: { state: 'killed' },
          iterations: 1,
        });
        expect(summary.agents['agent1']).toMatchObject({
          outcome: { state: 'killed' },
          commit: null,
        });
        expect(git(repo, 'show', `${summary.agents['agent0']?.branch}:a.py`)).toBe('a = 2');
        expect(
          git(repo, 'log', '-1', '--format=%s', String(summary.agents['agent0']?.commit)),
        ).toBe('Unfinished: Raise a');
        expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
        expect(readFileSync(path.join(repo, 'a.py'), 'utf8')).toBe('a = 1\n');
      },
    );
  }

  aiderTest(
    'SIGINT while Aider is still loaded: the run ends at once, nothing is left',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer([{ replies: [{ text: edit('a') }] }]);
      const running = startPlan(repo, world(server), [task('a')], ['--json']);
      await running.waitFor(/"event":"agent_prepared"/);
      // What it imports may itself be starting a program just now.
      expect(forkedBy(running.child).length > 0).toBe(process.platform === 'linux');
      const at = Date.now();
      running.child.kill('SIGINT');
      const end = await running.end;
      expect(end.code, end.stderr).toBe(130);
      // Far less than loading takes, which has just begun.
      expect(Date.now() - at).toBeLessThan(2000);
      expect(forkedBy(running.child)).toEqual([]);
      expect(server.requests).toEqual([]);
      expect(lastSummary(repo).agents['agent0']).toMatchObject({
        outcome: { state: 'killed' },
        iterations: 0,
      });
    },
  );

  aiderTest(
    'SIGKILL: the agents go too, and stopping what is left keeps the work and writes the summary',
    async () => {
      const repo = makeRepo(files);
      const server = await halfDoneServer();
      const where = world(server);
      const { running, pid } = await halfDone(where, repo);
      await until(() => server.requests.length >= 2);
      running.child.kill('SIGKILL');
      await running.end;
      await until(() => !isAlive(pid) && forkedBy(running.child).length === 0);
      expect(existsSync(path.join(repo, '.aider_logs', 'runs'))).toBe(true);
      const [stamp = ''] = readdirSync(path.join(repo, '.aider_logs', 'runs'));
      const stop = await runCli(['stop', stamp], { cwd: repo, env: where.env });
      expect(stop.code, stop.stderr).toBe(0);
      const summary = lastSummary(repo);
      expect(summary.agents['agent0']).toMatchObject({
        outcome: { state: 'killed' },
        iterations: 1,
      });
      expect(git(repo, 'show', `${summary.agents['agent0']?.branch}:a.py`)).toBe('a = 2');
      expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
      expect(
        readLines(path.join(repo, String(summary.agents['agent0']?.log_file))).at(-1)?.event,
      ).toBe('outcome');
    },
  );

  aiderTest('out of time: the agent is stopped, says so, and its work is kept', async () => {
    const repo = makeRepo(files);
    const server = await halfDoneServer();
    const end = await runPlan(repo, world(server), [task('a')], ['--timeout', '0.25']);
    expect(end.summary.agents['agent0']?.outcome, end.stdout).toEqual({
      state: 'failed',
      reason: 'timeout',
    });
    expect(end.code).toBe(1);
  });
});

/** The process that has loaded Aider for a program, and what was forked from it. */
function forkedBy(program: ChildProcess): string[] {
  return processesWith(`fork_server.py ${inject('aider')} ${program.pid}`);
}
