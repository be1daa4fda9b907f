import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge } from '../../../source/core/agent/judge.js';
import type { Inspection } from '../../../source/core/run/run.js';
import { cleanExit as clean } from '../../attempt-facts.js';
import { changed } from '../../hand-driven.js';

describe('the evidence', () => {
  const attempt = {
    number: 1,
    round: 0,
    interactive: false,
    startedAt: 0,
    endedAt: 1,
    sends: 1,
    responses: 1,
    lastCompletionTokens: 5,
    exceptions: 0,
    edited: [],
    exit: clean,
    verdict: null,
  };

  test('all of it is needed', () => {
    expect(judge(attempt, changed)).toEqual({ ok: true });
    const without: [Partial<typeof attempt>, Partial<Inspection>, string][] = [
      [{ exit: { ...clean, code: 1 } }, {}, 'agent_crashed'],
      [
        { exit: { ...clean, code: null as never, signal: 'SIGKILL' } as never },
        {},
        'killed_by_signal',
      ],
      [{ exit: { ...clean, orderly: false } }, {}, 'agent_crashed'],
      [{ sends: 2 }, {}, 'stream_broken'],
      [{ sends: 0, responses: 0 }, {}, 'no_response'],
      [{ lastCompletionTokens: 0 }, {}, 'empty_reply'],
      [{ exceptions: 1 }, {}, 'agent_crashed'],
      [{}, { diff: { files: [] } }, 'no_change'],
      [{}, { refused: [{ path: 'x', why: 'outside', undone: true }] }, 'outside_scope'],
      [{}, { failure: { reason: 'disk_full', detail: '' } }, 'disk_full'],
    ];
    for (const [part, seen, reason] of without) {
      expect(judge({ ...attempt, ...part }, { ...changed, ...seen })).toMatchObject({
        ok: false,
        reason,
      });
    }
  });

  test('no set of symptoms makes a broken attempt a success, and none but the final ones a failure', () => {
    const harmless = ['malformed', 'rate_limited', 'provider_failed'] as const;
    fc.assert(
      fc.property(fc.subarray([...harmless]), (seen) => {
        expect(judge({ ...attempt, exit: { ...clean, symptoms: seen } }, changed).ok).toBe(true);
        expect(
          judge({ ...attempt, sends: 2, exit: { ...clean, symptoms: seen } }, changed).ok,
        ).toBe(false);
      }),
    );
  });
});
