/**
 * Benchmark: what the screen costs while little happens (CPU at rest, and with agents that print as real
 * Aider does), and its memory with 5,000 lines of each agent.
 */
import { row } from '../kit.js';
import { cpuSeconds, residentMb, sleep } from './client.js';
import { type Agents, makeAgents, makeFlooding, openProduct, openTmux } from './subjects.js';

const count = Number(process.env['BENCH_AGENTS'] ?? 8);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 20);
/** Until what has just begun is compiled, and Node has put the memory of its start in order, seconds. */
const settling = 20;

/** Per cent of one core over some seconds. */
async function load(pids: readonly number[], time = seconds): Promise<number> {
  const used = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = used();
  const start = performance.now();
  await sleep(time * 1000);
  return (100 * (used() - before)) / ((performance.now() - start) / 1000);
}

async function opened(agents: Agents, open: typeof openProduct | typeof openTmux) {
  const subject = await open(agents);
  subject.client.blind(true);
  await sleep(settling * 1000);
  return subject;
}

/** A few words twenty times a second: about 3 KB/s each. */
const talk =
  'i=0; while :; do i=$((i+1)); printf "\\033[32mwords of a reply, number %s, as a model streams them: the parser reads a file and returns tokens while the cache holds every open handle\\033[0m %s\\n" $i; sleep 0.05; done';

/** What the screen costs, percent of a core and megabytes. */
async function measure(open: typeof openProduct) {
  const waiting = makeAgents(count, 'exec cat');
  const rest = await opened(waiting, open);
  const atRest = await load(rest.pids);
  await rest.close();
  waiting.remove();

  const talking = makeAgents(count, talk);
  const busy = await opened(talking, open);
  talking.open();
  await sleep(settling * 1000);
  const printing = await load(busy.pids);
  await busy.close();
  talking.remove();

  const flooding = makeFlooding(count, 2, 'cat "$dir/flood.$n"; exec sleep 1000');
  const full = await opened(flooding, open);
  flooding.open();
  // All of it is drawn when it has nothing to do any more.
  await sleep(3000);
  while ((await load(full.pids, 1)) > 10);
  const memory = full.pids.reduce((sum, pid) => sum + residentMb(pid), 0);
  await full.close();
  flooding.remove();
  return { atRest, printing, memory };
}

const ours = await measure(openProduct);
const tmux = await measure(openTmux);
for (const [name, what, unit, digits, target] of [
  ['atRest', `${count} agents that say nothing, of one core`, '%', 1, 'under 1 %'],
  ['printing', `${count} agents that print as Aider does, of one core`, '%', 1, 'under 5 %'],
  ['memory', `${count} agents with 5,000 lines each, resident`, 'MB', 0, 'at most 200 MB'],
] as const) {
  const told = (value: number) => `${value.toFixed(digits)} ${unit}`;
  row({
    part: 'Panes',
    what,
    ours: told(ours[name]),
    beside: `tmux ${told(tmux[name])}`,
    target: count === 8 ? target : 'measured',
  });
}
