import { dollars, isSpent } from '../policy/budget.js';
import type { Effect } from '../run/effect.js';
import { startAttempt as attemptEffect, briefOf, commitAgent } from '../run/make-effect.js';
import type { RunState } from '../run/run.js';
import { reasonWords, repairReason } from '../text/words.js';
import {
  type Agent,
  type AgentState,
  type Attempt,
  addUsage,
  type Checkout,
  committedWork,
  currentAttempt,
  type FailReason,
  type Outcome,
  type PendingRequest,
  type Repair,
  type StopCause,
  type StopSignal,
  timeSpent,
  unknownUsage,
} from './agent.js';
import type { Feedback } from './brief.js';
import { isCommon } from './judge.js';

/** An agent's next state, and what is to be done for it. */
export type Step = readonly [Agent, readonly Effect[]];

/** Milliseconds from one signal to the next, harsher one. A run must end within 5 s of a signal. */
export const escalation: Record<StopSignal, { next: StopSignal; ms: number } | null> = {
  SIGINT: { next: 'SIGTERM', ms: 1200 },
  SIGTERM: { next: 'SIGKILL', ms: 1000 },
  SIGKILL: null,
};

export function withState(agent: Agent, state: AgentState): Agent {
  return { ...agent, state };
}

export function finish(agent: Agent, state: AgentState, at: number): Agent {
  return { ...agent, state, endedAt: at, epoch: agent.epoch + 1, pendingRequest: null };
}

/** Sends an agent that is done back into the queue: its next round. */
export function requeue(agent: Agent, pendingRequest: PendingRequest | null): Agent {
  const goesOn = pendingRequest === 'take_over';
  return {
    ...agent,
    state: { name: 'queued' },
    startedAt: null,
    endedAt: null,
    epoch: agent.epoch + 1,
    spentMs: timeSpent(agent, agent.endedAt ?? 0),
    round: agent.round + 1,
    capRound: agent.round + 1,
    pendingRequest: goesOn ? pendingRequest : null,
    resume: goesOn ? (committedWork(agent)?.commit ?? null) : null,
    good: goesOn && agent.state.name === 'succeeded',
    touched: [],
    conflicts: [],
    lastTrouble: null,
    testRun: null,
    review: null,
    repair: null,
    repairs: 0,
    leftIn: null,
  };
}

/** Sends a success back into the queue, to mend what keeps it from being merged. */
export function requeueForRepair(agent: Agent, repair: Repair): Agent {
  const { capRound, repairs } = agent;
  return { ...requeue(agent, null), capRound, repair, repairs: repairs + 1 };
}

/** Why a success is not sent back once more: it is left out. */
export function givenUp(agent: Agent, repair: Repair): Agent {
  const { state } = agent;
  const times = agent.repairs === 1 ? 'tried once more' : `tried ${agent.repairs} times more`;
  const detail = [repairDetail(repair), agent.repairs > 0 ? times : ''].filter(Boolean).join(', ');
  const work = 'work' in state ? state.work : null;
  return {
    ...agent,
    repair,
    state: { name: 'failed', reason: repairReason(repair), detail, work },
  };
}

function repairDetail({ kind, files, words }: Repair): string {
  return kind === 'conflict' ? files.join(', ') : words;
}

/** Ends an agent that has no worktree yet. What was to be repaired keeps the work it had. */
export function failBeforeWork(
  agent: Agent,
  reason: FailReason,
  detail: string,
  at: number,
): Agent {
  const { reason: of, detail: why } = unrepaired(agent, { state: 'failed', reason, detail });
  const work = agent.repair?.work ?? null;
  return finish(agent, { name: 'failed', reason: of, detail: why, work }, at);
}

export function killBeforeWork(agent: Agent, by: string, at: number): Agent {
  return finish(agent, { name: 'killed', by, work: agent.repair?.work ?? null }, at);
}

export function commit(run: RunState, agent: Agent, checkout: Checkout, given: Outcome): Step {
  const outcome = given.state === 'failed' ? unrepaired(agent, given) : given;
  return [
    withState(agent, { name: 'committing', checkout, outcome }),
    [commitAgent(run, agent, checkout, outcome)],
  ];
}

type Failed = Outcome & { state: 'failed' };

/** What failed was a repair: the work was a success, so that it cannot be merged is what counts. */
function unrepaired(agent: Agent, outcome: Failed): Failed {
  const { repair } = agent;
  if (!repair || isCommon(outcome.reason) || outcome.reason === 'dangerous_change') return outcome;
  const tried = `then: ${reasonWords(outcome.reason)}${outcome.detail ? ` (${outcome.detail})` : ''}`;
  return {
    state: 'failed',
    reason: repairReason(repair),
    detail: `${repairDetail(repair)}; ${tried}`,
  };
}

/** Starts the next process of an agent: one with a message or, when a person takes over, without. */
export function startAttempt(
  state: RunState,
  agent: Agent,
  checkout: Checkout,
  feedback: Feedback | null,
  at: number,
): Step {
  const number = agent.attempts.length + 1;
  const interactive = agent.pendingRequest === 'take_over';
  const attempt: Attempt = {
    number,
    round: agent.round,
    interactive,
    startedAt: at,
    endedAt: null,
    sends: 0,
    responses: 0,
    lastCompletionTokens: null,
    exceptions: 0,
    edited: [],
    exit: null,
    verdict: null,
  };
  const brief = briefOf(state, agent, feedback);
  const next: Agent = {
    ...agent,
    state: { name: 'running', checkout, pid: null, brief },
    attempts: [...agent.attempts, attempt],
    // From here on it may use what it does not tell.
    usage: state.config.agent.tellsCost ? agent.usage : addUsage(agent.usage, unknownUsage),
    epoch: agent.epoch + 1,
    pendingRequest: null,
    remarks: interactive ? agent.remarks : [],
  };
  return [next, [attemptEffect(state, next, checkout, brief, null)]];
}

/** The next message to the model; later, when the run is paused. */
export function nextAttempt(
  run: RunState,
  agent: Agent,
  checkout: Checkout,
  feedback: Feedback | null,
  at: number,
): Step {
  if (isSpent(run) && agent.pendingRequest !== 'take_over') {
    // What was good before its last remark is still good.
    return feedback === null && agent.good
      ? settle(run, agent, checkout)
      : commit(run, agent, checkout, {
          state: 'failed',
          reason: 'budget',
          detail: budgetWords(run),
        });
  }
  if (!run.paused) return startAttempt(run, agent, checkout, feedback, at);
  return [withState(agent, { name: 'waiting', checkout, feedback }), []];
}

/** Work that has passed all there is to pass. */
export function settle(run: RunState, agent: Agent, checkout: Checkout): Step {
  const { interruptedBy } = run;
  // Untested work of a run that tests is no success.
  return interruptedBy !== null && run.config.testCommand
    ? commit(run, agent, checkout, { state: 'killed', by: interruptedBy })
    : commit(run, agent, checkout, { state: 'succeeded' });
}

/** Asks an agent's process to end, and sees to it that it does. No-op for one without a process. */
export function stop(agent: Agent, cause: StopCause, signal: StopSignal): Step {
  const { state } = agent;
  if (state.name !== 'running' && state.name !== 'asking' && state.name !== 'stopping') {
    return [agent, []];
  }
  const epoch = agent.epoch + 1;
  // The first cause stays, but a person may kill what was to be taken over.
  const first = state.name === 'stopping' && state.cause.kind !== 'take_over' ? state.cause : cause;
  const effects: Effect[] = [{ type: 'signal_agent', agent: agent.index, signal }];
  const harsher = escalation[signal];
  if (harsher) {
    effects.push({
      type: 'start_timer',
      timer: { kind: 'escalate', agent: agent.index, epoch },
      ms: harsher.ms,
    });
  }
  const stopping: AgentState = {
    name: 'stopping',
    checkout: state.checkout,
    pid: state.pid,
    brief: state.brief,
    cause: first,
    signal,
  };
  return [{ ...agent, state: stopping, epoch }, effects];
}

export function updateAttempt(agent: Agent, change: Partial<Attempt>): Agent {
  const last = currentAttempt(agent);
  if (!last) return agent;
  return { ...agent, attempts: [...agent.attempts.slice(0, -1), { ...last, ...change }] };
}

export const byYou: Outcome = { state: 'killed', by: 'you' };

export function budgetWords({ budgetUsd }: RunState): string {
  return dollars(budgetUsd ?? 0);
}

/** That an agent has used up what it may ask. */
export function iterationsSpent(used: number): string {
  return used === 1 ? 'after 1 iteration' : `after ${used} iterations`;
}
