import type { Effect } from '../core/run/effect.js';
import { attemptHandlers } from './effects/attempts.js';
import { type Handlers, type Ports, Stops } from './effects/handlers.js';
import { judgingHandlers } from './effects/judging.js';
import { mergingHandlers } from './effects/merging.js';
import { planningHandlers } from './effects/planning.js';
import { timingHandlers } from './effects/timing.js';
import type { EffectHandler } from './run-store.js';

export type { Ports } from './effects/handlers.js';

/** Carries out effects. */
export interface EffectRunner {
  readonly handle: EffectHandler;
  /** Resolves when nothing that was begun is under way; attempts and timers do not count. */
  settled(): Promise<void>;
}

/**
 * Carries out effects by the ports and answers with messages.
 * @param onFinish called when the run has ended and nothing of it is under way
 */
export function createEffectRunner(ports: Ports, onFinish: () => void): EffectRunner {
  const working = new Set<Promise<void>>();
  const background = (work: () => Promise<void>): void => {
    const done: Promise<void> = work()
      .catch((error: unknown) => {
        // What an effect throws is a bug, and must not pass unseen.
        queueMicrotask(() => {
          throw error;
        });
      })
      .finally(() => working.delete(done));
    working.add(done);
  };
  const stops = new Stops();
  const handlers: Handlers<Effect['type']> = {
    ...planningHandlers(ports),
    ...attemptHandlers(ports),
    ...judgingHandlers(ports, stops),
    ...mergingHandlers(ports, stops),
    ...timingHandlers(ports, background, onFinish),
  };
  return {
    handle: (effect, dispatch) => {
      // The type of an effect names its handler; the compiler cannot follow that for all at once.
      const handler = handlers[effect.type] as (
        one: Effect,
        answer: typeof dispatch,
      ) => void | Promise<void>;
      const done = handler(effect, dispatch);
      if (done) background(() => done);
    },
    settled: async () => {
      while (working.size > 0) await Promise.all(working);
    },
  };
}
