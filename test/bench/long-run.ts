/**
 * Benchmark: a run of 200 tasks on 4 slots, each of which prints more lines than a terminal keeps. Whether
 * memory is flat, the logs are whole, and the screen is as quick at the end as at the start.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Summary } from '../../source/core/run/summary.js';
import { jsonLines, median, row } from './kit.js';
import { residentMb, sleep } from './panes/client.js';
import { makeFlooding, openProduct } from './panes/subjects.js';

const tasks = Number(process.env['BENCH_TASKS'] ?? 200);
const slots = 4;

/** What Aider leaves of one answer: its analytics log, and an edit. */
const work = `
file=f$n.txt
while [ $# -gt 0 ]; do [ "$1" = --analytics-log ] && log=$2; shift; done
say() { echo '{"event":"'$1'","properties":{'$2'},"user_id":"u","time":'$(date +%s)'}' >> "$log"; }
say launched
say message_send_starting
cat "$dir/flood.0"
echo "edited $n" >> "$file"
echo "Applied edit to $file"
say message_send '"main_model":"m","edit_format":"diff","prompt_tokens":900,"completion_tokens":90,"total_tokens":990,"cost":0.01,"total_cost":0.01'
say exit '"reason":"Completed --message"'
`;

const agents = makeFlooding(slots, 0.5, work);
const subject = await openProduct(agents, tasks);
const { client } = subject;
agents.open();
client.blind(true);

const started = performance.now();
const logs = path.join(agents.folder, 'repo/.aider_logs');
/** Agents that have ended, by what is on disk. */
function ended(): number {
  const names = readdirSync(logs).filter((name) => /^agent\d+_.*\.jsonl$/.test(name));
  return names.filter((name) =>
    readFileSync(path.join(logs, name), 'utf8').includes('"event":"outcome"'),
  ).length;
}
/** How long what a key leads to takes to be seen, milliseconds, in the middle of some. */
async function timed(keys: string, seen: string, then: string): Promise<number> {
  const taken: number[] = [];
  for (let at = 0; at < 11; at++) {
    const drawn = client.draws(seen);
    const from = performance.now();
    client.type(keys);
    taken.push((await drawn) - from);
    client.type(then);
    // Escape is told from the beginning of other keys by silence.
    await sleep(then === '' ? 60 : 300);
  }
  return median(taken);
}
interface Quarter {
  /** Seconds since the start. */
  readonly at: number;
  readonly megabytes: number;
  /** Milliseconds until the help is seen, and until an agent that may have ended long ago is. */
  readonly key: number;
  readonly pane: number;
}
const quarters: Quarter[] = [];
for (let part = 1; part <= 4; part++) {
  while (ended() < (tasks * part) / 4 - slots) await sleep(200);
  const at = (performance.now() - started) / 1000;
  const megabytes = subject.pids.reduce((sum, pid) => sum + residentMb(pid), 0);
  const key = await timed('?', 'Keys', '\x1b');
  const pane = await timed('\t', '▸', '');
  const quarter = { at, megabytes, key, pane };
  quarters.push(quarter);
  console.log(JSON.stringify(quarter));
}
while (!readdirSync(logs).some((name) => name.startsWith('summary_'))) await sleep(100);
await sleep(500);
client.type('q');
const { code } = await client.ended;

const lines = (name: string) => jsonLines(path.join(logs, name));
const names = readdirSync(logs);
const summary: Summary = JSON.parse(
  readFileSync(path.join(logs, names.find((name) => name.startsWith('summary_')) ?? ''), 'utf8'),
);
const succeeded = Object.values(summary.agents).filter((one) => one.success).length;
const whole = names.filter((name) => {
  if (name.endsWith('.cast'))
    return lines(name)
      .filter((event) => event[1] === 'o')
      .map((event) => event[2])
      .join('')
      .endsWith('.txt\r\n');
  return (
    /^agent\d+_.*jsonl$/.test(name) &&
    lines(name).filter(({ event }) => event === 'outcome').length === 1
  );
}).length;
lines(path.join('runs', readdirSync(path.join(logs, 'runs'))[0] ?? '', 'journal.jsonl'));
agents.remove();

const [first, second, , last] = quarters as [Quarter, Quarter, Quarter, Quarter];
const part = 'Long runs';
const size = `${tasks} tasks on ${slots} slots, 0.5 MB of output each`;
row({
  part,
  what: `${size}: resident after a quarter, half and at the end`,
  ours: [first, second, last].map((one) => `${one.megabytes.toFixed(0)} MB`).join(', '),
  target: 'flat',
});
row({
  part,
  what: 'the last quarter of them',
  ours: `${(last.at - (quarters[2]?.at ?? 0)).toFixed(1)} s`,
  beside: `the second ${(second.at - first.at).toFixed(1)} s`,
  target: 'as quick',
});
for (const [name, what] of [
  ['key', 'a key'],
  ['pane', 'an agent that has ended'],
] as const) {
  row({
    part,
    what: `${what} until it is seen, at the end (median)`,
    ours: `${last[name].toFixed(1)} ms`,
    beside: `after a quarter ${first[name].toFixed(1)} ms`,
    target: 'as quick',
  });
}
row({
  part,
  what: 'agents that succeeded and landed; whole logs and recordings',
  ours: `${succeeded} of ${tasks} (exit code ${code}); ${whole} of ${2 * tasks}`,
  target: 'all',
});
