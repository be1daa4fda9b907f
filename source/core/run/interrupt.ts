import { type Agent, type Checkout, isDone } from '../agent/agent.js';
import { inspectEffect } from '../agent/attempt-events.js';
import { nothingTold } from '../agent/evidence.js';
import { commit, killBeforeWork, type Step, stop, updateAttempt } from '../agent/steps.js';
import type { Failure } from '../policy/failure.js';
import { problemOf } from '../policy/work-problem.js';
import { haltedBy } from './circuit-breaker.js';
import type { Effect, Next } from './effect.js';
import { end } from './integration.js';
import type { Phase, RunState } from './run.js';

/** A first signal stops the agents by degrees and keeps their work; a second one kills them at once. */
export function onInterrupt(state: RunState, signal: string, at: number): Next {
  const again = state.interruptedBy !== null;
  const by = state.interruptedBy ?? signal;
  const next: RunState = { ...state, interruptedBy: by };
  if (state.phase === 'red_base') return end(next, at);
  if (state.phase === 'planning' || state.phase === 'confirming' || state.phase === 'testing') {
    const [ended, effects] = end(next, at);
    const stopped: Effect =
      state.phase === 'testing' ? { type: 'stop_tests', agent: null } : { type: 'cancel_planning' };
    return [ended, [stopped, ...effects]];
  }
  const effects: Effect[] = [];
  if (state.integrating !== null || state.phase === 'reviewing' || state.onto?.step === 'testing') {
    effects.push({ type: 'stop_tests', agent: null });
  }
  const agents = state.agents.map((agent): Agent => {
    if (agent.state.name === 'queued') return killBeforeWork(agent, by, at);
    // A set-up command may be running; its agent is ended when that has ended.
    if (agent.state.name === 'waiting') {
      const [kept, more] = commit(state, agent, agent.state.checkout, { state: 'killed', by });
      effects.push(...more);
      return kept;
    }
    if (agent.state.name === 'testing' || agent.state.name === 'reviewing') {
      effects.push({ type: 'stop_tests', agent: agent.index });
      return { ...agent, pendingRequest: null };
    }
    if (agent.state.name === 'preparing') {
      effects.push({
        type: 'signal_agent',
        agent: agent.index,
        signal: again ? 'SIGKILL' : 'SIGTERM',
      });
      return agent;
    }
    const [stopped, more] = stop(
      { ...agent, pendingRequest: null },
      { kind: 'killed', by },
      again ? 'SIGKILL' : 'SIGINT',
    );
    effects.push(...more);
    return stopped;
  });
  return [{ ...next, agents }, effects];
}

/** The program that ran this died. Its successor keeps the agents' work and closes the books. */
export function onOrphaned(state: RunState, detail: string, at: number): Next {
  const effects: Effect[] = [];
  const agents = state.agents.map((agent): Agent => {
    const { state: now } = agent;
    if (now.name === 'succeeded' || now.name === 'failed' || now.name === 'killed') return agent;
    if (now.name === 'queued' || now.name === 'preparing') return killBeforeWork(agent, detail, at);
    if (now.name === 'running' || now.name === 'asking' || now.name === 'stopping') {
      // Its process went with the program; what it did is held against the rules, as that of any other.
      const [lost, more] = endLost(agent, now.checkout, detail, at);
      effects.push(...more);
      return lost;
    }
    if (now.name === 'judging') {
      effects.push(inspectEffect(agent, now.checkout, now.exit, { kind: 'killed', by: detail }));
      return { ...agent, state: { ...now, cause: { kind: 'killed', by: detail } } };
    }
    const outcome =
      now.name === 'committing' ? now.outcome : ({ state: 'killed', by: detail } as const);
    const [next, more] = commit(state, agent, now.checkout, outcome);
    effects.push(...more);
    return next;
  });
  const next: RunState = { ...state, agents, integrating: null, interruptedBy: detail };
  const ends: readonly Phase[] = [
    'planning',
    'confirming',
    'testing',
    'red_base',
    'reviewing',
    'landing',
  ];
  if (ends.includes(state.phase)) {
    const [ended, more] = end(next, at);
    return [ended, [...effects, ...more]];
  }
  return [{ ...next, phase: 'running' }, effects];
}

/** An attempt whose process is gone, of a run that is not gone on with. */
function endLost(agent: Agent, checkout: Checkout, by: string, at: number): Step {
  const cause = { kind: 'killed', by } as const;
  const ended = updateAttempt(agent, { endedAt: at, exit: nothingTold });
  const judging = { name: 'judging', checkout, exit: nothingTold, cause } as const;
  return [
    { ...ended, epoch: agent.epoch + 1, state: judging },
    [inspectEffect(ended, checkout, nothingTold, cause)],
  ];
}

/**
 * A batch could not be merged or tested. A fault of the machine says nothing of the work: a person mends it and goes
 * on. Else the run ends with it: what was to be merged is on its agents' branches, those at work are stopped, and
 * their work is kept.
 */
export function onIntegrationFailed(given: RunState, failure: Failure, at: number): Next {
  const { integrating, config } = given;
  if (integrating === null) return [given, []];
  const state: RunState = { ...given, integrating: null };
  if (failure.kind === 'machine' && !config.unattended && !integrating.rebuild) {
    const { reason, detail } = problemOf(failure, 'machine_fault');
    return [haltedBy({ ...state, phase: 'running' }, reason, detail, []), []];
  }
  const failed: RunState = { ...state, failure };
  return failed.agents.every(isDone)
    ? end(failed, at)
    : onInterrupt({ ...failed, phase: 'running' }, 'a failed merge', at);
}
