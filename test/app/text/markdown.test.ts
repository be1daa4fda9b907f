import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { diffLines, plainLines } from '../../../source/app/text/diff-lines.js';
import { renderMarkdown } from '../../../source/app/text/markdown.js';
import { anyText } from './any-text.js';

const style = { colour: true, unicode: true };

test('Markdown, diffs and plain lines: never wider than asked, no control bytes but our own styles', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 10, max: 60 }), (text, width) => {
      const all = [
        renderMarkdown(text, width, style),
        diffLines(text, width, style),
        plainLines(text, width),
      ];
      for (const line of all.flat()) {
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
        expect(stripVTControlCharacters(line)).not.toMatch(/\p{Cc}/u);
      }
    }),
  );
});

test('nested deeper than there is room, Markdown still fits', () => {
  const deep = Array.from({ length: 30 }, (_, depth) => `${'  '.repeat(depth)}- wide 👩‍👩‍👧 text`);
  const quoted = `${'> '.repeat(30)}wide 👩‍👩‍👧 text`;
  for (const text of [deep.join('\n'), quoted, '123456789. [x] text', '- - aaab 👩‍👩‍👧']) {
    for (const width of [10, 20]) {
      const lines = renderMarkdown(text, width, style);
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
      expect(lines.join(' ')).toMatch(/text|aaab/);
    }
  }
});

test('Markdown is formatted: lists, code, tables by their width on the screen', () => {
  const text =
    '# T\n\n- a\n  - b\n- [x] c\n\n```\n<code>\n```\n\n| h | i |\n|---|---|\n| 日本 | `x` |\n';
  const lines = renderMarkdown(text, 40, { colour: false, unicode: true }).map(
    stripVTControlCharacters,
  );
  expect(lines).toEqual(
    [
      'T',
      '',
      '• a',
      '  • b',
      '• [x] c',
      '',
      '  <code>',
      '',
      'h    │ i  ',
      '─────┼────',
      '日本 │ x  ',
    ].map((line) => line.trimEnd()),
  );
});
