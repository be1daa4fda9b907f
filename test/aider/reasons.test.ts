import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import type { FailReason } from '../../source/core/agent.js';
import { diffEdit, type Reply } from '../../source/services/model-server/script.js';
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
const task = { id: 'T1', title: 'Raise x', files: ['calc.py'] };

/** Reasons that take long or need more than a reply; the common ones are in `outcomes.test.ts`. */
const cases: readonly [string, readonly Reply[], FailReason, readonly string[]][] = [
  [
    'rate limited until the retries are used up',
    [{ status: 429, text: 'Rate limit reached' }],
    'rate_limited',
    [],
  ],
  [
    'a server that fails until the retries are used up',
    [{ status: 500, text: 'overloaded' }],
    'provider_error',
    [],
  ],
  [
    'an edit of a file that git ignores',
    [{ text: `${good}\n${diffEdit('debug.log', '', 'x')}` }],
    'edits_skipped',
    [],
  ],
  [
    'a reply that trips Aider up',
    [{ text: `${good}\n${diffEdit('calc.py', '# calc.py', '# y')}` }],
    'edit_failed',
    [],
  ],
  [
    'a context window that is too small',
    [{ status: 400, text: "This model's maximum context length is 8 tokens" }],
    'token_limit',
    [],
  ],
  ['an Aider that refuses its arguments', [{ text: good }], 'aider_crashed', ['--no-such-option']],
  ['an Aider that ends without asking the model', [{ text: good }], 'no_response', ['--version']],
];

describe('why an agent failed, with real Aider', () => {
  for (const [name, replies, reason, extra] of cases) {
    aiderTest(`${name}: ${reason}`, async () => {
      const repo = makeRepo(files);
      const server = await modelServer([{ replies }]);
      const end = await runPlan(repo, world(server), [task], ['--max-iterations', '1'], extra);
      const agent = end.summary.agents.agent0;
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
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(Number(started[1]), 'SIGSEGV');
    const end = await running.end;
    expect(end.code).toBe(1);
    const { agents } = lastSummary(repo, end);
    expect(agents.agent0).toMatchObject({
      outcome: { reason: 'killed_by_signal' },
      signal: 'SIGSEGV',
    });
    expect(agents.agent1).toMatchObject({ outcome: { reason: 'dependency_failed' }, attempts: 0 });
    expect(agents.agent1?.error).toContain('T1');
  });
});
