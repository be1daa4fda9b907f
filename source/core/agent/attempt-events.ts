import { isSpent } from '../policy/budget.js';
import type { Refusal } from '../policy/fence.js';
import { unreachable } from '../result.js';
import type { Effect, Timer } from '../run/effect.js';
import type { RunState } from '../run/run.js';
import { reasonWords } from '../text/words.js';
import {
  type Agent,
  type Attempt,
  addUsage,
  type Checkout,
  type CommittedWork,
  currentAttempt,
  type FailReason,
  type FileChange,
  isActive,
  iterationsUsed,
  type Outcome,
  type StopCause,
  type Usage,
  unknownUsage,
} from './agent.js';
import { type AttemptExit, nothingTold } from './evidence.js';
import { brokeOff } from './judge.js';
import { addRefused } from './judging.js';
import {
  escalation,
  failBeforeWork,
  finish,
  requeue,
  type Step,
  stop,
  updateAttempt,
} from './steps.js';

/** How long an unattended agent may wait for an answer to a question, milliseconds. */
export const unansweredMs = 20_000;

/** A message goes to the model: the agent is stopped where it is one too many. */
export function onTurnStarted(run: RunState, agent: Agent): Step {
  const attempt = liveAttempt(agent);
  if (!attempt) return [agent, []];
  if (attempt.interactive) {
    // What a person broke off or tried before does not count against what they do next.
    return looked(updateAttempt(agent, { sends: attempt.responses + 1, exceptions: 0 }));
  }
  const counted = updateAttempt(agent, { sends: attempt.sends + 1 });
  // The edits of the response before are on disk by now, so nothing is lost by an instant end.
  const capped = iterationsUsed(agent) >= run.config.maxIterations;
  if (capped) return stop(counted, { kind: 'cap' }, 'SIGKILL');
  if (isSpent(run)) return stop(counted, { kind: 'budget' }, 'SIGKILL');
  return looked(counted);
}

/** The model has answered. @param usage null where the agent does not tell it */
export function onTurnEnded(agent: Agent, usage: Usage | null): Step {
  const attempt = liveAttempt(agent);
  if (!attempt) return [agent, []];
  const counted = updateAttempt(agent, {
    responses: attempt.responses + 1,
    lastCompletionTokens: usage?.completionTokens ?? null,
  });
  // What is not told is not nothing.
  return looked({ ...counted, usage: addUsage(agent.usage, usage ?? unknownUsage) });
}

export function onTurnFailed(agent: Agent): Step {
  const attempt = liveAttempt(agent);
  return [attempt ? updateAttempt(agent, { exceptions: attempt.exceptions + 1 }) : agent, []];
}

export function onEdited(agent: Agent, files: readonly string[]): Step {
  const attempt = liveAttempt(agent);
  if (!attempt) return [agent, []];
  return looked(updateAttempt(agent, { edited: [...new Set([...attempt.edited, ...files])] }));
}

/** The attempt under way; null when the last one has ended. */
function liveAttempt(agent: Agent): Attempt | null {
  const attempt = currentAttempt(agent);
  return attempt === null || attempt.endedAt !== null ? null : attempt;
}

/** What an agent has changed is looked up whenever it may have changed. */
function looked(agent: Agent): Step {
  const { state, index, task } = agent;
  if (state.name !== 'running' && state.name !== 'asking') return [agent, []];
  const { startedAt: since, edited } = currentAttempt(agent) as Attempt;
  const { checkout } = state;
  return [agent, [{ type: 'look_at_agent', agent: index, task, checkout, since, edited }]];
}

export function onAsks(run: RunState, agent: Agent, question: string): Step {
  if (agent.state.name !== 'running') return [agent, []];
  const epoch = agent.epoch + 1;
  const asking: Agent = {
    ...agent,
    epoch,
    state: { ...agent.state, name: 'asking', question },
  };
  if (!run.config.unattended) return [asking, []];
  const timer: Timer = { kind: 'unanswered', agent: agent.index, epoch };
  return [asking, [{ type: 'start_timer', timer, ms: unansweredMs }]];
}

export function onGoesOn(agent: Agent): Step {
  if (agent.state.name !== 'asking') return [agent, []];
  const { checkout, pid, brief } = agent.state;
  const state = { name: 'running', checkout, pid, brief } as const;
  return [{ ...agent, epoch: agent.epoch + 1, state }, []];
}

export function onExited(agent: Agent, exit: AttemptExit, at: number): Step {
  const { state } = agent;
  if (state.name !== 'running' && state.name !== 'asking' && state.name !== 'stopping') {
    return [agent, []];
  }
  const before = currentAttempt(agent) as Attempt;
  // What a person broke off themselves did not break.
  const sends = before.interactive && exit.orderly ? before.responses : before.sends;
  const ended = updateAttempt(agent, { endedAt: at, exit, sends });
  const cause = state.name === 'stopping' ? state.cause : null;
  return [
    {
      ...ended,
      epoch: agent.epoch + 1,
      state: { name: 'judging', checkout: state.checkout, exit, cause },
    },
    [inspectEffect(ended, state.checkout, exit, cause)],
  ];
}

/**
 * Its process ended with the program that ran it, and nobody saw how. What it was being ended for still holds; else it
 * begins again: not its own doing.
 */
export function onLost(agent: Agent, at: number): Step {
  const { state } = agent;
  if (state.name !== 'running' && state.name !== 'asking' && state.name !== 'stopping') {
    return [agent, []];
  }
  const { checkout, brief } = state;
  const cause: StopCause =
    state.name === 'stopping' ? state.cause : { kind: 'lost', feedback: brief.feedback };
  const ended = updateAttempt(agent, { endedAt: at, exit: nothingTold });
  const judging = { name: 'judging', checkout, exit: nothingTold, cause } as const;
  return [
    { ...ended, epoch: agent.epoch + 1, state: judging },
    [inspectEffect(ended, checkout, nothingTold, cause)],
  ];
}

/** Looks what an attempt that has ended has changed. */
export function inspectEffect(
  agent: Agent,
  checkout: Checkout,
  exit: AttemptExit,
  cause: StopCause | null,
): Effect {
  const attempt = currentAttempt(agent) as Attempt;
  return {
    type: 'inspect_attempt',
    agent: agent.index,
    attempt: attempt.number,
    task: agent.task,
    checkout,
    rollBack:
      (cause === null && brokeOff(attempt)) ||
      // What it was in the middle of is done anew; edits of an answer that came whole stay.
      (cause?.kind === 'lost' && attempt.responses === 0) ||
      (exit.flaw !== null && exit.flaw.kind !== 'misnamed'),
    hints: {
      edited: exit.edited,
      named: exit.named,
      misnamed: cause === null ? misnamedIn(exit) : null,
      conflicted: agent.repair?.kind === 'conflict' ? agent.repair.files : [],
      since: attempt.startedAt,
    },
  };
}

/** A name that the agent took for another one: where it did, it says nothing. */
function misnamedIn({ flaw, symptoms }: AttemptExit): string | null {
  const told = ['malformed', 'edits_skipped', 'file_refused', 'edits_lost'] as const;
  return flaw?.kind === 'misnamed' && !told.some((one) => symptoms.includes(one))
    ? flaw.subject
    : null;
}

/** What a look at an agent at work has shown. What would run code ends it at once. */
export function onTouched(
  agent: Agent,
  files: readonly FileChange[],
  dangers: readonly Refusal[],
): Step {
  if (!isActive(agent)) return [agent, []];
  const seen: Agent = { ...agent, touched: files, refused: addRefused(agent.refused, dangers) };
  const works = agent.state.name === 'running' || agent.state.name === 'asking';
  // A person at the keyboard is not interrupted; their work is judged when they leave it.
  const ends = works && dangers.length > 0 && !currentAttempt(agent)?.interactive;
  return ends ? stop(seen, { kind: 'fence' }, 'SIGKILL') : [seen, []];
}

export function onCommitted(run: RunState, agent: Agent, work: CommittedWork, at: number): Agent {
  if (agent.state.name !== 'committing') return agent;
  const { pendingRequest } = agent;
  const done = withOutcome(agent, agent.state.outcome, work, at);
  const again =
    (pendingRequest === 'restart' || pendingRequest === 'take_over') && run.interruptedBy === null;
  return again ? requeue(done, pendingRequest) : done;
}

function withOutcome(agent: Agent, outcome: Outcome, work: CommittedWork, at: number): Agent {
  switch (outcome.state) {
    case 'succeeded':
      return finish(agent, { name: 'succeeded', work }, at);
    case 'failed':
      return finish(
        agent,
        { name: 'failed', reason: outcome.reason, detail: outcome.detail, work },
        at,
      );
    case 'killed':
      return finish(agent, { name: 'killed', by: outcome.by, work }, at);
    default:
      return unreachable(outcome);
  }
}

/** The work of an agent could not be committed: whatever it was, it is no success. */
export function onNotCommitted(
  agent: Agent,
  reason: FailReason,
  detail: string,
  at: number,
): Agent {
  if (agent.state.name !== 'committing') return agent;
  const { outcome, checkout } = agent.state;
  const isOther = outcome.state === 'failed' && outcome.reason !== reason;
  const was = isOther ? `${reasonWords(outcome.reason)}; ` : '';
  const failed = failBeforeWork(agent, reason, `${was}${detail}`, at);
  return { ...failed, leftIn: checkout.worktree };
}

export function onTimer(agent: Agent, timer: Timer): Step {
  const { state } = agent;
  switch (timer.kind) {
    case 'wall_clock':
      if (timer.epoch !== agent.startedAt || state.name === 'stopping') return [agent, []];
      // A person who took over takes the time they need.
      if (currentAttempt(agent)?.interactive) return [agent, []];
      // A set-up command that hangs is ended too; between two attempts `onInspected` looks at the time.
      return state.name === 'preparing'
        ? [agent, [{ type: 'signal_agent', agent: agent.index, signal: 'SIGKILL' }]]
        : stop(agent, { kind: 'timeout' }, 'SIGINT');
    case 'escalate': {
      if (timer.epoch !== agent.epoch || state.name !== 'stopping') return [agent, []];
      const harsher = escalation[state.signal];
      return harsher ? stop(agent, state.cause, harsher.next) : [agent, []];
    }
    case 'unanswered':
      return timer.epoch === agent.epoch && state.name === 'asking'
        ? stop(agent, { kind: 'unanswered', question: state.question }, 'SIGINT')
        : [agent, []];
    default:
      return unreachable(timer.kind);
  }
}
