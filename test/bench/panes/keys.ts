/**
 * Benchmark: how soon a key is seen while agents flood. A key that puts another agent in focus, with 8 that
 * print as fast as they can, and a letter that the agent in focus echoes, while 7 others do.
 */

import { row } from '../kit.js';
import { sleep } from './client.js';
import { random } from './flood.js';
import { type Agents, makeFlooding, openProduct, openTmux, type Subject } from './subjects.js';

const samples = Number(process.env['BENCH_KEYS'] ?? 300);
const count = Number(process.env['BENCH_AGENTS'] ?? 8);
/** In focus by a key of its own. */
const quiet = 7;

interface Latency {
  readonly median: number;
  readonly p99: number;
  readonly most: number;
}

function latency(values: number[]): Latency {
  const sorted = values.sort((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] as number;
  return { median: at(0.5), p99: at(0.99), most: at(1) };
}

/** Types at random moments, and waits each time until what shows it is drawn. */
async function press(
  { client }: Subject,
  key: (index: number) => { readonly keys: string; readonly seen: string },
): Promise<Latency> {
  const next = random(7);
  const taken: number[] = [];
  for (let index = 0; index < samples; index++) {
    await sleep(40 + next() * 60);
    const { keys, seen } = key(index);
    const drawn = client.draws(seen);
    const start = performance.now();
    client.type(keys);
    taken.push((await drawn) - start);
  }
  return latency(taken);
}

/** Letters of one column that no agent prints, one after the other. */
const letters = [
  [0x391, 0x3a1],
  [0x3b1, 0x3c9],
  [0x410, 0x44f],
  [0x531, 0x556],
  [0x561, 0x586],
  [0x10d0, 0x10f0],
  [0x13a0, 0x13f4],
  [0x1401, 0x14ff],
].flatMap(([from = 0, to = 0]) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index)),
);

export async function measureKeys(open: (agents: Agents) => Promise<Subject>) {
  const flood = 'while :; do cat "$dir/flood.$n"; done';
  const flooded = makeFlooding(count, 5, flood);
  const subject = await open(flooded);
  subject.client.blind(true);
  flooded.open();
  await sleep(2000);
  const focus = await press(subject, (index) => subject.focus(((index + 1) * 3) % 7));
  await subject.close();
  flooded.remove();

  const agents = makeFlooding(count, 5, `[ "$n" = ${quiet} ] && exec cat; ${flood}`);
  const typed = await open(agents);
  agents.open();
  await sleep(500);
  typed.client.type(typed.focus(quiet).keys);
  await sleep(500);
  await typed.typing(true);
  typed.client.blind(true);
  await sleep(1000);
  const echo = await press(typed, (index) => {
    const letter = letters[index % letters.length] as string;
    return { keys: letter, seen: letter };
  });
  await typed.close();
  agents.remove();
  return { focus, echo };
}

const ours = await measureKeys(openProduct);
const tmux = await measureKeys(openTmux);
const told = ({ median, p99 }: Latency) => `${median.toFixed(1)}, ${p99.toFixed(1)} ms`;
for (const [name, what, target] of [
  [
    'focus',
    `a key while ${count} agents flood, until it is seen: median, 99 %`,
    '99 % at most 20 ms, and tmux',
  ],
  [
    'echo',
    `a letter that an agent echoes while ${count - 1} flood: median, 99 %`,
    '99 % at most 25 ms',
  ],
] as const) {
  row({
    part: 'Panes',
    what,
    ours: told(ours[name]),
    beside: `tmux ${told(tmux[name])}`,
    ratio: (ours[name].p99 / tmux[name].p99).toFixed(2),
    target: count === 8 ? target : 'measured',
  });
}
