import { type Agent, type FailReason, isDone } from '../agent/agent.js';
import { isCommon } from '../agent/judge.js';
import { budgetWarnings } from '../policy/budget.js';
import { haltWords } from '../text/words.js';
import type { RunState } from './run.js';

/** Failures that are alike before the run stops to burn the rest, unless one agent has got further. */
const haltAfter = 3;

/** Failures of the machine: the first one meets all the others too. */
function isOfMachine(reason: FailReason): boolean {
  return reason === 'disk_full' || reason === 'machine_fault';
}

/** The run begins nothing more, and says why. */
export function haltedBy(
  state: RunState,
  reason: FailReason,
  detail: string,
  agents: readonly number[],
): RunState {
  const circuitBreaker = { reason, detail, agents };
  // A person mends it and goes on; nobody is there to do that in a run without a screen.
  const paused = state.paused || !state.config.unattended;
  return {
    ...state,
    circuitBreaker,
    paused,
    warnings: [...new Set([...state.warnings, haltWords(circuitBreaker)])],
  };
}

/** Says once what there is to say of the budget. */
export function noteMoney(state: RunState): RunState {
  const fresh = budgetWarnings(state).filter((said) => !state.warnings.includes(said));
  return fresh.length === 0 ? state : { ...state, warnings: [...state.warnings, ...fresh] };
}

/** Keeps the order of failures, and halts the run when the first ones have one cause in common. */
export function noteFailures(before: RunState, state: RunState): RunState {
  if (before.agents === state.agents) return state;
  const failed = (agent: Agent | undefined) => agent?.state.name === 'failed';
  const fresh = state.agents.filter(
    (agent) => failed(agent) && !failed(before.agents[agent.index]),
  );
  const still = state.failures.filter((index) => failed(state.agents[index]));
  if (fresh.length === 0 && still.length === state.failures.length) return state;
  const next = { ...state, failures: [...still, ...fresh.map((agent) => agent.index)] };
  const ofMachine = fresh.flatMap(({ state: now }) =>
    now.name === 'failed' && isOfMachine(now.reason) ? [now] : [],
  )[0];
  if (ofMachine && state.circuitBreaker === null && !state.agents.every(isDone)) {
    return haltedBy(next, ofMachine.reason, ofMachine.detail, next.failures);
  }
  const first = next.failures.slice(0, haltAfter).map((index) => state.agents[index] as Agent);
  const alike = first.map((agent) => (agent.state.name === 'failed' ? agent.state : null));
  const [one] = alike;
  const isHalt =
    state.circuitBreaker === null &&
    first.length === haltAfter &&
    one?.reason !== undefined &&
    isCommon(one.reason) &&
    alike.every((other) => other?.reason === one.reason) &&
    !state.agents.every(isDone);
  if (!isHalt) return next;
  return haltedBy(next, one.reason, one.detail, next.failures);
}
