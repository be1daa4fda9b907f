import { describe, expect, test } from 'vitest';
import { eventText } from '../../../source/core/text/event-words.js';

describe('an agent’s log as a person reads it', () => {
  const read = (event: object) =>
    eventText(JSON.stringify({ time: 1, ...event }), () => '00:00:01');

  test.each([
    [{ event: 'prepared', files: ['a.ts'], worktree: '/w' }, 'its worktree is ready, for a.ts'],
    [{ event: 'started', pid: 42, simulated: false }, 'its program started (process 42)'],
    [
      {
        event: 'assistant_response',
        iteration: 1,
        prompt_tokens: 900,
        completion_tokens: 50,
        cost: 0.008292500000000001,
      },
      'iteration 1: 900 tokens sent, 50 received, $0.0083',
    ],
    [
      { event: 'assistant_response', iteration: 2, cost: null },
      'iteration 2: ? tokens sent, ? received, cost unknown',
    ],
    [{ event: 'asked', question: 'Add x.ts?' }, 'asks: Add x.ts?'],
    [
      { event: 'exited', code: 0, signal: null, edited: ['a.ts'] },
      'its process ended, exit code 0; says that it edited a.ts',
    ],
    [{ event: 'exited', code: null, signal: 'SIGKILL' }, 'its process was ended by SIGKILL'],
    [
      { event: 'judged', verdict: 'no_change', files: [], refused: [{ path: 'x' }] },
      'checked: no change, no file changed, taken back x',
    ],
    [
      { event: 'outcome', words: 'killed by you', iterations: 3 },
      'killed by you after 3 iterations',
    ],
    [
      { event: 'cli session', properties: {}, said: 'Aider uses gpt-4o, edit format diff' },
      'Aider uses gpt-4o, edit format diff',
    ],
    [{ event: 'command_add' }, 'command add'],
    [{ event: 'constructor' }, 'constructor'],
    [{}, '?'],
  ])('%j', (event, words) => {
    expect(read(event)).toBe(`00:00:01  ${words}`);
  });

  test('a half line, and no object', () => {
    expect(eventText('{"event":"pre', () => '')).toBe('{"event":"pre');
    expect(eventText('[1]', () => '')).toBe('[1]');
  });
});
