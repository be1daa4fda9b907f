import { existsSync } from 'node:fs';
import type { CommittedWork } from '../core/agent/agent.js';
import { describe, type Failure } from '../core/policy/failure.js';
import { fileFailure } from '../core/policy/work-problem.js';
import type { RunState } from '../core/run/run.js';
import { type AgentSummary, type Summary, summarise } from '../core/run/summary.js';
import { writeWhole } from '../services/files/private-files.js';
import { branchesNow } from '../services/git/branches-now.js';
import { ensureLogs, type LogPaths } from '../services/logs/log-paths.js';
import type { RunRecord } from '../services/records/run-records.js';

/** Work that was committed after its run had ended, by agent. */
export type Rescued = ReadonlyMap<number, CommittedWork>;

/** The summary of a run, with the places where its work is now. */
export function summaryNow(state: RunState, rescued: Rescued = new Map()): Summary {
  const summary = summarise(state);
  const agents = Object.entries(summary.agents).map(([name, agent], index) => {
    const work = rescued.get(index);
    if (!work) return [name, agent] as const;
    const files_changed = work.diff.files.map((file) => ({ ...file }));
    return [name, { ...agent, commit: work.commit, files_changed, left_in: null }] as const;
  });
  return withPlaces({ ...summary, agents: Object.fromEntries(agents) }, state.config.repo);
}

/**
 * Says of each piece of work where it is, as git and the disk have it now: on the branch that stands at its
 * commit (one of an earlier round is on another branch than the agent's own), or in a worktree that is there.
 */
export function withPlaces(summary: Summary, repo: string): Summary {
  const branches = branchesNow(repo, summary.timestamp);
  const placed = (agent: AgentSummary): AgentSummary => {
    const left_in = agent.left_in && existsSync(agent.left_in) ? agent.left_in : null;
    if (agent.commit === null || branches === null) return { ...agent, left_in };
    const at = branches.get(agent.commit) ?? [];
    const branch = at.includes(agent.branch) ? agent.branch : (at[0] ?? '');
    return { ...agent, branch, left_in };
  };
  const agents = Object.entries(summary.agents).map(([name, agent]) => [name, placed(agent)]);
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
  rescued: Rescued = new Map(),
): boolean {
  try {
    const summary = summaryNow(state, rescued);
    ensureLogs(state.config.repo);
    writeWhole(paths.summary, `${JSON.stringify(summary, null, 2)}\n`);
    record.saveSummary(summary);
    return true;
  } catch (error) {
    const { repo } = state.config;
    const failure: Failure = existsSync(repo)
      ? fileFailure(error, paths.summary)
      : { kind: 'machine', fault: 'folder_gone', doing: repo };
    const { message } = describe(failure);
    warn(
      `The summary could not be written: ${message} The next start of aider-orchestrator here writes it.`,
    );
    return false;
  }
}
