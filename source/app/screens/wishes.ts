import { refusalOf, type Wish } from '../../core/run/refusals.js';
import { refusalWords } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { RunPort } from '../ports.js';

export interface Wishes {
  /** Sends a wish. What was asked for may have come to be impossible while a dialog was open: then that is said. */
  readonly wish: (message: Wish) => void;
  /** Asks before a wish is sent; the question closes itself when what it says is no longer so. */
  readonly ask: (title: string, lines: readonly string[], yes: string, message: Wish) => void;
}

/** How a person's wishes reach the run. */
export function useWishes(run: RunPort, say: (text: string) => void): Wishes {
  const dialogs = useDialogs();
  const wish = (message: Wish) => {
    const refusal = refusalOf(run.state(), message);
    if (refusal === null) run.dispatch(message);
    else say(refusalWords(refusal));
  };
  const isQueued = (message: Wish) =>
    'agent' in message && run.state().agents[message.agent]?.state.name === 'queued';
  return {
    wish,
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
      dialogs.open({ kind: 'confirm', title, lines, yes, onYes: () => wish(message), until });
    },
  };
}
