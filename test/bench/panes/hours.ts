/**
 * Benchmark: a run of two hours with 8 agents, whose time is simulated. Whether memory is flat, the screen is
 * as quick at the end as at the start, and the journal, the agents' logs and their recordings, which are
 * written as in a run, are whole.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentLogs } from '../../../source/services/logs/agent-log.js';
import { LineFile } from '../../../source/services/logs/line-file.js';
import { logPaths } from '../../../source/services/logs/log-paths.js';
import { Recording } from '../../../source/services/pty/recording.js';
import { RecordingWriter } from '../../../source/services/pty/recording-writer.js';
import { jsonLines, median, row } from '../kit.js';
import { count, line, playRun, used } from './played-run.js';

const seconds = Number(process.env['BENCH_SIMULATED_SECONDS'] ?? 7200);

const folder = mkdtempSync(path.join(tmpdir(), 'ao-hours-'));
const paths = logPaths(folder, '20260101_000000');
mkdirSync(paths.raw, { recursive: true });
const problem = (text: string) => {
  throw new Error(text);
};
const journal = new LineFile(paths.journal, problem);
const logs = new AgentLogs(paths, problem);
const writer = new RecordingWriter();
const agents = Array.from({ length: count }, (_, agent) => agent);
const recordings = agents.map(
  (agent) => new Recording(paths.cast(agent), 80, 24, `agent ${agent}`, writer),
);
let messages = 0;
const { app, run, turns, paint, forget } = await playRun([
  (state, before, message) => {
    messages += 1;
    journal.append(message);
    logs.note(state, before, message);
  },
]);

let printed = 0;
let told = 0;

/** A second of a run: all agents print, and one of them tells something. @returns what it took, milliseconds */
async function second(at: number): Promise<number> {
  const from = performance.now();
  for (const agent of agents) {
    const bytes = Buffer.from(Array.from({ length: 40 }, line).join(''));
    printed += bytes.length;
    recordings[agent]?.output(bytes);
    run.screens.get(agent)?.feed(bytes);
  }
  for (const screen of run.screens.values()) await screen.drawn();
  if (at % 30 < count) {
    told += 1;
    const agent = at % count;
    run.dispatch({ type: 'turn_started', agent });
    run.dispatch({ type: 'turn_ended', agent, usage: null });
  }
  await turns();
  await paint();
  forget();
  return performance.now() - from;
}

const start = await used();
const times: number[] = [];
for (let at = 0; at < seconds; at++) times.push(await second(at));
const end = await used();
for (const recording of recordings) recording.close();
writer.close();
logs.close();
journal.close();

const kept = agents
  .flatMap((agent) => jsonLines(paths.cast(agent)).slice(1))
  .reduce((sum, recorded) => sum + Buffer.byteLength(recorded[2]), 0);
const events = agents
  .flatMap((agent) => jsonLines(paths.agentLog(agent)))
  .filter(({ event }) => event === 'assistant_response').length;
const tenth = Math.floor(seconds / 10);
const part = 'Long runs';
row({
  part,
  what: `${(seconds / 3600).toFixed(1)} hours of 8 agents, simulated: memory in use`,
  ours: `${(end / 1e6).toFixed(1)} MB`,
  beside: `at the start ${(start / 1e6).toFixed(1)} MB`,
  target: 'flat',
});
row({
  part,
  what: 'a second of it, in the last tenth (median)',
  ours: `${median(times.slice(-tenth)).toFixed(1)} ms`,
  beside: `in the second tenth ${median(times.slice(tenth, 2 * tenth)).toFixed(1)} ms`,
  target: 'as quick',
});
row({
  part,
  what: 'its logs: messages in the journal, events in the agents’ logs, bytes in the recordings',
  ours: `${jsonLines(paths.journal).length} of ${messages}, ${events} of ${told}, ${kept} of ${printed}`,
  target: 'whole',
});
rmSync(folder, { recursive: true });
await app.host.close();
process.exit();
