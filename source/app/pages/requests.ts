import { type Request, refusalOf } from '../../core/run/refusals.js';
import { refusalWords } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { RunPort } from '../ports.js';

export interface Wishes {
  /** Sends a request. What was asked for may have come to be impossible while a dialog was open: then that is said. */
  readonly request: (message: Request) => void;
  /** Asks before a request is sent; the question closes itself when what it says is no longer so. */
  readonly ask: (title: string, lines: readonly string[], yes: string, message: Request) => void;
}

/** How a person's choices reach the run. */
export function useRequests(run: RunPort, say: (text: string) => void): Wishes {
  const dialogs = useDialogs();
  const request = (message: Request) => {
    const refusal = refusalOf(run.state(), message);
    if (refusal === null) run.dispatch(message);
    else say(refusalWords(refusal));
  };
  const isQueued = (message: Request) =>
    'agent' in message && run.state().agents[message.agent]?.state.name === 'queued';
  return {
    request,
    ask: (title, lines, yes, message) => {
      const waited = isQueued(message);
      const settled = () => {
        const refusal = refusalOf(run.state(), message);
        if (refusal !== null) return refusalWords(refusal);
        // What is said of an agent that waits is not so of one that works.
        return waited && !isQueued(message) ? 'It has started meanwhile; ask again.' : null;
      };
      const subscribe = (listener: () => void) => run.subscribe(listener);
      const until = { subscribe, settled, say };
      dialogs.open({ kind: 'confirm', title, lines, yes, onYes: () => request(message), until });
    },
  };
}
