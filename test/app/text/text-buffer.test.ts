import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { graphemes } from '../../../source/app/text/graphemes.js';
import * as buffer from '../../../source/app/text/text-buffer.js';
import { anyText } from './any-text.js';

describe('the field of several lines', () => {
  const moves = [
    buffer.left,
    buffer.right,
    buffer.backspace,
    buffer.deleteForward,
    buffer.lineStart,
    buffer.lineEnd,
    buffer.wordLeft,
    buffer.wordRight,
    buffer.deleteWord,
    buffer.deleteToLineStart,
    (one: buffer.TextBuffer) => buffer.insert(one, '日x'),
    (one: buffer.TextBuffer) => buffer.vertical(one, 9, -1) ?? one,
    (one: buffer.TextBuffer) => buffer.vertical(one, 9, 1) ?? one,
  ];

  test('the cursor never stands within a character, and rows hold the whole text', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.constantFrom(...moves), { maxLength: 30 }),
        (text, steps) => {
          let state = buffer.insert(buffer.textBuffer(), text);
          for (const step of steps) {
            state = step(state);
            const line = state.text.slice(0, state.cursor).split('\n').at(-1) ?? '';
            const whole = state.text.slice(state.cursor - line.length).split('\n')[0] ?? '';
            const borders = [0];
            for (const piece of graphemes(whole)) {
              borders.push((borders.at(-1) as number) + piece.length);
            }
            expect(borders).toContain(line.length);
          }
          const rows = buffer.layoutRows(state.text, 9);
          for (const row of rows) expect(stringWidth(row.shown)).toBeLessThanOrEqual(9);
          const joined = rows.map((row) => state.text.slice(row.start, row.end)).join('');
          expect(joined).toBe(state.text.replaceAll('\n', ''));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a word that fills a row alone and goes on is broken behind the blank and in itself', () => {
    const rows = buffer.layoutRows(' aa👩‍👩‍👧a日x👩‍👩‍👧', 9).map((row) => row.shown);
    expect(rows).toEqual([' ', 'aa👩‍👩‍👧a日x', '👩‍👩‍👧']);
  });

  test('backspace takes a whole character', () => {
    const take = (text: string) => buffer.backspace(buffer.textBuffer(text)).text;
    expect(take('a👩‍👩‍👧')).toBe('a');
    expect(take('e\u0301')).toBe('');
    expect(take('a\n')).toBe('a');
    expect(take('')).toBe('');
  });

  test('up and down keep their column over a short row', () => {
    const text = 'abcdef\nx\nabcdef';
    const end = buffer.textBuffer(text);
    const middle = buffer.vertical(end, 20, -1) as buffer.TextBuffer;
    const first = buffer.vertical(middle, 20, -1) as buffer.TextBuffer;
    expect([middle.cursor, first.cursor]).toEqual([8, 6]);
    expect(buffer.vertical(first, 20, -1)).toBe(null);
  });
});
