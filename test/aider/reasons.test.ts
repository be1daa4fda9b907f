import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, inject } from 'vitest';
import type { FailReason } from '../../source/core/agent/agent.js';
import { diffEdit, type Reply } from '../../source/services/model-server/script.js';
import { until } from '../eventually.js';
import {
  aiderTest,
  git,
  lastSummary,
  makeRepo,
  modelServer,
  runPlan,
  startPlan,
  world,
} from '../rig.js';

const files = { 'calc.py': '# calc.py\nx = 1\n', '.gitignore': '*.log\n' };
const good = diffEdit('calc.py', 'x = 1', 'x = 2');
const fixed = 'def add(a, b):\n    return a + b\n';
const broken = 'def add(a, b):\n    return a - b\n';
const mend = diffEdit('calc.py', '    return a - b', '    return a + b');
const mismatch = diffEdit('calc.py', '    return a * b', '    return a + b');
const task = { id: 'T1', title: 'Raise x', files: ['calc.py'] };

/** Reasons that the arguments of a run lead to; all others are in the corpus. */
const cases: readonly [string, readonly Reply[], FailReason, readonly string[]][] = [
  ['an Aider that refuses its arguments', [{ text: good }], 'start_failed', ['--no-such-option']],
  ['an Aider that ends without asking the model', [{ text: good }], 'no_response', ['--version']],
];

describe('why an agent failed, with real Aider', () => {
  for (const [name, replies, reason, extra] of cases) {
    aiderTest(`${name}: ${reason}`, async () => {
      const repo = makeRepo(files);
      const server = await modelServer([{ replies }]);
      const end = await runPlan(repo, world(server), [task], ['--max-iterations', '1'], extra);
      const agent = end.summary.agents['agent0'];
      expect(agent?.outcome, end.stdout + end.stderr).toEqual({ state: 'failed', reason });
      expect(end.code).toBe(1);
      expect(readFileSync(path.join(repo, 'calc.py'), 'utf8')).toBe(files['calc.py']);
      expect(git(repo, 'status', '--porcelain')).toBe('');
    });
  }

  aiderTest('killed from outside, and what depends on it is skipped', async () => {
    const repo = makeRepo({ ...files, 'b.py': 'b = 1\n' });
    const server = await modelServer([{ replies: [{ text: good, delayMs: 60_000 }] }]);
    const second = { id: 'T2', title: 'Raise b', files: ['b.py'], depends_on: ['T1'] };
    const running = startPlan(
      repo,
      world(server),
      [task, second],
      ['--json', '--max-iterations', '1'],
    );
    const started = await running.waitFor(/"event":"attempt_started".*?"pid":(\d+)/);
    await until(() => server.requests.length > 0);
    process.kill(Number(started[1]), 'SIGSEGV');
    const end = await running.end;
    expect(end.code).toBe(1);
    const { agents } = lastSummary(repo, end);
    expect(agents['agent0']).toMatchObject({
      outcome: { reason: 'killed_by_signal' },
      signal: 'SIGSEGV',
    });
    expect(agents['agent1']).toMatchObject({
      outcome: { reason: 'dependency_failed' },
      attempts: 0,
    });
    expect(agents['agent1']?.error).toContain('T1');
  });

  aiderTest("half of the edits, with Aider's colours set to those of dark mode", async () => {
    const repo = makeRepo({ 'calc.py': broken });
    const half = `${mend}\n${diffEdit('calc.py', 'no such line', 'x')}`;
    const server = await modelServer([{ replies: [{ text: half }, { text: mismatch }] }]);
    const where = world(server);
    writeFileSync(path.join(where.home, '.aider.conf.yml'), 'dark-mode: true\n');
    const end = await runPlan(
      repo,
      where,
      [{ id: 'T1', title: 'Fix add', files: ['calc.py'] }],
      ['--max-iterations', '4'],
    );
    expect(end.summary.agents['agent0']?.outcome, end.stdout).toEqual({
      state: 'failed',
      reason: 'malformed_edits',
    });
    expect(end.summary.landed).toBe(false);
    // Nothing is thrown away: what was done stands on its branch.
    expect(git(repo, 'show', `${end.summary.agents['agent0']?.branch}:calc.py`)).toBe(
      fixed.trimEnd(),
    );
  });

  aiderTest(
    'Aider gone from disk between two agents: said by name, and nothing else is lost',
    async () => {
      const repo = makeRepo({ 'calc.py': broken, 'b.py': 'b = 1\n' });
      const server = await modelServer([{ replies: [{ text: mend }] }]);
      const where = world(server);
      const gone = path.join(where.home, 'aider');
      writeFileSync(
        gone,
        `#!/bin/sh\ncase "$*" in *--version*|*--show-repo-map*) ;; *) rm "$0" ;; esac\nexec ${inject('aider')} "$@"\n`,
        { mode: 0o755 },
      );
      const end = await runPlan(
        repo,
        { ...where, aiderFlags: ['--aider', gone] },
        [
          { id: 'T1', title: 'Fix add', files: ['calc.py'] },
          { id: 'T2', title: 'Raise b', files: ['b.py'] },
        ],
        ['--max-agents', '1', '--land', 'any'],
      );
      const { agent0, agent1 } = end.summary.agents;
      expect(agent0, end.stdout).toMatchObject({ success: true, merged: true });
      expect(agent1?.outcome.reason).toBe('start_failed');
      expect(agent1?.error).toContain('is gone');
      expect(end.summary.landed).toBe(true);
    },
  );

  aiderTest(
    'two agents, the same new file: such a plan is refused before anything is done',
    async () => {
      const repo = makeRepo({ 'a.py': '1\n' });
      const server = await modelServer([{ replies: [{ text: mend }] }]);
      const where = world(server);
      const running = startPlan(repo, where, [
        { id: 'T1', title: 'One', files: ['new.py'] },
        { id: 'T2', title: 'Two', files: ['new.py'] },
      ]);
      const end = await running.end;
      expect(end.code).toBe(2);
      expect(end.stderr).toContain('new.py');
      expect(server.requests).toEqual([]);
    },
  );
});
