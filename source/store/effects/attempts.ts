import type { StopSignal } from '../../core/agent/agent.js';
import { nothingTold } from '../../core/agent/evidence.js';
import type { AttemptHandle } from '../../core/ports.js';
import type { Dispatch } from '../run-store.js';
import type { EffectOf, Handlers, Ports } from './handlers.js';

type Attempts = 'prepare_agent' | 'start_attempt' | 'signal_agent';

/** The start of an attempt that has no process yet. */
interface Start {
  readonly giveUp: AbortController;
  /** It has been begun before, so that its process has to be told once it is there. */
  readonly isKnown: boolean;
  signal: StopSignal | null;
}

/** An agent's worktree and its processes. */
export function attemptHandlers({ workspace, backend }: Ports): Handlers<Attempts> {
  const handles = new Map<number, AttemptHandle>();
  const starting = new Map<number, Start>();
  return {
    prepare_agent: async ({ agent, task, from, setup }, dispatch) => {
      const made = await workspace.prepare(agent, task, from, setup);
      dispatch(
        made.ok
          ? { type: 'agent_prepared', agent, checkout: made.value }
          : { type: 'agent_not_prepared', agent, ...made.failure },
      );
    },
    start_attempt: startAttempt,
    signal_agent: ({ agent, signal }) => {
      const handle = handles.get(agent);
      const start = starting.get(agent);
      if (handle) handle.signal(signal);
      else if (start?.isKnown) start.signal = signal;
      else if (start) start.giveUp.abort();
      else workspace.interruptPrepare(agent, signal);
    },
  };

  async function startAttempt(
    effect: EffectOf<'start_attempt'>,
    dispatch: Dispatch,
  ): Promise<void> {
    const { type: _, ...request } = effect;
    const { agent } = request;
    const giveUp = new AbortController();
    const start: Start = { giveUp, isKnown: request.told !== null, signal: null };
    starting.set(agent, start);
    let hasEnded = false;
    const started = await backend.start(
      request,
      {
        turnStarted: () => dispatch({ type: 'turn_started', agent }),
        turnEnded: (usage) => dispatch({ type: 'turn_ended', agent, usage }),
        turnFailed: (cause) => dispatch({ type: 'turn_failed', agent, cause }),
        edited: (files) => dispatch({ type: 'agent_edited', agent, files }),
        asks: (question) => dispatch({ type: 'agent_asks', agent, question }),
        goesOn: () => dispatch({ type: 'agent_goes_on', agent }),
        exited: (exit) => {
          hasEnded = true;
          handles.delete(agent);
          dispatch({ type: 'attempt_exited', agent, exit });
        },
        lost: () => dispatch({ type: 'attempt_lost', agent }),
      },
      giveUp.signal,
    );
    starting.delete(agent);
    if (giveUp.signal.aborted) {
      // As one that was ended in its first moment.
      dispatch({ type: 'attempt_exited', agent, exit: { ...nothingTold, signal: 'SIGTERM' } });
    } else if (started.ok && started.value !== null) {
      // A quick one has told all before it is told that it has started.
      if (!hasEnded) handles.set(agent, started.value);
      dispatch({ type: 'attempt_started', agent, pid: started.value.pid });
      if (start.signal) started.value.signal(start.signal);
    } else if (!started.ok) {
      dispatch({ type: 'attempt_not_started', agent, ...started.failure });
    }
  }
}
