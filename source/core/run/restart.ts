import type { Agent } from '../agent/agent.js';
import { requeue, type Step } from '../agent/steps.js';
import type { Effect, Next } from './effect.js';
import { integrate } from './make-effect.js';
import type { Phase, RunState } from './run.js';

/** What a run is doing while no agent can begin. */
const busyWords: Readonly<Record<Exclude<Phase, 'running' | 'finished'>, string>> = {
  planning: 'the plan is being made',
  confirming: 'the plan waits to be confirmed',
  testing: 'the tests are running on the base',
  red_base: 'the tests fail on the base',
  integrating: 'the work is being merged',
  reviewing: 'the merged work is being reviewed',
  landing: 'the work is landing',
};

/** Why an agent cannot be started anew or taken over now, in words; null when it can. */
export function restartRefusal(state: RunState, agent: Agent): string | null {
  if (state.phase !== 'running' && state.phase !== 'finished') return busyWords[state.phase];
  if (state.failure?.kind === 'red_base') return 'the tests fail on the base';
  // What git could not merge once it may merge now.
  const isOver = state.phase === 'finished' && state.failure !== null;
  if (state.interruptedBy !== null && !isOver) return 'the run was interrupted';
  if (state.integrating?.order.includes(agent.index)) return 'its work is being merged';
  if (state.integration?.merged.includes(agent.index)) {
    if (state.phase === 'finished' || state.mergedBefore?.merged.includes(agent.index)) {
      return 'its work is merged already';
    }
    // It is taken out of what is merged, and another merge is under way.
    if (state.integrating !== null) return 'work is being merged';
    const onTop = state.agents.find((other) => other.builtOn.includes(agent.index));
    if (onTop) return `${onTop.task.id} builds on its work`;
  }
  if (agent.state.name !== 'succeeded') return null;
  const builder = state.agents.find(
    (other) => other.task.depends_on.includes(agent.task.id) && hasBegun(other),
  );
  return builder ? `${builder.task.id} builds on its work` : null;
}

function hasBegun({ state }: Agent): boolean {
  return (
    state.name !== 'queued' && !(state.name === 'failed' && state.reason === 'dependency_failed')
  );
}

/** Starts agents anew, and with them those that were skipped because of them. */
export function onRestart(
  state: RunState,
  indexes: readonly number[],
  change: (agent: Agent) => Step,
): Next {
  const chosen = indexes.filter((index) => {
    const agent = state.agents[index];
    return agent && restartRefusal(state, agent) === null;
  });
  if (chosen.length === 0) return [state, []];
  const effects: Effect[] = [];
  let agents = state.agents.map((agent) => {
    if (!chosen.includes(agent.index)) return agent;
    const [next, more] = change(agent);
    effects.push(...more);
    return next;
  });
  for (let changed = true; changed; ) {
    changed = false;
    const alive = new Set(agents.filter((agent) => !isLost(agent)).map((agent) => agent.task.id));
    agents = agents.map((agent) => {
      const skipped = agent.state.name === 'failed' && agent.state.reason === 'dependency_failed';
      if (!skipped || !agent.task.depends_on.every((id) => alive.has(id))) return agent;
      changed = true;
      return requeue(agent, null);
    });
  }
  const [integration, integrating, rebuild] = takeOut(state, chosen);
  effects.push(...rebuild);
  // What is merged when a finished run is led on is what it builds on from then on.
  const mergedBefore =
    state.phase === 'finished' && state.integration?.commit
      ? { commit: state.integration.commit, merged: state.integration.merged }
      : state.mergedBefore;
  return [
    {
      ...state,
      agents,
      phase: 'running',
      landing: null,
      failure: null,
      interruptedBy: null,
      circuitBreaker: null,
      mergedBefore,
      integrating,
      integration: integration && {
        ...integration,
        leftOut: integration.leftOut.filter((left) => agents[left.agent]?.state.name !== 'queued'),
      },
      excluded: state.excluded.filter((index) => !chosen.includes(index)),
    },
    effects,
  ];
}

/** Merges anew without the work of agents that begin again, where it is merged. */
function takeOut(
  state: RunState,
  chosen: readonly number[],
): [RunState['integration'], RunState['integrating'], readonly Effect[]] {
  const { integration, integrating, mergedBefore } = state;
  const out = chosen.filter((index) => integration?.merged.includes(index));
  if (integration === null || out.length === 0) return [integration, integrating, []];
  const merged = integration.merged.filter((index) => !out.includes(index));
  const order = merged.filter((index) => !mergedBefore?.merged.includes(index));
  return [{ ...integration, merged }, { order, rebuild: true }, [integrate(state, order, true)]];
}

function isLost(agent: Agent): boolean {
  return agent.state.name === 'failed' || agent.state.name === 'killed';
}
