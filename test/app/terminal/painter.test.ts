import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PaintedPane, Painter, type Rect } from '../../../source/app/terminal/painter.js';
import { Emulator } from '../../../source/services/pty/emulator.js';

const cols = 40;
const rows = 12;

/** A pane whose cell at (row, column) shows one letter, which depends on its version. */
class LetterPane implements PaintedPane {
  at = 1;
  asked = 0;

  constructor(
    readonly x: number,
    readonly y: number,
    readonly width: number,
    readonly height: number,
    private readonly letter: string,
  ) {}

  version(): number {
    return this.at;
  }

  row(index: number, from: number, to: number): string {
    this.asked += 1;
    return Array.from({ length: to - from }, (_, column) => this.cell(index, from + column)).join(
      '',
    );
  }

  cell(row: number, column: number): string {
    return String.fromCharCode(
      this.letter.charCodeAt(0) + ((row * 7 + column * 3 + this.at * 5) % 26),
    );
  }

  cursor(): null {
    return null;
  }
}

function within({ x, y, width, height }: Rect, column: number, row: number): boolean {
  return column >= x && column < x + width && row >= y && row < y + height;
}

/** What the terminal must show, cell by cell. */
function expected(
  frame: readonly string[],
  panes: ReadonlyMap<string, LetterPane>,
  holes: readonly Rect[],
): string[] {
  return Array.from({ length: rows }, (_, y) =>
    Array.from({ length: cols }, (_, x) => {
      const pane = [...panes.values()].findLast((one) => within(one, x, y));
      const hole = holes.some((one) => within(one, x, y));
      return pane && !hole ? pane.cell(y - pane.y, x - pane.x) : (frame[y]?.[x] ?? ' ');
    })
      .join('')
      .trimEnd(),
  );
}

const rect = fc.record({
  x: fc.nat(cols - 4),
  y: fc.nat(rows - 3),
  width: fc.integer({ min: 1, max: 14 }),
  height: fc.integer({ min: 1, max: 5 }),
});
const step = fc.oneof(
  fc.record({
    frame: fc.array(fc.stringMatching(/^[.,:; ]{0,40}$/), { minLength: rows, maxLength: rows }),
  }),
  fc.record({
    pane: fc.constantFrom('left', 'right'),
    down: fc.nat(3),
    wide: fc.integer({ min: 1, max: 18 }),
  }),
  fc.record({ change: fc.constantFrom('left', 'right') }),
  fc.record({ remove: fc.constantFrom('left', 'right') }),
  fc.record({ holes: fc.array(rect, { maxLength: 2 }) }),
  fc.record({ forget: fc.constant(true) }),
);

test('whatever changes, the terminal shows frame, panes and holes as they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const painter = new Painter();
      painter.resize(cols, rows);
      const screen = new Emulator(cols, rows, 0);
      // As the terminal is while the screen has it: without autowrap.
      screen.feed('\x1b[?7l');
      const panes = new Map<string, LetterPane>();
      let frame: readonly string[] = [];
      let holes: readonly Rect[] = [];
      for (const one of steps) {
        if ('frame' in one) {
          frame = one.frame;
          painter.setFrame(frame);
        } else if ('pane' in one) {
          // Panes of a layout do not overlap.
          const x = one.pane === 'left' ? 0 : 20;
          const pane = new LetterPane(x, one.down, one.wide, 6, one.pane === 'left' ? 'A' : 'a');
          panes.set(one.pane, pane);
          painter.setPane(one.pane, pane);
        } else if ('change' in one) {
          const pane = panes.get(one.change);
          if (pane) pane.at += 1;
        } else if ('remove' in one) {
          panes.delete(one.remove);
          painter.removePane(one.remove);
        } else if ('holes' in one) {
          holes = one.holes;
          painter.setHoles(holes);
        } else painter.invalidate();
        screen.feed(painter.paint());
        await screen.drawn();
        const shown = Array.from({ length: rows }, (_, y) => screen.rowText(y).trimEnd());
        expect(shown).toEqual(expected(frame, panes, holes));
      }
    }),
    { numRuns: 200 },
  );
});

test('nothing changed: nothing is written, and no row is asked for', () => {
  const painter = new Painter();
  painter.resize(cols, rows);
  const pane = new LetterPane(1, 1, 10, 5, 'A');
  painter.setFrame(['frame']);
  painter.setPane('one', pane);
  expect(painter.paint()).toContain('frame');
  const { asked } = pane;
  expect(painter.paint()).toBe('');
  expect(pane.asked).toBe(asked);
  pane.at += 26;
  // All rows are asked for, and as they are the same, nothing is written.
  expect(painter.paint()).toBe('');
  expect(pane.asked).toBe(asked + 5);
});

test('what is written is one synchronized update, and the cursor stands where the pane has it', () => {
  const painter = new Painter();
  painter.resize(cols, rows);
  const pane = new LetterPane(5, 2, 10, 5, 'A');
  painter.setPane('one', Object.assign(pane, { cursor: () => ({ x: 3, y: 1 }) }));
  const bytes = painter.paint();
  expect(bytes.startsWith('\x1b[?2026h')).toBe(true);
  expect(bytes.endsWith('\x1b[4;9H\x1b[?25h\x1b[?2026l')).toBe(true);
  painter.setHoles([{ x: 0, y: 0, width: cols, height: rows }]);
  expect(painter.paint()).not.toContain('\x1b[?25h');
});

test('a pane that is not in front waits for a paint of all; what the frame takes of it is drawn as it was', async () => {
  const painter = new Painter();
  painter.resize(cols, rows);
  const front = Object.assign(new LetterPane(0, 0, 10, 4, 'a'), { front: true });
  const back = new LetterPane(20, 0, 10, 4, 'A');
  const before = new LetterPane(20, 0, 10, 4, 'A');
  painter.setPane('front', front);
  painter.setPane('back', back);
  const frame = Array.from({ length: rows }, () => '.'.repeat(cols));
  painter.setFrame(frame);
  const screen = new Emulator(cols, rows, 0);
  const shown = async (bytes: string) => {
    screen.feed(bytes);
    await screen.drawn();
    return Array.from({ length: rows }, (_, y) => screen.rowText(y).trimEnd());
  };
  const showing = (other: LetterPane) =>
    expected(
      frame,
      new Map([
        ['front', front],
        ['back', other],
      ]),
      [],
    );
  expect(await shown(painter.paint())).toEqual(showing(back));
  front.at = 2;
  back.at = 2;
  expect(await shown(painter.paint(false))).toEqual(showing(before));
  frame[1] = ','.repeat(cols);
  painter.setFrame([...frame]);
  const { asked } = back;
  expect(await shown(painter.paint(false))).toEqual(showing(before));
  expect(back.asked).toBe(asked);
  expect(await shown(painter.paint())).toEqual(showing(back));
});

test('a pane that shows the same is not asked for its rows when the frame beside it changes', () => {
  const painter = new Painter();
  painter.resize(cols, rows);
  const pane = new LetterPane(20, 0, 10, 4, 'A');
  painter.setPane('one', pane);
  painter.setFrame(['first']);
  painter.paint();
  expect(pane.asked).toBe(4);
  painter.setFrame(['second']);
  expect(painter.paint()).toContain(pane.row(0, 0, 10));
  expect(pane.asked).toBe(5);
});
