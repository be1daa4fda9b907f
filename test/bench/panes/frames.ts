/** Benchmark: whether memory is flat over 100,000 frames of 8 agents. */
import { row } from '../kit.js';
import { count, line, playRun, used } from './played-run.js';

const frames = Number(process.env['BENCH_FRAMES'] ?? 100_000);
const { app, run, turns, paint, forget } = await playRun();

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
  await paint();
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
  what: `memory over ${frames} frames, 8 agents with 5,000 lines each`,
  ours: `${(grown / frames).toFixed(0)} bytes a frame, ${drawn} writes`,
  target: 'at most 1,000',
});
await app.host.close();
process.exit();
