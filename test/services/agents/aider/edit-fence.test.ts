import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attempt } from '../../../../source/core/agent/agent.js';
import { judge } from '../../../../source/core/agent/judge.js';
import {
  blocksFence,
  editFences,
  fenceFor,
  withoutFences,
} from '../../../../source/services/agents/aider/edit-fence.js';
import { asFlaw, checkReply } from '../../../../source/services/agents/aider/reply-check.js';
import { cleanExit, unchanged } from '../../../attempt-facts.js';

const line = fc.oneof(
  fc.constantFrom(...editFences.flat(), '```js', ' ```', 'a ``` b', '`x`', ''),
  fc.string({ maxLength: 8 }),
);
const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));

test('the fence is the first one that no line begins with', () => {
  expect(fenceFor(['plain\n'])).toBe(0);
  expect(fenceFor(['a\n```js\nx\n```\n'])).toBe(1);
  expect(fenceFor(['```\n', '<source>\n'])).toBe(1);
  expect(fenceFor(['````\n'])).toBe(2);
  expect(fenceFor([editFences.flat().join('\n')])).toBe(0);
});

test('what is handed over moves no fence, and says the same', () => {
  fc.assert(
    fc.property(text, text, (own, handed) => {
      const fence = fenceFor([own]);
      const given = withoutFences(handed);
      expect(blocksFence(given, fence)).toBe(false);
      expect(fenceFor([own, given])).toBe(fence);
      expect(given.replaceAll(/^ +/gm, '')).toBe(handed.replaceAll(/^ +/gm, ''));
    }),
  );
});

test('whole files in another fence than the one that is read are told as that', () => {
  const reply = 'a.py\n```\nx = 2\n```\n';
  expect(checkReply(reply, 'whole', ['a.py'], '/w', 0)).toBe(null);
  const flaw = checkReply(reply, 'whole', ['a.py'], '/w', 1);
  expect(flaw).toEqual({ kind: 'fence', detail: '``` instead of ````' });
  expect(checkReply('a.py\n````\nx\n````\n', 'whole', ['a.py'], '/w', 0)?.kind).not.toBe('fence');
  const attempt: Attempt = {
    number: 1,
    round: 0,
    interactive: false,
    startedAt: 0,
    endedAt: 1,
    sends: 1,
    responses: 1,
    lastCompletionTokens: 9,
    exceptions: 0,
    edited: [],
    exit: { ...cleanExit, flaw: flaw && asFlaw(flaw) },
    verdict: null,
  };
  const verdict = judge(attempt, unchanged);
  expect(verdict).toMatchObject({ ok: false, reason: 'malformed_edits' });
  expect(JSON.stringify(verdict)).toContain('``` instead of ````');
});
