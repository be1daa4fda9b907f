import type { Agent } from '../agent/agent.js';
import type { RunState } from './run.js';

/** What has changed between two states of a run, as JSON: who has the first one gets the second by it. */
export interface StatePatch {
  /** What has another value, but for the agents. */
  readonly fields: Partial<Omit<RunState, 'agents'>>;
  /** How many agents there are. */
  readonly count: number;
  /** The agents that have changed, by their index. */
  readonly agents: readonly (readonly [index: number, agent: Agent])[];
}

/** States share what has not changed, so that it is enough to compare references. */
export function patchOf(before: RunState | null, after: RunState): StatePatch {
  const { agents, ...rest } = after;
  const fields = Object.entries(rest).filter(
    ([name, value]) => before === null || before[name as keyof RunState] !== value,
  );
  const changed = agents.flatMap((agent, index) =>
    before?.agents[index] === agent ? [] : [[index, agent] as const],
  );
  return { fields: Object.fromEntries(fields), count: agents.length, agents: changed };
}

/** @param before null for a patch that was made from no state, and holds all of it */
export function applyPatch(before: RunState | null, patch: StatePatch): RunState {
  const agents = before?.agents.slice(0, patch.count) ?? [];
  for (const [index, agent] of patch.agents) agents[index] = agent;
  return { ...(before as RunState), ...patch.fields, agents };
}

/** Whether nothing has changed. */
export function isEmptyPatch({ fields, agents, count }: StatePatch, before: RunState | null) {
  return agents.length === 0 && count === before?.agents.length && Object.keys(fields).length === 0;
}
