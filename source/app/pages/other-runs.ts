import type { Action } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { RunPort, RunRow, WizardPort } from '../ports.js';

/** So many runs are listed, the latest ones. */
const mostListed = 200;

/**
 * Lists the runs of this repository: from here a person goes to another one, looks at the result of one that has
 * ended, or begins a new change. The run on the screen goes on.
 * @param onLeave leaves the screen for the one that comes
 */
export function useOtherRuns(
  port: WizardPort,
  run: RunPort,
  say: (text: string) => void,
  onLeave: () => void,
): Action {
  const dialogs = useDialogs();
  const isOver = () => run.state().phase === 'finished';
  const go = (to: string | null) => {
    port.goTo(to);
    if (!isOver()) run.leave?.();
    onLeave();
  };
  const choose = (row: RunRow) => {
    if (row.isThis) say('That is the run on this screen.');
    else if (row.isAlive) go(row.run);
    else if (row.report) {
      dialogs.open({ kind: 'viewer', title: `Run ${row.run}`, source: row.report });
    } else say(`Run ${row.run} has no result.`);
  };
  const list = async () => {
    const rows = (await port.runs()).slice(0, mostListed);
    const others = rows.some((row) => !row.isThis);
    dialogs.open({
      kind: 'choose',
      title: 'Runs in this repository',
      lines: [
        isOver() ? 'This run has finished.' : 'This run goes on while you look at another one.',
        ...(others ? [] : ['There is no other run yet.']),
      ],
      items: [
        'Begin a new change',
        ...rows.map((row) => (row.isThis ? `${row.words} (on this screen)` : row.words)),
      ],
      onDone: (index) => {
        const row = rows[index - 1];
        if (row) choose(row);
        else go(null);
      },
    });
  };
  return {
    run: () => void list(),
    refusal:
      run.leave === null && !isOver()
        ? 'this run ends with this program, so it cannot be left'
        : null,
  };
}
