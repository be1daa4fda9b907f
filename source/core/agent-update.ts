import {
  type Agent,
  type Attempt,
  type AttemptExit,
  addUsage,
  type CommittedWork,
  currentAttempt,
  type FailReason,
  type FileChange,
  isActive,
  iterationsUsed,
  type Outcome,
} from './agent.js';
import { addRefused } from './agent-judging.js';
import {
  escalation,
  failBeforeWork,
  finish,
  requeue,
  type Step,
  stop,
  updateAttempt,
} from './agent-steps.js';
import { usageOf } from './aider-log.js';
import { isSpent } from './budget.js';
import type { Refusal } from './fence.js';
import { brokeOff } from './judge.js';
import { unreachable } from './result.js';
import type { AiderEvent, Effect, RunState, Timer } from './run.js';
import { reasonWords } from './words.js';

/** How long an unattended agent may wait for an answer to a question, milliseconds. */
export const unansweredMs = 20_000;

/** Counts what Aider's analytics log tells, and stops the agent when the cap is reached. */
export function onAiderEvent(run: RunState, agent: Agent, event: AiderEvent): Step {
  const attempt = currentAttempt(agent);
  if (!attempt || attempt.endedAt !== null) return [agent, []];
  switch (event.event) {
    case 'message_send_starting': {
      if (attempt.interactive) {
        // What a person broke off or tried before does not count against what they do next.
        const fresh = { sends: attempt.responses + 1, exceptions: 0 };
        return [updateAttempt(agent, fresh), look(agent)];
      }
      const counted = updateAttempt(agent, { sends: attempt.sends + 1 });
      // The edits of the response before are on disk by now, so nothing is lost by an instant end.
      const capped = iterationsUsed(agent) >= run.config.maxIterations;
      if (capped) return stop(counted, { kind: 'cap' }, 'SIGKILL');
      if (isSpent(run)) return stop(counted, { kind: 'budget' }, 'SIGKILL');
      return [counted, look(agent)];
    }
    case 'message_send': {
      const usage = usageOf(event);
      return [
        {
          ...updateAttempt(agent, {
            responses: attempt.responses + 1,
            lastCompletionTokens: usage.completionTokens,
          }),
          usage: addUsage(agent.usage, usage),
        },
        look(agent),
      ];
    }
    case 'message_send_exception':
      return [updateAttempt(agent, { exceptions: attempt.exceptions + 1 }), []];
    case 'exit': {
      // What a person broke off themselves did not break.
      const sends = attempt.interactive ? attempt.responses : attempt.sends;
      return [updateAttempt(agent, { sawExit: true, sends }), []];
    }
    default:
      return [agent, []];
  }
}

/** What an agent has changed is looked up whenever it may have changed. */
function look(agent: Agent): Effect[] {
  const { state, index } = agent;
  if (state.name !== 'running' && state.name !== 'asking') return [];
  const since = currentAttempt(agent)?.startedAt ?? 0;
  return [{ type: 'look_at_agent', agent: index, place: state.place, since }];
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
        rollBack:
          (cause === null && brokeOff(attempt)) ||
          (exit.flaw !== null && exit.flaw.kind !== 'misnamed'),
        hints: {
          edited: exit.edited,
          named: exit.named,
          misnamed: cause === null ? misnamedIn(exit) : null,
          conflicted: agent.repair?.kind === 'conflict' ? agent.repair.files : [],
          since: attempt.startedAt,
        },
      },
    ],
  ];
}

/** A name that Aider took for another one: where it did, it says nothing. */
function misnamedIn({ flaw, texts }: AttemptExit): string | null {
  const told = ['malformed', 'skipping_edits', 'unable_to_add', 'edits_lost'] as const;
  return flaw?.kind === 'misnamed' && !told.some((text) => texts.includes(text))
    ? flaw.detail
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
  const { wish } = agent;
  const done = withOutcome(agent, agent.state.outcome, work, at);
  const again = (wish === 'restart' || wish === 'take_over') && run.interruptedBy === null;
  return again ? requeue(done, wish) : done;
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
  const { outcome, place } = agent.state;
  const isOther = outcome.state === 'failed' && outcome.reason !== reason;
  const was = isOther ? `${reasonWords(outcome.reason)}; ` : '';
  const failed = failBeforeWork(agent, reason, `${was}${detail}`, at);
  return { ...failed, leftIn: place.worktree };
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
