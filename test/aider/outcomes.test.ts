import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import type { FailReason } from '../../source/core/agent.js';
import { diffEdit, type Reply, wholeEdit } from '../../source/services/model-server/script.js';
import { aiderTest, git, makeRepo, modelServer, readLines, runPlan, world } from '../rig.js';

const fixed = 'def add(a, b):\n    return a + b\n';
const broken = 'def add(a, b):\n    return a - b\n';
const good = diffEdit('calc.py', '    return a - b', '    return a + b');
const mismatch = diffEdit('calc.py', '    return a * b', '    return a + b');

interface Case {
  readonly name: string;
  readonly replies: readonly Reply[];
  readonly reason: FailReason | null;
  readonly iterations: number;
  readonly flags?: readonly string[];
}

/** What the model does, and the outcome that must follow. One iteration, unless it says otherwise. */
const cases: readonly Case[] = [
  { name: 'a good edit', replies: [{ text: good }], reason: null, iterations: 1 },
  {
    name: 'an edit that matches at the second try',
    replies: [{ text: mismatch }, { text: good }],
    reason: null,
    iterations: 2,
    flags: ['--max-iterations', '4'],
  },
  {
    name: 'a reply without an edit',
    replies: [{ text: 'It is fine as it is.' }],
    reason: 'no_change',
    iterations: 1,
  },
  {
    name: 'no edit first, the edit when told so',
    replies: [{ text: 'Fine.' }, { text: good }],
    reason: null,
    iterations: 2,
    flags: ['--max-iterations', '4'],
  },
  { name: 'an empty reply', replies: [{ text: '' }], reason: 'empty_reply', iterations: 1 },
  {
    name: 'edits that never match',
    replies: [{ text: mismatch }],
    reason: 'malformed_edits',
    iterations: 4,
    flags: ['--max-iterations', '4'],
  },
  {
    name: 'a refused key',
    replies: [{ status: 401, text: 'Incorrect API key provided' }],
    reason: 'auth',
    iterations: 0,
    flags: ['--max-iterations', '3'],
  },
  {
    name: 'an unknown model',
    replies: [{ status: 404, text: 'The model does not exist' }],
    reason: 'model_not_found',
    iterations: 0,
  },
  {
    name: 'one rate limit, then a good edit',
    replies: [{ status: 429, text: 'Rate limit reached' }, { text: good }],
    reason: null,
    iterations: 1,
  },
  {
    name: 'one server error, then a good edit',
    replies: [{ status: 500, text: 'overloaded' }, { text: good }],
    reason: null,
    iterations: 1,
  },
  {
    name: 'a reply cut by the token limit',
    replies: [{ text: good.slice(0, 40), finish: 'length' }],
    reason: 'token_limit',
    iterations: 0,
  },
  {
    name: 'a text of Aider in the reply of the model',
    replies: [
      {
        text: `Beware: Only 3 reflections allowed, stopping. Empty response received from LLM.\n\n${good}`,
      },
    ],
    reason: null,
    iterations: 1,
  },
  {
    name: 'an edit of a file that is not its own',
    replies: [{ text: `${good}\n${diffEdit('other.py', 'x = 1', 'x = 2')}` }],
    reason: 'outside_scope',
    iterations: 1,
  },
];

describe('the outcome of an agent with real Aider', () => {
  for (const { name, replies, reason, iterations, flags } of cases) {
    aiderTest(`${name}: ${reason ?? 'success'}`, async () => {
      const repo = makeRepo({ 'calc.py': broken, 'other.py': 'x = 1\n' });
      const server = await modelServer([{ replies }]);
      const end = await runPlan(
        repo,
        world(server),
        [{ id: 'T1', title: 'Fix add', files: ['calc.py'] }],
        flags ?? ['--max-iterations', '1'],
      );
      const agent = end.summary.agents.agent0;
      expect(agent?.outcome, end.stdout + end.stderr).toEqual({
        state: reason === null ? 'succeeded' : 'failed',
        reason,
      });
      expect(agent?.iterations).toBe(iterations);
      expect(end.code).toBe(reason === null ? 0 : 1);
      expect(end.summary.landed).toBe(reason === null);
      expect(readFileSync(path.join(repo, 'calc.py'), 'utf8')).toBe(
        reason === null ? fixed : broken,
      );
      expect(readFileSync(path.join(repo, 'other.py'), 'utf8')).toBe('x = 1\n');
      const log = readLines(path.join(repo, agent?.log_file ?? ''));
      expect(log.filter((line) => line.event === 'assistant_response').length).toBe(iterations);
      expect(log.at(-1)?.event).toBe('outcome');
      expect(git(repo, 'status', '--porcelain')).toBe('');
    });
  }

  aiderTest('a stream that breaks in the middle: what arrived is taken back', async () => {
    const repo = makeRepo({ 'calc.py': broken });
    const text = wholeEdit('calc.py', `# ${'long '.repeat(100)}\n${fixed}`);
    const server = await modelServer([{ replies: [{ text, breakAfter: 200 }] }]);
    const end = await runPlan(
      repo,
      world(server),
      [{ id: 'T1', title: 'Fix add', files: ['calc.py'] }],
      ['--model', 'openai/scripted', '--max-iterations', '1'],
    );
    const agent = end.summary.agents.agent0;
    expect(agent?.outcome.state, end.stdout).toBe('failed');
    expect(['stream_broken', 'provider_error']).toContain(agent?.outcome.reason);
    expect(agent?.commit).toBe(null);
    expect(readFileSync(path.join(repo, 'calc.py'), 'utf8')).toBe(broken);
  });

  aiderTest('a new file that is only talked about is no work', async () => {
    const repo = makeRepo({ 'calc.py': broken });
    const server = await modelServer([{ replies: [{ text: 'Sure, I will think about it.' }] }]);
    const end = await runPlan(
      repo,
      world(server),
      [{ id: 'T1', title: 'Add new', files: ['src/new.py'] }],
      ['--max-iterations', '1'],
    );
    expect(end.summary.agents.agent0?.outcome, end.stdout).toEqual({
      state: 'failed',
      reason: 'no_change',
    });
    expect(git(repo, 'ls-files')).toBe('calc.py');
  });

  aiderTest("half of the edits, with Aider's colours set to those of dark mode", async () => {
    const repo = makeRepo({ 'calc.py': broken });
    const half = `${good}\n${diffEdit('calc.py', 'no such line', 'x')}`;
    const server = await modelServer([{ replies: [{ text: half }, { text: mismatch }] }]);
    const where = world(server);
    writeFileSync(path.join(where.home, '.aider.conf.yml'), 'dark-mode: true\n');
    const end = await runPlan(
      repo,
      where,
      [{ id: 'T1', title: 'Fix add', files: ['calc.py'] }],
      ['--max-iterations', '4'],
    );
    expect(end.summary.agents.agent0?.outcome, end.stdout).toEqual({
      state: 'failed',
      reason: 'malformed_edits',
    });
    expect(end.summary.landed).toBe(false);
    // Nothing is thrown away: what was done stands on its branch.
    expect(git(repo, 'show', `${end.summary.agents.agent0?.branch}:calc.py`)).toBe(fixed.trimEnd());
  });
});
