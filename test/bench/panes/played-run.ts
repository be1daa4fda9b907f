/**
 * The application with 8 agents at work on a terminal of 200x60, each with more lines than are kept. The agents
 * are played by hand.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Observer } from '../../../source/store/run-store.js';

process.env['NODE_ENV'] = 'production';
const { keys, PlayedApp, task } = await import('../../whole-app/played.js');
const { makeLines } = await import('./flood.js');

export const count = 8;

/** A line that is printed, another one each time. */
export const line = makeLines(1);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are in use, after a collection of garbage. */
export async function used(): Promise<number> {
  // Finalizers free what lies outside of the heap a turn later.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** @param observers told of each message, as those are who write logs */
export async function playRun(observers: readonly Observer[] = []) {
  const app = new PlayedApp({
    cols: 200,
    rows: 60,
    colour: true,
    change: 'Measure',
    tasks: Array.from({ length: count }, (_, at) =>
      task(`T${at + 1}`, `Work on f${at}.txt`, [`f${at}.txt`]),
    ),
    maxAgents: count,
    observers,
  });
  const shows = async (pattern: RegExp) => {
    for (const late = Date.now() + 10_000; !pattern.test(app.text()); ) {
      if (Date.now() > late) throw new Error(`not shown: ${pattern}\n${app.text()}`);
      await app.settle();
    }
  };
  for (const step of [/Everything a run needs/, /R1/, /GROUPS/, /This is what will happen/]) {
    await shows(step);
    app.type(keys.enter);
  }
  await shows(/▸ RUN/);
  const { run } = app;
  if (!run) throw new Error('no run');
  await app.settle();
  for (let agent = 0; agent < count; agent++) {
    await run.begin(agent, Array.from({ length: 6000 }, line).join(''));
  }
  return {
    app,
    run,
    /** Has effects and React do what is to be done. */
    turns: async () => {
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    /** A paint that does not wait for the next thirtieth of a second. */
    paint: async () => {
      app.host.setHole('bench', null);
      await Promise.resolve();
      await app.terminal.drawn();
    },
    /** What the player keeps for tests is not the program's. */
    forget: () => {
      app.output.length = 0;
      run.effects.length = 0;
    },
  };
}
