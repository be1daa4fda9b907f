import type { RunRow, WizardPort } from '../../app/ports.js';
import { environment } from '../../services/machine/environment.js';
import { isHere, type KnownRun, readRecords } from '../../services/records/run-records.js';
import { summaryReport } from '../../view/report.js';
import { glyphsFor } from '../../view/table.js';
import type { Session } from './session.js';

/** Wide enough for all that is told of a run; the screen cuts it. */
const width = 200;

/** The other runs of this repository, each with its own host. */
export function othersPort(session: Session): Pick<WizardPort, 'runs' | 'goTo'> {
  return {
    runs: async () => {
      const { repo, held } = session;
      const { runLine } = await import('../run-lines.js');
      const own = held?.port.state().config.stamp ?? null;
      const runs = readRecords(repo).runs.filter((run) => isHere(run, repo.root));
      const shown = runs.filter(({ stamp }) => !stamp.startsWith('map-')).reverse();
      const rows = shown.map(async (run): Promise<RunRow | null> => {
        // A stamp that was claimed for a change that is still being typed is no run yet.
        if (run.liveness === 'alive' && run.pid === process.pid && run.stamp !== own) return null;
        return {
          run: run.stamp,
          words: await runLine(run, width),
          isAlive: run.liveness === 'alive',
          isThis: run.stamp === own,
          report: reportOf(run),
        };
      });
      return (await Promise.all(rows)).filter((row) => row !== null);
    },
    goTo: (run) => {
      session.next = { run };
    },
  };
}

function reportOf({ summary, liveness }: KnownRun): RunRow['report'] {
  if (summary === null || liveness === 'alive') return null;
  return (columns) => summaryReport(summary, columns, glyphsFor(environment()));
}
