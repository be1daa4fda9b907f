import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { Harness, keys, type PlayedRun } from './harness.js';

/** What the emulator did with the lines: none may have run over the edge and wrapped. */
function expectWhole(app: Harness, after: string): void {
  const { terminal } = app;
  expect(terminal.length, `scrolled ${after}`).toBe(terminal.rows);
  expect(terminal.wrappedRows(), `wrapped ${after}`).toEqual([]);
  for (const line of app.text().split('\n')) {
    expect(stringWidth(line), `${after}: ${line}`).toBeLessThanOrEqual(terminal.cols);
  }
}

const key = fc.constantFrom(
  ...Object.values(keys).filter((one) => typeof one === 'string'),
  ...'abdefghijklmnoprstuvwxyzGHKLNR?/+-!<>123 äß'.split(''),
  '日本',
  '👩‍👩‍👧',
  '\x1b[6~',
  '\x1d',
  '\x15',
  '\x04',
  '\x1b[200~pasted\ntext\x1b[201~',
  '\x1b[<0;10;5M',
  '\x1b[<64;10;5M',
  '\x1b[<65;70;20M',
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ keys: key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      cols: fc.integer({ min: 1, max: 220 }),
      rows: fc.integer({ min: 1, max: 70 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ print: fc.constantFrom('line\n', '日本語\n'.repeat(9), '\x1b[31mred') }),
  },
);

async function toRun(app: Harness): Promise<PlayedRun> {
  await app.press(keys.enter, /PRD/);
  await app.shows(/R1/);
  await app.press(keys.enter, /GROUPS/);
  await app.press(keys.enter, /This is what will happen/);
  await app.press(keys.enter, /▸ RUN/);
  const { run } = app;
  if (!run) throw new Error('no run');
  await app.settle();
  await run.begin(0, 'one\n'.repeat(30));
  await run.begin(1, '日本語 text\n'.repeat(30));
  return run;
}

test.each([['the wizard'], ['the run']] as const)(
  'any keys and any sizes leave frames whose lines all fit: %s',
  async (where) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const app = new Harness({
          cols: 100,
          rows: 30,
          change: 'Dates',
          editor: (text) => `${text}\nmore`,
        });
        await app.shows(/Everything a run needs/);
        const run = where === 'the run' ? await toRun(app) : null;
        for (const one of steps) {
          if (app.exited) break;
          if ('keys' in one) app.type(one.keys);
          else if ('cols' in one) app.resize(one.cols, one.rows);
          else if (run) await run.print(0, one.print);
          await app.settle();
          expectWhole(app, JSON.stringify(one));
        }
        await app.host.close();
      }),
      { numRuns: 40 },
    );
  },
  120_000,
);
