/**
 * Benchmark: whether memory is flat over 100,000 frames, and over a run of two hours whose time is
 * simulated: the application with 8 agents on a terminal of 200x60. Its agents are played by hand; the
 * journal, the agents' logs and their recordings are written as in a run.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

process.env.NODE_ENV = 'production';
const { keys, PlayedApp, task } = await import('../../app/played.js');
const { median, row } = await import('../kit.js');
const { makeLines } = await import('./flood.js');
const { AgentLogs } = await import('../../../source/services/logs/agent-log.js');
const { LineFile } = await import('../../../source/services/logs/line-file.js');
const { logPaths } = await import('../../../source/services/logs/log-paths.js');
const { Recording } = await import('../../../source/services/pty/recording.js');
const { RecordingWriter } = await import('../../../source/services/pty/recording-writer.js');

const frames = Number(process.env.BENCH_FRAMES ?? 100_000);
const seconds = Number(process.env.BENCH_SIMULATED_SECONDS ?? 7200);
const count = 8;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are in use, after a collection of garbage. */
async function used(): Promise<number> {
  // Finalizers free what lies outside of the heap a turn later.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const tasks = Array.from({ length: count }, (_, at) =>
  task(`T${at + 1}`, `Work on f${at}.txt`, [`f${at}.txt`]),
);
const folder = mkdtempSync(path.join(tmpdir(), 'ao-frames-'));
const paths = logPaths(folder, '20260101_000000');
mkdirSync(paths.raw, { recursive: true });
const problem = (text: string) => {
  throw new Error(text);
};
const journal = new LineFile(paths.journal, problem);
const logs = new AgentLogs(paths, problem);
const writer = new RecordingWriter();
const recordings = tasks.map(
  (_, agent) => new Recording(paths.cast(agent), 80, 24, `agent ${agent}`, writer),
);
let messages = 0;
const app = new PlayedApp({
  cols: 200,
  rows: 60,
  colour: true,
  change: 'Measure',
  tasks,
  maxAgents: count,
  observers: [
    (state, before, message) => {
      messages += 1;
      journal.append(message);
      logs.note(state, before, message);
    },
  ],
});

async function shows(pattern: RegExp): Promise<void> {
  for (const late = Date.now() + 10_000; !pattern.test(app.text()); ) {
    if (Date.now() > late) throw new Error(`not shown: ${pattern}\n${app.text()}`);
    await app.settle();
  }
}

await shows(/All that a run needs/);
app.type(keys.enter);
await shows(/R1/);
app.type(keys.enter);
await shows(/GROUPS/);
app.type(keys.enter);
await shows(/This will happen/);
app.type(keys.enter);
await shows(/▸ RUN/);
if (!app.run) throw new Error('no run');
const { run } = app as { run: NonNullable<typeof app.run> };
await app.settle();
const line = makeLines(1);
for (let agent = 0; agent < count; agent++) {
  await run.begin(agent, Array.from({ length: 6000 }, line).join(''));
}

const turns = async () => {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
};
/** What the player keeps for tests is not the program's. */
const forget = () => {
  app.output.length = 0;
  run.effects.length = 0;
};
const event = (agent: number, name: string, properties = {}) =>
  run.dispatch({ type: 'aider_event', agent, event: { event: name, properties, time: 1 } });

async function frame(index: number): Promise<void> {
  const agent = index % count;
  run.screens.get(agent)?.feed(line());
  // The one in focus is painted each time.
  await run.print(0, line());
  // Each tenth frame is laid out anew, as facts of an agent have changed.
  if (index % 10 === 0) {
    run.dispatch({ type: 'agent_touched', agent, files: [], dangers: [], conflicts: [] });
    await turns();
  }
  // A paint that does not wait for the next thirtieth of a second.
  app.host.setHoles([]);
  await Promise.resolve();
  await app.terminal.drawn();
}

const warm = Math.floor(frames / 5);
for (let index = 0; index < warm; index++) await frame(index);
forget();
const before = await used();
let drawn = 0;
for (let index = 0; index < frames; index++) {
  await frame(index);
  drawn += app.output.length;
  forget();
}
const grown = (await used()) - before;
row({
  part: 'Panes',
  what: `memory over ${frames} frames (${drawn} writes), 8 agents with 5,000 lines each`,
  ours: `${(grown / frames).toFixed(0)} bytes a frame`,
  target: 'at most 1,000',
});

let printed = 0;
let told = 0;

/** A second of a run: all agents print, and one of them tells something. */
async function second(at: number): Promise<number> {
  const from = performance.now();
  for (let agent = 0; agent < count; agent++) {
    const text = Array.from({ length: 40 }, line).join('');
    const bytes = Buffer.from(text);
    printed += bytes.length;
    recordings[agent]?.output(bytes);
    run.screens.get(agent)?.feed(bytes);
  }
  for (const screen of run.screens.values() ?? []) await screen.drawn();
  const agent = at % count;
  if (at % 30 < count) {
    told += 1;
    event(agent, at % 60 < 30 ? 'message_send_starting' : 'cli session');
  }
  await turns();
  app.host.setHoles([]);
  await Promise.resolve();
  await app.terminal.drawn();
  forget();
  return performance.now() - from;
}

const start = await used();
const times: number[] = [];
for (let at = 0; at < seconds; at++) times.push(await second(at));
const end = await used();
const tenth = Math.floor(seconds / 10);
row({
  part: 'Long runs',
  what: `${(seconds / 3600).toFixed(1)} hours of 8 agents, simulated: memory in use`,
  ours: `${(end / 1e6).toFixed(1)} MB`,
  beside: `at the start ${(start / 1e6).toFixed(1)} MB`,
  target: 'flat',
});
row({
  part: 'Long runs',
  what: 'a second of it, in the last tenth (median)',
  ours: `${median(times.slice(-tenth)).toFixed(1)} ms`,
  beside: `in the second tenth ${median(times.slice(tenth, 2 * tenth)).toFixed(1)} ms`,
  target: 'as quick',
});
for (const recording of recordings) recording.close();
writer.close();
logs.close();
journal.close();
/** Throws where a line is no JSON. */
const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text));
const agents = tasks.map((_, agent) => agent);
const kept = agents
  .flatMap((agent) => lines(paths.cast(agent)).slice(1))
  .reduce((sum, recorded) => sum + Buffer.byteLength(recorded[2]), 0);
const events = agents
  .flatMap((agent) => lines(paths.agentLog(agent)))
  .filter((one) => ['message_send_starting', 'cli session'].includes(one.event)).length;
row({
  part: 'Long runs',
  what: 'its logs: messages in the journal, events in the agents’ logs, bytes in the recordings',
  ours: `${lines(paths.journal).length} of ${messages}, ${events} of ${told}, ${kept} of ${printed}`,
  target: 'whole',
});
rmSync(folder, { recursive: true });
await app.host.close();
process.exit();
