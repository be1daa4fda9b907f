import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { keyProblems, makeKeymap } from '../../source/app/keymap.js';
import { inside, layoutPanes, neighbour } from '../../source/app/layout.js';
import { diffLines, plainLines } from '../../source/app/text/diff-lines.js';
import {
  cut,
  displayWidth,
  fill,
  graphemes,
  straighten,
  styledWidth,
} from '../../source/app/text/graphemes.js';
import { renderMarkdown } from '../../source/app/text/markdown.js';
import * as buffer from '../../source/app/text/text-buffer.js';
import { bytesForAgent } from '../../source/app/type-mode.js';
import { eventText } from '../../source/core/text/event-words.js';

const style = { colour: true, unicode: true };
const anyText = fc.string({
  unit: fc.constantFrom(
    'a',
    'b ',
    ' ',
    '\n',
    'ä',
    '日',
    '👩‍👩‍👧',
    '👍🏽',
    'e\u0301',
    '\t',
    '\x1b',
    '*',
    '`',
    '|',
    '- ',
    '# ',
    '> ',
    '1. ',
  ),
});

describe('the keys', () => {
  test('none of ours clashes', () => expect(keyProblems({})).toEqual([]));

  test('own keys replace ours; a clash, an unknown action and no key at all are named', () => {
    const keymap = makeKeymap({ 'run.kill': ['X', 'delete'], 'run.zoom': 'f2' });
    expect(keymap.find('run', 'X')).toBe('run.kill');
    expect(keymap.find('run', 'x')).toBe(null);
    expect(keymap.find('run', 'f2')).toBe('run.zoom');
    expect(keymap.find('run', '?')).toBe('help');
    expect(keyProblems({ 'run.kill': 'r' })).toEqual([
      'keys: r is for run.kill and for run.restart',
    ]);
    expect(keyProblems({ 'prd.edit': '/' })[0]).toMatch(/^keys: \/ is for/);
    expect(keyProblems({ 'run.kill': '?' })[0]).toMatch(/^keys: \? is for/);
    expect(keyProblems({ 'run.fly': 'x' })).toEqual(['keys: there is no action run.fly']);
    expect(keyProblems({ 'run.kill': 'the x key' })[0]).toContain('is no key');
    // The same key in another place is fine.
    expect(keyProblems({ 'summary.sort': 'z' })).toEqual([]);
  });

  test('help names every action with the keys it has', () => {
    const help = makeKeymap({ 'run.kill': 'X' }).help();
    expect(help.find((line) => line.action === 'run.kill')?.keys).toEqual(['X']);
    expect(help.every((line) => line.keys.length > 0 && line.help !== '')).toBe(true);
  });
});

describe('the layout', () => {
  const area = { x: 0, y: 1, width: 200, height: 57 };

  test.each([
    [200, 60, 3, 'grid'],
    [200, 60, 8, 'grid'],
    [80, 24, 4, 'grid'],
    [80, 24, 5, 'list'],
    [70, 20, 3, 'list'],
    [59, 40, 3, 'tabs'],
    [100, 15, 3, 'tabs'],
    [29, 40, 3, 'too_small'],
    [80, 7, 3, 'too_small'],
    [80, 24, 1, 'zoomed'],
  ] as const)('%ix%i with %i agents: %s', (cols, rows, agents, kind) => {
    const own = { x: 0, y: 1, width: cols, height: rows - 3 };
    expect(layoutPanes(own, { cols, rows }, agents, 0, 'panes').kind).toBe(kind);
  });

  test('panes of a grid fill their area without an overlap, and none is too small', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 300 }),
        fc.integer({ min: 8, max: 100 }),
        fc.integer({ min: 2, max: 32 }),
        (cols, rows, agents) => {
          const own = { x: 0, y: 1, width: cols, height: rows - 3 };
          const layout = layoutPanes(own, { cols, rows }, agents, 0, 'panes');
          if (layout.kind !== 'grid') return;
          expect(layout.panes.length).toBe(agents);
          const cells = layout.panes.reduce((sum, pane) => sum + pane.width * pane.height, 0);
          expect(cells).toBe(own.width * own.height);
          const taken = new Set<string>();
          for (const pane of layout.panes) {
            expect(inside(pane).width).toBeGreaterThanOrEqual(38);
            expect(inside(pane).height).toBeGreaterThanOrEqual(8);
            for (let y = pane.y; y < pane.y + pane.height; y++) {
              for (let x = pane.x; x < pane.x + pane.width; x++) taken.add(`${x} ${y}`);
            }
          }
          expect(taken.size).toBe(cells);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('directions lead to the nearest pane, and nowhere at the edge', () => {
    const layout = layoutPanes(area, { cols: 200, rows: 60 }, 4, 0, 'panes');
    if (layout.kind !== 'grid') throw new Error(layout.kind);
    expect(neighbour(layout.panes, 0, 'right')).toBe(1);
    expect(neighbour(layout.panes, 0, 'down')).toBe(2);
    expect(neighbour(layout.panes, 3, 'up')).toBe(1);
    expect(neighbour(layout.panes, 0, 'left')).toBe(0);
  });
});

describe('texts fit', () => {
  test('what is measured the quick way is as wide as string-width says', () => {
    for (let code = 0x20; code < 0x3000; code++) {
      const text = String.fromCharCode(code);
      expect(displayWidth(text), code.toString(16)).toBe(stringWidth(text));
      expect(styledWidth(`\x1b[31m${text}\x1b[0m`), code.toString(16)).toBe(stringWidth(text));
    }
    fc.assert(
      fc.property(anyText, (text) => {
        expect(displayWidth(text)).toBe(stringWidth(text));
      }),
    );
  });

  test('cut and fill, whatever the text', () => {
    fc.assert(
      fc.property(anyText, fc.nat(30), (text, width) => {
        expect(stringWidth(cut(text, width))).toBeLessThanOrEqual(width);
        expect(stringWidth(fill(text, width))).toBe(width);
        expect(cut(text, width)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

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
    const deep = Array.from(
      { length: 30 },
      (_, depth) => `${'  '.repeat(depth)}- wide 👩‍👩‍👧 text`,
    );
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

  test('the column is set anew after what terminals disagree about', () => {
    expect(straighten('a👩‍👩‍👧b')).toBe('a👩‍👩‍👧\x1b[4Gb');
    expect(straighten('plain 日本')).toBe('plain 日本');
    expect(straighten('\x1b[1m🇩🇪\x1b[0m|')).toBe('\x1b[1m🇩🇪\x1b[3G\x1b[0m|');
  });
});

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

test('typed bytes are sent as the agent asked for them', () => {
  const plain = { bracketedPaste: false, applicationCursor: false };
  const paste = '\x1b[200~a\nb\x1b[201~';
  expect(bytesForAgent(paste, plain)).toBe('a\rb');
  expect(bytesForAgent(paste, { ...plain, bracketedPaste: true })).toBe(paste);
  expect(bytesForAgent('\x1b[A\x03', { ...plain, applicationCursor: true })).toBe('\x1bOA\x03');
});

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
