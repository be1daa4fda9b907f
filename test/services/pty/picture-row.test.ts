import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Emulator } from '../../../source/services/pty/emulator.js';
import { drawPictureRow, type PictureRow } from '../../../source/services/pty/picture-row.js';

const printed = fc.constantFrom(
  'plain text',
  'a',
  ' ',
  '\u00a0',
  '漢字',
  'e\u0301',
  '👩‍👩‍👧',
  '\u202eturned',
  '\x1b[1;31mred\x1b[0m',
  '\x1b[38;2;1;2;3mtrue\x1b[m',
  '\x1b[48;5;200;4munder',
  '\x1b[8mhidden\x1b[28m',
  '\x1b[7m  ',
  '\x1b[0m',
  '\x1b[5G',
  '\x1b[K',
  '\r\n',
);

test('whatever part of a row is drawn from its picture is what the emulator draws of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(printed, { maxLength: 40 }),
      fc.nat(30),
      fc.nat(30),
      fc.boolean(),
      fc.constantFrom(null, 1, 17),
      async (pieces, a, b, colour, column) => {
        const emulator = new Emulator(20, 5, 20);
        emulator.feed(pieces.join(''));
        await emulator.drawn();
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        for (let y = 0; y < emulator.length; y++) {
          const sent = JSON.parse(JSON.stringify(emulator.pictureRow(y))) as PictureRow;
          // Where it sets no columns, the emulator has them set by none either.
          const own = emulator.row(y, from, to, column ?? 1, colour);
          expect(drawPictureRow(sent, from, to, column ?? 1, colour)).toBe(own);
        }
        emulator.dispose();
      },
    ),
    { numRuns: 300 },
  );
});

test('blanks at the end of a row are not sent', async () => {
  const emulator = new Emulator(20, 5);
  emulator.feed('ab  \x1b[1mc\x1b[0m   ');
  await emulator.drawn();
  expect(emulator.pictureRow(0)).toEqual([
    ['', 'ab  '],
    ['1', 'c'],
  ]);
  expect(emulator.pictureRow(1)).toEqual([]);
  expect(emulator.pictureRow(99)).toEqual([]);
  emulator.dispose();
});

test('a row that looks otherwise has other cells, or none that tell it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(printed, { maxLength: 20 }),
      fc.array(printed, { maxLength: 20 }),
      async (first, second) => {
        const emulator = new Emulator(20, 5, 20);
        const rows = () =>
          Array.from({ length: 5 }, (_, y) => {
            return {
              cells: emulator.rowCells(y)?.slice(),
              drawn: JSON.stringify(emulator.pictureRow(y)),
            };
          });
        emulator.feed(first.join(''));
        await emulator.drawn();
        const before = rows();
        emulator.feed(`\x1b[H${second.join('')}`);
        await emulator.drawn();
        for (const [y, now] of rows().entries()) {
          const was = before[y];
          if (!was?.cells || !now.cells || was.drawn === now.drawn) continue;
          expect([...now.cells]).not.toEqual([...was.cells]);
        }
        emulator.dispose();
      },
    ),
    { numRuns: 200 },
  );
});

test('a row keeps its number while others scroll off, and gets another one where all are made anew', async () => {
  const emulator = new Emulator(20, 5, 10);
  const feed = async (text: string) => {
    emulator.feed(text);
    await emulator.drawn();
  };
  await feed('1\r\n2\r\n3');
  expect([emulator.first, emulator.length]).toEqual([0, 5]);
  await feed(Array.from({ length: 40 }, (_, line) => `\r\nline ${line}`).join(''));
  expect(emulator.length).toBe(15);
  const { first } = emulator;
  const wanted = 'line 35';
  const row = [...Array(15).keys()].find((y) => emulator.rowText(y) === wanted) as number;
  await feed('\r\nmore\r\nand more');
  expect(emulator.rowText(first + row - emulator.first)).toBe(wanted);
  // A full reset clears the scrollback.
  await feed('\x1bc');
  await feed(Array.from({ length: 40 }, () => '\r\nx').join(''));
  expect(emulator.first).toBeGreaterThan(first);
  const before = emulator.first + emulator.length;
  expect(await emulator.pack()).toBe(true);
  expect(emulator.isPacked).toBe(true);
  expect(emulator.first).toBeGreaterThanOrEqual(before);
  expect(emulator.isPacked).toBe(false);
  emulator.dispose();
});
