import { type Agent, type Attempt, currentAttempt, isActive } from '../agent/agent.js';
import { inspectEffect, unansweredMs } from '../agent/attempt-events.js';
import { escalation } from '../agent/steps.js';
import { unreachable } from '../result.js';
import type { Effect } from './effect.js';
import {
  commitAgent,
  integrate,
  land,
  prepareAgent,
  reviewAgent,
  startAttempt,
  testAgent,
  testBase,
  testTip,
  undoLanding,
} from './make-effect.js';
import type { RunState } from './run.js';

/**
 * All that is under way in a state, as effects: a run whose program has ended is gone on with by carrying them
 * out. Each of them does no more than once, so it does not matter how far it had come. Timers are set anew, by what
 * the state says.
 * @param now epoch milliseconds
 */
export function pendingEffects(run: RunState, now: number): Effect[] {
  return [
    ...run.agents.flatMap((agent) => ofAgent(run, agent, now)),
    ...ofMerge(run),
    ...ofPhase(run),
  ];
}

function ofPhase(run: RunState): Effect[] {
  const { phase, config, integration } = run;
  const commit = integration?.commit ?? null;
  switch (phase) {
    case 'planning':
      return [{ type: 'make_plan' }];
    case 'confirming':
      return [{ type: 'confirm_plan' }];
    case 'testing':
      return config.testCommand === null ? [] : [testBase(run, config.testCommand)];
    case 'reviewing': {
      if (commit === null) return [];
      const read: Effect = { type: 'supervise', commit, criteria: run.criteria };
      return run.interruptedBy === null ? [read] : [read, { type: 'stop_tests', agent: null }];
    }
    case 'landing':
      return ofLanding(run);
    case 'finished':
      return [{ type: 'finish' }];
    case 'red_base':
    case 'running':
    case 'integrating':
      return [];
    default:
      return unreachable(phase);
  }
}

function ofMerge(run: RunState): Effect[] {
  const { integrating } = run;
  if (integrating === null) return [];
  const merge = integrate(run, integrating.order, integrating.rebuild);
  return run.interruptedBy === null ? [merge] : [merge, { type: 'stop_tests', agent: null }];
}

function ofLanding(run: RunState): Effect[] {
  const { onto, integration, landed, config, undoing } = run;
  if (undoing) return landed === null ? [] : [undoLanding(run, landed)];
  const commit = integration?.commit ?? null;
  if (commit === null) return [];
  switch (onto?.step) {
    case 'merging':
      return [{ type: 'merge_onto_tip', commit, tip: onto.tip }];
    case 'testing': {
      if (onto.commit === null || config.testCommand === null) return [];
      const test = testTip(run, onto.commit, config.testCommand);
      return run.interruptedBy === null ? [test] : [test, { type: 'stop_tests', agent: null }];
    }
    case 'landing':
    case null:
    case undefined:
      return [land(run, commit)];
    default:
      return unreachable(onto?.step as never);
  }
}

function ofAgent(run: RunState, agent: Agent, now: number): Effect[] {
  if (!isActive(agent)) return [];
  const { startedAt, index } = agent;
  const at = startedAt ?? now;
  const limit: Effect = {
    type: 'start_timer',
    timer: { kind: 'wall_clock', agent: index, epoch: at },
    ms: Math.max(0, at + run.config.timeoutMs - now),
  };
  return [...ofState(run, agent), limit];
}

function ofState(run: RunState, agent: Agent): Effect[] {
  const { state, index, epoch } = agent;
  const isEnded = agent.pendingRequest !== null || run.interruptedBy !== null;
  const stopCheck: Effect[] = isEnded ? [{ type: 'stop_tests', agent: index }] : [];
  switch (state.name) {
    case 'preparing': {
      const kill = agent.pendingRequest === 'kill' || run.interruptedBy !== null;
      const prepare = prepareAgent(run, agent, state.from);
      return kill
        ? [prepare, { type: 'signal_agent', agent: index, signal: 'SIGTERM' }]
        : [prepare];
    }
    case 'running':
      return [goOn(run, agent, state)];
    case 'asking': {
      const timer = { kind: 'unanswered', agent: index, epoch } as const;
      const wait: Effect[] = run.config.unattended
        ? [{ type: 'start_timer', timer, ms: unansweredMs }]
        : [];
      return [goOn(run, agent, state), ...wait];
    }
    case 'stopping': {
      const { signal } = state;
      const harsher = escalation[signal];
      const timer = { kind: 'escalate', agent: index, epoch } as const;
      return [
        goOn(run, agent, state),
        { type: 'signal_agent', agent: index, signal },
        ...(harsher ? [{ type: 'start_timer' as const, timer, ms: harsher.ms }] : []),
      ];
    }
    case 'judging':
      return [inspectEffect(agent, state.checkout, state.exit, state.cause)];
    case 'testing':
      return run.config.testCommand === null
        ? []
        : [testAgent(agent, state.checkout, run.config.testCommand), ...stopCheck];
    case 'reviewing':
      return [reviewAgent(run, agent, state.checkout), ...stopCheck];
    case 'committing':
      return [commitAgent(run, agent, state.checkout, state.outcome)];
    case 'queued':
    case 'waiting':
    case 'succeeded':
    case 'failed':
    case 'killed':
      return [];
    default:
      return unreachable(state);
  }
}

/** Goes on with an attempt, from what has been told of it. */
function goOn(
  run: RunState,
  agent: Agent,
  { checkout, brief }: Extract<Agent['state'], { readonly brief: unknown }>,
): Effect {
  const { sends, responses, exceptions } = currentAttempt(agent) as Attempt;
  return startAttempt(run, agent, checkout, brief, { sends, responses, exceptions });
}
