import type { Handlers, Ports } from './handlers.js';

type Timing = 'start_timer' | 'look_at_agent' | 'finish';

/** From a fact that edits may be on disk to the look at them, milliseconds. */
const lookMs = 400;

/**
 * What happens later.
 * @param background runs work beside the loop
 * @param onFinish called when the run has ended and nothing of it is under way
 */
export function timingHandlers(
  { workspace }: Ports,
  background: (work: () => Promise<void>) => void,
  onFinish: () => void,
): Handlers<Timing> {
  const timers = new Set<NodeJS.Timeout>();
  const looks = new Map<number, NodeJS.Timeout>();
  return {
    start_timer: ({ timer: due, ms }, dispatch) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        dispatch({ type: 'timer_fired', timer: due });
      }, ms);
      timers.add(timer);
    },
    /** An agent writes its edits right after it has told of them, so a moment is given to it. */
    look_at_agent: ({ agent, task, checkout, since, edited }, dispatch) => {
      const before = looks.get(agent);
      if (before) clearTimeout(before);
      const timer = setTimeout(() => {
        looks.delete(agent);
        background(async () => {
          const seen = await workspace.changesSoFar(agent, task, checkout, { edited, since });
          if (seen) dispatch({ type: 'agent_touched', agent, ...seen });
        });
      }, lookMs);
      looks.set(agent, timer);
    },
    finish: () => {
      for (const timer of [...timers, ...looks.values()]) clearTimeout(timer);
      timers.clear();
      looks.clear();
      onFinish();
    },
  };
}
