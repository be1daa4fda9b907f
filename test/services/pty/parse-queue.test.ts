import { describe, expect, test } from 'vitest';
import { Emulator } from '../../../source/services/pty/emulator.js';
import { ParseQueue, type Parser } from '../../../source/services/pty/parse-queue.js';

/** Notes when it was its turn. */
class NotingParser implements Parser {
  pending = 0;

  constructor(
    private readonly name: string,
    private readonly order: string[],
  ) {}

  parse(bytes: number): void {
    this.order.push(this.name);
    this.pending -= Math.min(bytes, this.pending);
  }

  parsed(): void {}
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the queue for parsing', () => {
  test('takes turns, and serves an echo before floods', async () => {
    const order: string[] = [];
    const queue = new ParseQueue();
    const [a, b, echo] = ['a', 'b', 'echo'].map((name) => new NotingParser(name, order));
    for (const [parser, bytes] of [
      [a, 40_000],
      [b, 40_000],
      [echo, 10],
    ] as const) {
      (parser as NotingParser).pending = bytes;
      queue.add(parser as NotingParser);
    }
    while (order.length < 7) await turn();
    expect(order).toEqual(['echo', 'a', 'b', 'a', 'b', 'a', 'b']);
  });

  test('held, it parses echoes only; let go, all', async () => {
    const order: string[] = [];
    const queue = new ParseQueue();
    const flood = new NotingParser('flood', order);
    const echo = new NotingParser('echo', order);
    queue.hold(60_000);
    flood.pending = 10_000;
    queue.add(flood);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(order).toEqual([]);
    echo.pending = 10;
    queue.add(echo);
    while (order.length < 1) await turn();
    expect(order).toEqual(['echo']);
    queue.hold(0);
    while (flood.pending > 0) await turn();
    expect(order).toEqual(['echo', 'flood']);
  });
});

test('a screen loses nothing, however its feeding and waiting mix', async () => {
  const screen = new Emulator(40, 5, 5000);
  const waits: Promise<void>[] = [];
  for (let line = 0; line < 2000; line++) {
    screen.feed(`line ${line}\r\n`);
    if (line % 7 === 0) waits.push(screen.drawn());
    if (line % 100 === 0) await turn();
  }
  await Promise.all(waits);
  await screen.drawn();
  const lines = screen.lines().slice(0, 2000);
  expect(lines).toEqual(Array.from({ length: 2000 }, (_, line) => `line ${line}`));
  screen.dispose();
});
