import { type Agent, committedWork, type FailReason, isActive } from '../agent/agent.js';
import { goOn } from '../agent/requests.js';
import { requeue, requeueForRepair } from '../agent/steps.js';
import type { Next } from './effect.js';
import { pendingEffects } from './pending-effects.js';
import type { Phase, RunState } from './run.js';

/**
 * Why a run cannot be gone on with, as a clause without a full stop; null when it can. One that was cut off can,
 * and one that was interrupted or halted: what is done stays done.
 */
export function resumeRefusal(state: RunState): string | null {
  if (state.phase !== 'finished') {
    // Its end is made first, by which its agents' work is on their branches.
    return state.interruptedBy === null ? null : 'it is being ended';
  }
  const { failure, interruptedBy, circuitBreaker, landed } = state;
  if (landed !== null && interruptedBy === null) return 'its work has landed';
  if (failure?.kind === 'red_base') return 'the tests fail on the base';
  if (failure?.kind === 'usage') return 'it was not started';
  if (interruptedBy !== null || failure !== null || circuitBreaker !== null) return null;
  return state.agents.some(isUnfinished) ? null : 'it has ended, and nothing of it is left to do';
}

/** Whether a run's end, and not its own, has ended an agent. */
function isUnfinished({ state }: Agent): boolean {
  if (state.name === 'killed') return state.by !== 'you';
  const ofTheRun: readonly FailReason[] = ['not_started', 'machine_fault', 'disk_full'];
  return state.name === 'failed' && ofTheRun.includes(state.reason);
}

/** Goes on with a run, where a program before this one has left it. */
export function onResumed(given: RunState, idleMs: number, unattended: boolean, at: number): Next {
  if (resumeRefusal(given) !== null) return [given, []];
  const { redBase } = given.config;
  const told: RunState = {
    ...given,
    // Where nobody watches, nobody can be asked.
    config: {
      ...given.config,
      unattended,
      redBase: unattended && redBase === 'ask' ? 'stop' : redBase,
    },
    phase: given.phase === 'red_base' && unattended ? 'testing' : given.phase,
    resumed: given.resumed + 1,
    rested: given.rested + idleMs,
    rate: null,
    // Nobody is there to go on after a pause.
    paused: given.paused && !unattended && given.circuitBreaker === null,
  };
  const state = given.phase === 'finished' ? ledOn(told) : told;
  // The time in which nobody ran it is none of an agent's.
  const agents = state.agents.map(
    (agent): Agent =>
      isActive(agent) && agent.startedAt !== null
        ? { ...agent, startedAt: agent.startedAt + idleMs }
        : agent,
  );
  const next = withoutBreaker({ ...state, agents });
  const effects = pendingEffects(next, at);
  if (next.paused) return [next, effects];
  const steps = next.agents.map((agent) => goOn(next, agent, at));
  return [
    { ...next, agents: steps.map(([agent]) => agent) },
    [...effects, ...steps.flatMap(([, more]) => more)],
  ];
}

/** What a common cause has failed is begun anew, as after a pause. */
function withoutBreaker(state: RunState): RunState {
  const { circuitBreaker } = state;
  if (circuitBreaker === null) return state;
  const agents = state.agents.map((agent) => {
    const { state: now } = agent;
    return now.name === 'failed' && now.reason === circuitBreaker.reason ? again(agent) : agent;
  });
  return { ...state, agents: withSkipped(agents), circuitBreaker: null, paused: false };
}

/** A run that has ended early, where it would be had it not. */
function ledOn(state: RunState): RunState {
  const agents = state.agents.map((agent) => (isUnfinished(agent) ? again(agent) : agent));
  return {
    ...state,
    agents: withSkipped(agents),
    phase: phaseOf(state),
    endedAt: null,
    landing: null,
    failure: null,
    interruptedBy: null,
    integrating: null,
  };
}

function phaseOf({ agents, config, baseTestRun }: RunState): Phase {
  if (agents.length === 0) return 'planning';
  if (config.testCommand === null) return 'running';
  if (baseTestRun === null) return 'testing';
  return baseTestRun.state === 'failed' && config.redBase === 'ask' ? 'red_base' : 'running';
}

/** An agent goes on from its own commit; its iterations count on. */
function again(agent: Agent): Agent {
  const { repair, repairs, capRound, remarks } = agent;
  if (repair !== null) return { ...requeueForRepair(agent, repair), repairs };
  const resume = committedWork(agent)?.commit ?? null;
  return { ...requeue(agent, null), capRound, resume, remarks };
}

/** Those that were skipped because of an agent that goes on wait for it again. */
function withSkipped(given: readonly Agent[]): readonly Agent[] {
  let agents = given;
  for (let changed = true; changed; ) {
    changed = false;
    const lost = new Set(
      agents
        .filter(({ state }) => state.name === 'failed' || state.name === 'killed')
        .map(({ task }) => task.id),
    );
    agents = agents.map((agent) => {
      const { state, task } = agent;
      const isSkipped = state.name === 'failed' && state.reason === 'dependency_failed';
      if (!isSkipped || task.depends_on.some((id) => lost.has(id))) return agent;
      changed = true;
      return again(agent);
    });
  }
  return agents;
}
