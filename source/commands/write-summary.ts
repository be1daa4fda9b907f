import { describe } from '../core/failure.js';
import type { RunState } from '../core/run.js';
import { type Summary, summarise } from '../core/summary.js';
import { fileFailure } from '../core/work-problem.js';
import { writeWhole } from '../services/files/private-files.js';
import { branchesNow } from '../services/git/branches-now.js';
import { ensureLogs, type LogPaths } from '../services/logs/log-paths.js';
import type { RunRecord } from '../services/records/run-records.js';

/** The summary of a run, with the branches on which git has its work now. */
export function summaryNow(state: RunState): Summary {
  const summary = summarise(state);
  const branches = branchesNow(state.config.repo, state.config.stamp);
  return branches === null ? summary : withBranches(summary, branches);
}

/**
 * Says of each piece of work where it is: on the branch that stands at its commit. One of an earlier round is
 * on another branch than the agent's own.
 * @param branches by the commit they stand at
 */
export function withBranches(
  summary: Summary,
  branches: ReadonlyMap<string, readonly string[]>,
): Summary {
  const agents = Object.entries(summary.agents).map(([name, agent]) => {
    const at = agent.commit === null ? undefined : branches.get(agent.commit);
    const branch = at?.includes(agent.branch) ? agent.branch : (at?.[0] ?? '');
    return [name, agent.commit === null ? agent : { ...agent, branch }] as const;
  });
  return { ...summary, agents: Object.fromEntries(agents) };
}

/**
 * Writes the summary, for the person and for ourselves; what keeps it from that is said.
 * @returns whether it is on the disk
 */
export function writeSummary(
  state: RunState,
  paths: LogPaths,
  record: RunRecord,
  warn: (text: string) => void,
): boolean {
  try {
    const summary = summaryNow(state);
    ensureLogs(state.config.repo);
    writeWhole(paths.summary, `${JSON.stringify(summary, null, 2)}\n`);
    record.saveSummary(summary);
    return true;
  } catch (error) {
    const { message } = describe(fileFailure(error, paths.summary));
    warn(
      `The summary could not be written: ${message} The next start of aider-orchestrator here writes it.`,
    );
    return false;
  }
}
