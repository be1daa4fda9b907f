/**
 * Benchmark: leaving while 8 agents print as fast as they can. From the confirmation: when the agents are
 * dead, when the terminal is whole, and when the program has ended.
 */
import { isAlive, processesWith } from '../../processes.js';
import { median, row } from '../kit.js';
import { sleep } from './client.js';
import { makeFlooding, openProduct } from './subjects.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);

/** Milliseconds from the confirmation. */
interface Left {
  readonly dead: number;
  readonly whole: number;
  readonly ended: number;
}

async function leave(): Promise<Left> {
  const agents = makeFlooding(8, 5, 'while :; do cat "$dir/flood.$n"; done');
  const { client } = await openProduct(agents);
  const pids = await agents.pids();
  agents.open();
  await sleep(2000);
  client.type('q');
  await client.shows(/Leave it running/);
  await sleep(500);
  client.blind(true);
  // The last of what gives the terminal back.
  const whole = client.draws('\x1b[?1049l');
  const start = performance.now();
  client.type('\x1b[B\r');
  let dead = 0;
  while (dead === 0) {
    await sleep(1);
    if (!pids.some(isAlive)) dead = performance.now();
  }
  const end = await client.ended;
  const left = processesWith(agents.folder);
  if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
  agents.remove();
  return { dead: dead - start, whole: (await whole) - start, ended: end.at - start };
}

const all: Left[] = [];
for (let round = 0; round < rounds; round++) all.push(await leave());
const told = (of: keyof Left) => {
  const values = all.map((one) => one[of]);
  return `${median(values).toFixed(0)} (at most ${Math.max(...values).toFixed(0)})`;
};
for (const [name, what, target] of [
  ['dead', 'leaving under flood: agents dead', 'at most 50 ms'],
  ['whole', 'leaving under flood: terminal whole', 'at most 150 ms'],
  ['ended', 'leaving under flood: work kept, no process left', 'none'],
] as const) {
  row({ part: 'Panes', what, ours: `${told(name)} ms`, target });
}
