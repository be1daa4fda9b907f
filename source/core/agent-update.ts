import {
  type Agent,
  type AgentState,
  type Attempt,
  type AttemptExit,
  type CommittedWork,
  currentAttempt,
  type FailReason,
  iterationsUsed,
  type Outcome,
  type Place,
  type StopCause,
  type StopSignal,
} from './agent.js';
import { costOf } from './aider-log.js';
import { brokeOff, isHopeless, judge } from './judge.js';
import { unreachable } from './result.js';
import type { AiderEvent, Effect, Inspection, RunState, Timer } from './run.js';
import { taskMessage } from './task-message.js';
import { reasonForModel, reasonWords } from './words.js';

/** An agent's next state, and what is to be done for it. */
export type Step = readonly [Agent, readonly Effect[]];

/** Milliseconds from one signal to the next, harsher one. A run must end within 5 s of a signal. */
export const escalation: Record<StopSignal, { next: StopSignal; ms: number } | null> = {
  SIGINT: { next: 'SIGTERM', ms: 1200 },
  SIGTERM: { next: 'SIGKILL', ms: 1000 },
  SIGKILL: null,
};

/** How long an unattended agent may wait for an answer to a question, milliseconds. */
export const unansweredMs = 20_000;

function withState(agent: Agent, state: AgentState): Agent {
  return { ...agent, state };
}

function finish(agent: Agent, state: AgentState, at: number): Agent {
  return { ...agent, state, endedAt: at, epoch: agent.epoch + 1 };
}

/** Ends an agent that has no worktree yet. */
export function failBeforeWork(
  agent: Agent,
  reason: FailReason,
  detail: string,
  at: number,
): Agent {
  return finish(agent, { name: 'failed', reason, detail, work: null }, at);
}

export function killBeforeWork(agent: Agent, by: string, at: number): Agent {
  return finish(agent, { name: 'killed', by, work: null }, at);
}

export function commit(agent: Agent, place: Place, outcome: Outcome): Step {
  const finished = outcome.state === 'succeeded';
  return [
    withState(agent, { name: 'committing', place, outcome }),
    [{ type: 'commit_agent', agent: agent.index, place, finished }],
  ];
}

/** Starts the next Aider process of an agent. */
export function startAttempt(
  state: RunState,
  agent: Agent,
  place: Place,
  trouble: string | null,
  at: number,
): Step {
  const number = agent.attempts.length + 1;
  const attempt: Attempt = {
    number,
    startedAt: at,
    endedAt: null,
    sends: 0,
    responses: 0,
    lastCompletionTokens: null,
    exceptions: 0,
    sawExit: false,
    exit: null,
    verdict: null,
  };
  const next: Agent = {
    ...agent,
    state: { name: 'running', place, pid: null },
    attempts: [...agent.attempts, attempt],
    epoch: agent.epoch + 1,
  };
  const message = taskMessage(state, agent, trouble);
  return [next, [{ type: 'start_attempt', agent: agent.index, attempt: number, place, message }]];
}

/** Asks an agent's process to end, and sees to it that it does. No-op for one without a process. */
export function stop(agent: Agent, cause: StopCause, signal: StopSignal): Step {
  const { state } = agent;
  if (state.name !== 'running' && state.name !== 'asking' && state.name !== 'stopping') {
    return [agent, []];
  }
  const epoch = agent.epoch + 1;
  const first = state.name === 'stopping' ? state.cause : cause;
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
    place: state.place,
    pid: state.pid,
    cause: first,
    signal,
  };
  return [{ ...agent, state: stopping, epoch }, effects];
}

function updateAttempt(agent: Agent, change: Partial<Attempt>): Agent {
  const last = currentAttempt(agent);
  if (!last) return agent;
  return { ...agent, attempts: [...agent.attempts.slice(0, -1), { ...last, ...change }] };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Counts what Aider's analytics log tells, and stops the agent when the cap is reached. */
export function onAiderEvent(run: RunState, agent: Agent, event: AiderEvent): Step {
  const attempt = currentAttempt(agent);
  if (!attempt || attempt.endedAt !== null) return [agent, []];
  switch (event.event) {
    case 'message_send_starting': {
      const counted = updateAttempt(agent, { sends: attempt.sends + 1 });
      // The edits of the response before are on disk by now, so nothing is lost by an instant end.
      const capped = iterationsUsed(agent) >= run.config.maxIterations;
      return capped ? stop(counted, { kind: 'cap' }, 'SIGKILL') : [counted, []];
    }
    case 'message_send': {
      const { prompt_tokens, completion_tokens } = event.properties;
      const cost = costOf(event);
      const known = agent.usage.cost !== null && cost !== null;
      return [
        {
          ...updateAttempt(agent, {
            responses: attempt.responses + 1,
            lastCompletionTokens: numberOf(completion_tokens),
          }),
          usage: {
            promptTokens: agent.usage.promptTokens + numberOf(prompt_tokens),
            completionTokens: agent.usage.completionTokens + numberOf(completion_tokens),
            cost: known ? (agent.usage.cost as number) + (cost as number) : null,
          },
        },
        [],
      ];
    }
    case 'message_send_exception':
      return [updateAttempt(agent, { exceptions: attempt.exceptions + 1 }), []];
    case 'exit':
      return [updateAttempt(agent, { sawExit: true }), []];
    default:
      return [agent, []];
  }
}

/** The one question that Aider asks whatever it was told: whether to report its own crash. */
const crashQuestion = /Open a GitHub Issue pre-filled/i;

export function onAsks(run: RunState, agent: Agent, question: string): Step {
  if (agent.state.name !== 'running') return [agent, []];
  const epoch = agent.epoch + 1;
  const asking: Agent = {
    ...agent,
    epoch,
    state: { name: 'asking', place: agent.state.place, pid: agent.state.pid, question },
  };
  if (crashQuestion.test(question)) {
    return [asking, [{ type: 'type_into_agent', agent: agent.index, text: 'n\r' }]];
  }
  if (!run.config.unattended) return [asking, []];
  const timer: Timer = { kind: 'unanswered', agent: agent.index, epoch };
  return [asking, [{ type: 'start_timer', timer, ms: unansweredMs }]];
}

export function onGoesOn(agent: Agent): Step {
  if (agent.state.name !== 'asking') return [agent, []];
  const { place, pid } = agent.state;
  return [{ ...agent, epoch: agent.epoch + 1, state: { name: 'running', place, pid } }, []];
}

export function onExited(agent: Agent, exit: AttemptExit, at: number): Step {
  const { state } = agent;
  if (state.name !== 'running' && state.name !== 'asking' && state.name !== 'stopping') {
    return [agent, []];
  }
  const ended = updateAttempt(agent, { endedAt: at, exit });
  const attempt = currentAttempt(ended) as Attempt;
  const cause = state.name === 'stopping' ? state.cause : null;
  return [
    {
      ...ended,
      epoch: agent.epoch + 1,
      state: { name: 'judging', place: state.place, exit, cause },
    },
    [
      {
        type: 'inspect_attempt',
        agent: agent.index,
        place: state.place,
        rollBack: cause === null && brokeOff(attempt),
      },
    ],
  ];
}

/** Success, another message, or the end. */
export function onInspected(run: RunState, agent: Agent, inspection: Inspection, at: number): Step {
  if (agent.state.name !== 'judging') return [agent, []];
  const { place, cause } = agent.state;
  const attempt = currentAttempt(agent) as Attempt;
  const seen: Agent = {
    ...agent,
    putBack: [...new Set([...agent.putBack, ...inspection.outside])],
  };
  const verdict = judge(attempt, inspection);
  const judged = (value: Attempt['verdict']) => updateAttempt(seen, { verdict: value });
  const fail = (reason: FailReason, detail: string): Step =>
    commit(judged(reason), place, { state: 'failed', reason, detail });

  if (cause?.kind === 'killed') {
    return commit(judged('killed'), place, { state: 'killed', by: cause.by });
  }
  if (cause) {
    const [reason, detail] = stopReason(run, cause);
    return fail(reason, detail);
  }
  if (verdict.ok) return commit(judged('ok'), place, { state: 'succeeded' });
  if (run.interruptedBy !== null) {
    return commit(judged(verdict.reason), place, { state: 'killed', by: run.interruptedBy });
  }
  const used = iterationsUsed(seen);
  if (at - (agent.startedAt ?? at) >= run.config.timeoutMs) {
    return fail(...stopReason(run, { kind: 'timeout' }));
  }
  if (isHopeless(verdict.reason)) return fail(verdict.reason, verdict.detail);
  if (used >= run.config.maxIterations) {
    const spent = used === 1 ? 'after 1 iteration' : `after ${used} iterations`;
    return fail(verdict.reason, [verdict.detail, spent].filter(Boolean).join(', '));
  }
  const trouble = reasonForModel(verdict.reason, verdict.detail);
  return startAttempt(run, judged(verdict.reason), place, trouble, at);
}

function stopReason(
  run: RunState,
  cause: Exclude<StopCause, { kind: 'killed' }>,
): [FailReason, string] {
  switch (cause.kind) {
    case 'cap':
      return ['max_iterations', `${run.config.maxIterations}`];
    case 'timeout':
      return ['timeout', `${run.config.timeoutMs / 60_000} min`];
    case 'unanswered':
      return ['unanswered_question', cause.question];
    default:
      return unreachable(cause);
  }
}

export function onCommitted(agent: Agent, work: CommittedWork, at: number): Agent {
  if (agent.state.name !== 'committing') return agent;
  const { outcome } = agent.state;
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
  const { outcome } = agent.state;
  const was = outcome.state === 'failed' ? `${reasonWords(outcome.reason)}; ` : '';
  return failBeforeWork(agent, reason, `${was}${detail}`, at);
}

export function onTimer(agent: Agent, timer: Timer): Step {
  const { state } = agent;
  switch (timer.kind) {
    case 'wall_clock':
      if (timer.epoch !== agent.startedAt || state.name === 'stopping') return [agent, []];
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
