import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import unicode11 from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeadlessTerminal, type XtermBuffer, type XtermTerminal } from '#xterm';
import { root } from '../../../rig.js';

/** What a cell keeps, of which the interface shows a part. */
interface Cell extends xterm.IBufferCell {
  readonly content: number;
  readonly fg: number;
  readonly bg: number;
  readonly extended: { readonly ext: number; readonly urlId: number };
}

/** Bits of `bg` and `fg`. */
const hasExtended = 0x10000000;
const isUnderlined = 0x10000000;

/** Style, colour and link of an underline; a plain one is told by the flag alone as well as by the style. */
function underlineOf({ fg, bg, extended }: Cell): string {
  // Of a cell without extended attributes, those of the last one that had some are left over.
  const { ext, urlId } = bg & hasExtended ? extended : { ext: 0, urlId: 0 };
  const style = (ext >>> 26) & 7 || (fg & isUnderlined ? 1 : 0);
  return `${style} ${ext & 0x3ffffff} ${urlId}`;
}

/** Everything that is in a buffer. */
function dump(buffer: xterm.IBuffer | XtermBuffer): string[] {
  const rows = [`${buffer.type} ${buffer.cursorX},${buffer.cursorY} ${buffer.baseY}`];
  for (let y = 0; y < buffer.length; y++) {
    const line = buffer.getLine(y);
    const cells: string[] = [];
    for (let x = 0; x < (line?.length ?? 0); x++) {
      const cell = line?.getCell(x) as Cell;
      const { content, fg, bg } = cell;
      cells.push(`${content},${fg},${bg & ~hasExtended},${underlineOf(cell)},${cell.getChars()}`);
    }
    rows.push(`${line?.isWrapped} ${cells.join(' ')}`);
  }
  return rows;
}

const text = fc.string({
  unit: fc.constantFrom('a', 'Z', '~', ' ', 'ß', '日', '👍🏽', 'e\u0301', '\u0301', '\x7f', '\x9b'),
  maxLength: 30,
});
const some = fc.integer({ min: 0, max: 12 });
const sequence = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 3, arbitrary: fc.constantFrom('\r\n', '\n', '\r', '\b', '\t', '\r\n\r\n\r\n\r\n') },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        ...['0', '1;31', '4:3', '58;5;9', '48;2;1;2;3', '7', '38;5;200', '24', '59'],
        ...['4', '4;24', '4:0', '4:1', '21', '58:2::1:2:3', '38:2:1:2:3', '48;5', '38;2;1'],
      )
      .map((codes) => `\x1b[${codes}m`),
  },
  // Insert and delete letters and lines, erase, move, scroll, repeat.
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...'@PLMXJKABCDGdSTb'), some)
      .map(([final, count]) => `\x1b[${count}${final}`),
  },
  fc.tuple(some, some).map(([from, to]) => `\x1b[${from};${from + to}r`),
  fc.constantFrom(
    '\x1b[4h',
    '\x1b[4l',
    '\x1b[?7l',
    '\x1b[?7h',
    '\x1b(0',
    '\x1b(B',
    '\x1bM',
    '\x1bD',
  ),
  fc.constantFrom('\x1b[?1049h', '\x1b[?1049l', '\x1bc', '\x1b7', '\x1b8', '\x1b[!p'),
  fc.constantFrom('\x1b]8;;http://x\x07', '\x1b]8;;\x07'),
);
/** Colours and styles with any parameters, too many or cut off among them. */
const anyStyle = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        '',
        '0',
        '1',
        '2',
        '4',
        '5',
        '21',
        '24',
        '38',
        '48',
        '58',
        '59',
        '99999999999',
      ),
      fc.constantFrom(';', ':'),
    ),
    { maxLength: 20 },
  )
  .map((parts) => `\x1b[${parts.flat().join('')}m`);
/** A new size, or what is printed. */
const step = fc.oneof(
  { weight: 12, arbitrary: sequence },
  { weight: 2, arbitrary: anyStyle },
  fc.record({ cols: fc.integer({ min: 2, max: 30 }), rows: fc.integer({ min: 1, max: 8 }) }),
);

type Step = string | { readonly cols: number; readonly rows: number };

/** Ours and npm's, by what both can do. */
interface Played {
  readonly buffer: () => xterm.IBuffer | XtermBuffer;
  play(step: Step): void;
}

const size = { cols: 12, rows: 4, scrollback: 6 } as const;

function mine(): Played & { readonly terminal: XtermTerminal } {
  const terminal = new HeadlessTerminal(size);
  return {
    terminal,
    buffer: () => terminal.buffer,
    play: (step) =>
      typeof step === 'string'
        ? terminal.parse(Buffer.from(step))
        : terminal.resize(step.cols, step.rows),
  };
}

function theirs(): Played {
  const terminal = new xterm.Terminal({ ...size, allowProposedApi: true, logLevel: 'off' });
  terminal.loadAddon(new unicode11.Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  // So that it is seen where it fails; `write` would throw in a timer of its own.
  const { _core: core } = terminal as unknown as {
    readonly _core: { writeSync(data: string): void };
  };
  return {
    buffer: () => terminal.buffer.active,
    play: (step) =>
      typeof step === 'string' ? core.writeSync(step) : terminal.resize(step.cols, step.rows),
  };
}

test.each<[string, Step[]]>([
  [
    'erasing up to a cursor that waits behind the end of the last row',
    [`first\x1b[4;1H${'x'.repeat(12)}\x1b[1J`],
  ],
  [
    'widening rows that end in half a character',
    ['日'.repeat(8), { cols: 3, rows: 1 }, '\r\n', { cols: 4, rows: 1 }],
  ],
])('our emulator survives what the one of npm does not: %s', (_, steps) => {
  const play = (played: Played) => {
    for (const step of [...steps, '\x1b[1;1Hon']) played.play(step);
    const buffer = played.buffer();
    return buffer.getLine(buffer.baseY)?.translateToString(true, 0, 2);
  };
  // Where this throws no more, the patch can go.
  expect(() => play(theirs())).toThrow(TypeError);
  expect(play(mine())).toBe('on');
});

test('our emulator holds what the one of npm holds, whatever is printed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const [own, npm] = [mine(), theirs()];
      for (const one of steps) {
        try {
          npm.play(one);
        } catch (error) {
          // Over some sequences and sizes the one of npm fails, and takes no more.
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        own.play(one);
      }
      expect(dump(own.buffer())).toEqual(dump(npm.buffer()));
    }),
    { numRuns: 2000 },
  );
});

test('modes of a program, what answers it, a row that is kept hold of', () => {
  const { terminal } = mine();
  const answers: string[] = [];
  terminal.onAnswer((answer) => answers.push(answer));
  terminal.parse(Buffer.from('one\r\ntwo\x1b[?2004h\x1b[?1h\x1b[?25l\x1b[6n'));
  expect(terminal.modes).toEqual({
    bracketedPaste: true,
    applicationCursor: true,
    cursorHidden: true,
  });
  expect(answers).toEqual(['\x1b[2;4R']);
  expect(terminal.usedCells(0)).toBe(3);
  const marker = terminal.markerAt(1);
  expect(marker?.line).toBe(1);
  terminal.parse(Buffer.from('\r\n'.repeat(20)));
  expect(marker?.isDisposed).toBe(true);
  terminal.parse(Buffer.from('\x1b[?1049h'));
  expect(terminal.markerAt(0)).toBeNull();
});

test('each patch says why it is there, and what upstream is told', () => {
  const folder = path.join(root, 'source/services/pty/xterm/patches');
  const names = readdirSync(folder);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const [head] = readFileSync(path.join(folder, name), 'utf8').split('\ndiff --git ');
    expect(head, name).toMatch(/^\S.*\n\nWhy: .*\n\nFor upstream: /s);
  }
});
