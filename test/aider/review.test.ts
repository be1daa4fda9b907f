import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { diffEdit, type Reply } from '../../source/services/model-server/script.js';
import {
  aiderTest,
  lastSummary,
  makeRepo,
  modelServer,
  runCli,
  tempFolder,
  type World,
  world,
} from '../rig.js';

const prd = `# Greeting

## Requirements

- R1: the greeting says hello
- R2: the greeting ends with a full stop
- R3: the greeting is translated

## Acceptance criteria

- The file stays one line.

## Tasks

### T1: Write the greeting

- Files: \`greeting.txt\`
- Requirements: R1, R2

Write it.
`;

const verdicts = (r2: 'met' | 'not_met', line = 1): Reply => ({
  text: JSON.stringify({
    criteria: [
      { id: 'R1', verdict: 'met', file: 'greeting.txt', line, note: 'says hello' },
      { id: 'R2', verdict: r2, file: 'greeting.txt', line: 1, note: 'the end of the line' },
      { id: 'A1', verdict: 'met', file: 'greeting.txt', line: 1 },
      { id: 'T1', verdict: 'met', file: 'greeting.txt', line: 1 },
    ],
    remarks: 'Mind the full stop.',
  }),
});

async function run(repo: string, where: World, ...flags: string[]) {
  const file = path.join(tempFolder(), 'prd.md');
  writeFileSync(file, prd);
  const args = ['--prd', file, ...where.aiderFlags, ...flags, ...where.afterFlags];
  const end = await runCli(args, { cwd: repo, env: where.env });
  return { ...end, summary: lastSummary(repo, end) };
}

describe('the reviewer, with real Aider', () => {
  aiderTest(
    'Gemini: not met goes back to the agent; the summary shows the whole chain',
    async () => {
      const repo = makeRepo({ 'greeting.txt': 'hi\n' });
      const server = await modelServer(
        [
          {
            replies: [
              { text: `My secret thought.\n\n${diffEdit('greeting.txt', 'hi', 'hello')}` },
              { text: diffEdit('greeting.txt', 'hello', 'hello.') },
            ],
          },
        ],
        {
          geminiModels: null,
          gemini: [
            { when: 'The change is the whole work', replies: [verdicts('met')] },
            { when: 'You review a change', replies: [verdicts('not_met'), verdicts('met')] },
          ],
        },
      );
      const end = await run(repo, world(server), '--review', '--max-iterations', '3');
      expect(end.code, end.stdout + end.stderr).toBe(0);
      expect(readFileSync(path.join(repo, 'greeting.txt'), 'utf8')).toBe('hello.\n');
      const agent = end.summary.agents['agent0'];
      expect(agent).toMatchObject({ success: true, iterations: 2 });
      expect(agent?.review?.words).toBe('review: 4 met');
      const asked = server.requests.filter(({ kind }) => kind === 'gemini');
      expect(asked.length).toBe(3);
      // The reviewer gets criteria, task and diff, never the chat.
      expect(asked[0]?.text).toContain('- R2: the greeting ends with a full stop');
      expect(asked[0]?.text).not.toContain('- R3');
      expect(asked[0]?.text).toContain('+hello');
      expect(asked.map(({ text }) => text).join()).not.toContain('secret thought');
      const told = server.requests.filter(({ kind }) => kind === 'chat').at(-1)?.text ?? '';
      expect(told).toContain('R2: the greeting ends with a full stop');
      expect(told).toContain('Mind the full stop.');
      expect(end.summary.requirements).toMatchObject([
        {
          id: 'R1',
          tasks: ['T1'],
          commits: [agent?.commit],
          files: ['greeting.txt'],
          reviewers: 'met',
          supervisor: 'met',
        },
        { id: 'R2', supervisor: 'met' },
        { id: 'R3', tasks: [], commits: [], supervisor: 'cannot_tell' },
      ]);
      expect(end.stdout).toContain('No task serves R3 (the greeting is translated)');
      expect(end.stdout).toContain('R3 the greeting is translated: no task serves it');
    },
  );

  aiderTest(
    'a model of Aider: an answer that is broken, or without evidence, never counts as met',
    async () => {
      const repo = makeRepo({ 'greeting.txt': 'hi\n' });
      const server = await modelServer([
        {
          when: 'The change is the whole work',
          replies: [{ text: 'All is well, I am sure.' }],
        },
        { when: 'You review a change', replies: [verdicts('met', 99)] },
        { replies: [{ text: diffEdit('greeting.txt', 'hi', 'hello.') }] },
      ]);
      const end = await run(repo, world(server), '--review-model', 'openai/scripted');
      expect(end.code, end.stdout + end.stderr).toBe(0);
      const review = end.summary.agents['agent0']?.review;
      expect(review).toMatchObject({
        model: 'openai/scripted',
        words: 'review: 3 met, 1 cannot be told (R1)',
      });
      expect(end.summary.supervisor?.criteria.map(({ verdict }) => verdict)).toEqual(
        Array(4).fill('cannot_tell'),
      );
      expect(end.stdout).toContain('The supervisor could not tell: the answer holds no JSON');
      expect(server.requests.every(({ kind }) => kind === 'chat')).toBe(true);
    },
  );

  aiderTest('not met until the iterations are used up: failed, and not merged', async () => {
    const repo = makeRepo({ 'greeting.txt': 'hi\n' });
    const server = await modelServer(
      [
        { when: 'You review a change', replies: [verdicts('not_met')] },
        { replies: [{ text: diffEdit('greeting.txt', 'hi', 'hello') }] },
      ],
      {},
    );
    const end = await run(repo, world(server), '--review-model', 'gpt-4o', '--max-iterations', '1');
    expect(end.code).toBe(1);
    expect(end.summary.agents['agent0'], end.stdout).toMatchObject({
      outcome: { state: 'failed', reason: 'review_not_met' },
      merged: false,
    });
    expect(end.summary.agents['agent0']?.error).toContain(
      'R2: the end of the line, after 1 iteration',
    );
    // The reviewer's price is known, and part of the whole.
    const { review_cost_usd: reviews = 0, cost_usd: all = 0 } = end.summary;
    expect(reviews).toBeGreaterThan(0);
    expect(all).toBeCloseTo((reviews ?? 0) + (end.summary.agents['agent0']?.cost_usd ?? 0));
  });
});
