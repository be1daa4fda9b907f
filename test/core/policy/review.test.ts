import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Brief } from '../../../source/core/agent/brief.js';
import type { Criterion } from '../../../source/core/policy/criteria.js';
import {
  linesOfPatch,
  notMet,
  readReview,
  reviewWords,
} from '../../../source/core/policy/review.js';
import { aiderStyle } from '../../../source/services/agents/aider/prompt-style.js';
import { promptOf } from '../../../source/services/agents/prompt.js';

const brief: Brief = {
  task: { id: 'T1', title: 'Dates', description: '', files: [], read: [], depends_on: [] },
  change: '',
  prdPath: null,
  alsoRead: [],
  remarks: [],
  feedback: null,
};

const patch = `diff --git a/src/a.ts b/src/a.ts
index 1..2 100644
--- a/src/a.ts
+++ b/src/a.ts
@@ -10,4 +10,5 @@ function x() {
 context
-old
+new
+more
 context
 last
diff --git a/gone.ts b/gone.ts
--- a/gone.ts
+++ /dev/null
@@ -1,2 +0,0 @@
-one
--- two
`;

const asked: Criterion[] = [
  { id: 'R1', text: 'dates are read', kind: 'requirement' },
  { id: 'R2', text: 'texts are kept', kind: 'requirement' },
  { id: 'R3', text: 'nested', kind: 'requirement' },
  { id: 'A1', text: '`npm test` passes.', kind: 'acceptance' },
  { id: 'A2', text: 'It is fast.', kind: 'acceptance' },
];
const answer = (...criteria: unknown[]) => JSON.stringify({ criteria, remarks: 'Mend it.' });
const verdictOf = (text: string, id = 'R1') =>
  readReview(text, asked, patch, 'm').criteria.find((one) => one.id === id);

describe("a reviewer's answer", () => {
  test('the lines that a patch shows are the evidence there can be', () => {
    const lines = linesOfPatch(patch);
    expect([...lines.keys()]).toEqual(['src/a.ts', 'gone.ts']);
    expect([...(lines.get('src/a.ts') ?? [])].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14]);
    expect([...(lines.get('gone.ts') ?? [])]).toEqual([1]);
  });

  test('met with evidence is met', () => {
    const said = { id: 'r1', verdict: 'met', file: 'src/a.ts', line: 12, note: 'here' };
    expect(verdictOf(`Sure:\n\`\`\`json\n${answer(said)}\n\`\`\``)).toMatchObject({
      verdict: 'met',
      file: 'src/a.ts',
      line: 12,
    });
  });

  test.each([
    ['no JSON', 'Looks good to me!'],
    ['broken JSON', '{"criteria": ['],
    ['another form', '{"verdict": "met"}'],
    ['an unknown verdict', answer({ id: 'R1', verdict: 'fine' })],
    ['nothing of it', answer({ id: 'R2', verdict: 'met', file: 'src/a.ts', line: 12 })],
    ['no evidence', answer({ id: 'R1', verdict: 'met' })],
    ['a file that is not in the diff', answer({ id: 'R1', verdict: 'met', file: 'b.ts', line: 1 })],
    ['a line that is not', answer({ id: 'R1', verdict: 'met', file: 'src/a.ts', line: 99 })],
    ['blame by what is not there', answer({ id: 'R1', verdict: 'not_met', file: 'b.ts', line: 1 })],
    [
      'a contradiction',
      answer(
        { id: 'R1', verdict: 'met', file: 'src/a.ts', line: 12 },
        { id: 'R1', verdict: 'not_met' },
      ),
    ],
  ])('%s: nobody can tell', (_, text) => {
    expect(verdictOf(text)?.verdict).toBe('cannot_tell');
  });

  test('whatever an answer is, what is not shown by the diff is never met', () => {
    const said = fc.record({
      id: fc.constantFrom('R1', 'R2', 'A1', 'x'),
      verdict: fc.constantFrom('met', 'not_met', 'cannot_tell', 'maybe'),
      file: fc.option(fc.constantFrom('src/a.ts', 'b.ts', 'gone.ts', '')),
      line: fc.option(fc.integer({ min: -2, max: 20 })),
    });
    const text = fc.oneof(
      fc.string(),
      fc.array(said).map((criteria) => JSON.stringify({ criteria })),
    );
    const lines = linesOfPatch(patch);
    fc.assert(
      fc.property(text, (given) => {
        const review = readReview(given, asked, patch, 'm');
        expect(review.criteria.map(({ id }) => id)).toEqual(asked.map(({ id }) => id));
        for (const { verdict, file, line } of review.criteria) {
          if (verdict === 'met') expect(lines.get(file ?? '')?.has(line ?? 0)).toBe(true);
        }
      }),
    );
  });

  test('not met is told to the agent, with the remarks', () => {
    const review = readReview(
      answer({ id: 'R2', verdict: 'not_met', note: 'accents are lost' }),
      asked,
      patch,
      'm',
    );
    expect(notMet(review).map(({ id }) => id)).toEqual(['R2']);
    const told = promptOf({ ...brief, feedback: { kind: 'review', review } }, aiderStyle);
    expect(told).toContain('- R2: texts are kept\n  accents are lost');
    expect(told).toContain('Mend it.');
    expect(reviewWords(review)).toBe('review: 1 not met (R2), 4 cannot be told (R1, R3, A1, A2)');
  });
});
