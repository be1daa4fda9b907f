import { useEffect, useRef } from 'react';
import { isDone } from '../core/agent/agent.js';
import { useDialogs } from './components/dialogs.js';
import type { Keymap } from './keymap.js';
import type { RunPort } from './ports.js';
import { useEnvironment } from './surface.js';

/**
 * Leaves: at once when nothing would be lost, else after asking; asked again while it asks, at once. What
 * is left to do then, such as keeping the agents' work, is done and told without the screen.
 * @param typed whether a text would be left behind
 * @param keep writes the draft; false where that failed
 */
export function useQuit(
  run: RunPort | null,
  typed: () => boolean,
  keep: () => boolean,
  onExit: () => void,
): () => void {
  const dialogs = useDialogs();
  const { keymap } = useEnvironment();
  /** Closes the question; null while it is not asked. */
  const asked = useRef<(() => void) | null>(null);
  useEffect(() => {
    if (!run) return;
    return run.subscribe(() => {
      // The question has answered itself; no other dialog is touched.
      if (run.state().phase !== 'finished') return;
      asked.current?.();
      asked.current = null;
    });
  }, [run]);
  useEffect(() => {
    if (!dialogs.isOpen) asked.current = null;
  }, [dialogs.isOpen]);
  return () => {
    if (!run) {
      if (!typed() || asked.current) return onExit();
      asked.current = dialogs.open({
        kind: 'confirm',
        title: 'Quit?',
        lines: [
          'Nothing has been started.',
          keep()
            ? 'The draft is kept, and the next start here offers it.'
            : 'The draft could not be written, and will be lost.',
        ],
        yes: 'quit',
        onYes: onExit,
      });
      return;
    }
    if (run.state().phase === 'finished') return onExit();
    const stop = () => {
      run.dispatch({ type: 'interrupt', signal: 'SIGINT' });
      onExit();
    };
    if (asked.current) {
      // The second one kills what does not end by itself.
      run.dispatch({ type: 'interrupt', signal: 'SIGINT' });
      return stop();
    }
    const { leave } = run;
    const words = stopWords(run, keymap);
    asked.current = dialogs.open(
      leave === null
        ? {
            kind: 'confirm',
            title: 'Stop the run and quit?',
            lines: words,
            yes: 'stop and quit',
            onYes: stop,
          }
        : {
            kind: 'choose',
            title: 'Quit',
            lines: words,
            items: ['Leave it running', 'Stop it'],
            onDone: (index) => {
              if (index === 1) return stop();
              leave();
              onExit();
            },
          },
    );
  };
}

/** What is to be known for leaving or stopping a run. */
function stopWords(run: RunPort, keymap: Keymap): string[] {
  const { agents, config } = run.state();
  const working = agents.filter((agent) => !isDone(agent)).length;
  const who = working === 1 ? '1 agent has' : `${working} agents have`;
  const left = `Left running, it goes on without this terminal: aider-orchestrator attach ${config.stamp} shows it again.`;
  return [
    ...(working > 0 ? [`${who} not finished.`] : []),
    ...(run.leave === null ? [] : [left]),
    `${run.leave === null ? 'The' : 'Stopped, the'} work so far is committed to the agents' branches, and nothing lands. ${keymap.label('quit')} again stops at once.`,
  ];
}
