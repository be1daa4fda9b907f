import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TerminalStream } from '../../../source/services/host/terminal-stream.js';
import { Emulator } from '../../../source/services/pty/emulator.js';
import { eventually } from '../../eventually.js';

/** A terminal, and what a client makes of what it is sent of it. */
function followed(
  options: { readonly takes?: boolean; readonly before?: string; readonly drawMs?: number } = {},
) {
  const { takes = true, before = '', drawMs = 0 } = options;
  const own = new Emulator(40, 10, 200);
  own.feed(before);
  let copy = new Emulator(40, 10, 200);
  const sent = { bytes: 0, screens: 0, whole: 0, at: [] as number[] };
  // What it draws it tells a moment later.
  const take = (bytes: number) => {
    if (takes && drawMs > 0) setTimeout(() => stream.taken(bytes), drawMs);
    else if (takes) queueMicrotask(() => stream.taken(bytes));
  };
  const stream = new TerminalStream(
    own,
    {
      screen: ({ cols, rows, whole, output }) => {
        copy.dispose();
        copy = new Emulator(cols, rows, 200);
        copy.feed(output);
        sent.bytes += output.length;
        sent.screens += 1;
        sent.at.push(performance.now());
        if (whole) sent.whole += 1;
        take(Buffer.byteLength(output));
      },
      bytes: (bytes) => {
        copy.feed(Buffer.from(bytes));
        sent.bytes += bytes.length;
        take(bytes.length);
      },
    },
    200,
    () => 8,
  );
  const shown = (emulator: Emulator) => ({
    // A row that was filled and trimmed by half is blanks there.
    lines: emulator.lines().map((line) => line.trimEnd()),
    cursor: emulator.cursor(),
    size: [emulator.cols, emulator.rows],
    modes: emulator.modes,
  });
  return {
    own,
    stream,
    sent,
    /** Resolves when the client shows what the terminal does. */
    same: async () => {
      await own.drawn();
      await eventually(async () => {
        await copy.drawn();
        expect(shown(copy)).toEqual(shown(own));
      });
    },
    end: () => {
      stream.close();
      own.dispose();
      copy.dispose();
    },
  };
}

const piece = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    '\r\n',
    '\x1b[31mred\x1b[0m',
    '\x1b[2J\x1b[H',
    '\x1b[5;7H',
    '\x1b[K',
    '\x1b[?25l',
    '\x1b[?25h',
    '\x1b[?2004h',
    'ü€😀',
    '\t',
    '\r',
    'a line that is longer than the terminal is wide, so that it goes on below\r\n',
  ),
);

test('a client that follows a terminal shows what it shows, wherever its bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 30 }),
      fc.array(piece, { minLength: 1, maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
      async (before, after, cuts) => {
        const given = followed({ before: before.join('') });
        const bytes = Buffer.from(after.join(''));
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const length = cuts[n % cuts.length] as number;
          given.own.feed(bytes.subarray(at, at + length));
          at += length;
          if (n % 3 === 0) await given.own.drawn();
        }
        await given.same();
        given.end();
      },
    ),
    { numRuns: 40 },
  );
});

test('one that begins in the middle of a sequence is given it whole', async () => {
  const given = followed({ before: 'begun \x1b[3' });
  await given.own.drawn();
  given.own.feed('1mred\r\n');
  await given.same();
  given.end();
});

test('in a flood it is sent what the terminal shows, and all of it in the end', async () => {
  const given = followed();
  let total = 0;
  for (let round = 0; round < 200; round++) {
    const text = `round ${round} ${'x'.repeat(60)}\r\n`.repeat(400);
    total += text.length;
    given.own.feed(text);
    await given.own.drawn();
  }
  await given.same();
  expect(given.sent.bytes).toBeLessThan(total / 5);
  expect(given.sent.whole).toBeGreaterThanOrEqual(2);
  given.end();
});

test('a client that draws slowly is sent pictures less often, so that it takes a small share of the machine', async () => {
  const drawMs = 15;
  const given = followed({ drawMs });
  // Up to the first picture in the flood it is not known.
  while (given.sent.at.length < 5) {
    given.own.feed(`${'z'.repeat(60)}\r\n`.repeat(1000));
    await given.own.drawn();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const gaps = given.sent.at.slice(1).map((at, index) => at - (given.sent.at[index] as number));
  // A timer may fire a little earlier than it says.
  expect(Math.min(...gaps.slice(1))).toBeGreaterThan(drawMs * 8 * 8 * 0.9);
  given.end();
});

test('a client that takes nothing is sent no more than it can hold', async () => {
  const given = followed({ takes: false });
  for (let round = 0; round < 300; round++) {
    given.own.feed(`${'y'.repeat(30)}\r\n`.repeat(500));
    await given.own.drawn();
  }
  expect(given.sent.bytes).toBeLessThan(4e6);
  given.end();
});

test('another size is sent at once, with what the terminal shows at it', async () => {
  const given = followed({ before: `${'a long line '.repeat(10)}\r\nend` });
  await given.own.drawn();
  given.own.resize(25, 6);
  await given.same();
  given.own.feed('\r\nafter');
  await given.same();
  given.end();
});
