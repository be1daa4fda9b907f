import {
  type Agent,
  type AgentState,
  type Attempt,
  type AttemptExit,
  type CommittedWork,
  committedWork,
  currentAttempt,
  type FailReason,
  type FileChange,
  isActive,
  iterationsUsed,
  type Outcome,
  type Place,
  type Repair,
  type StopCause,
  type StopSignal,
  type Trouble,
  timeSpent,
  type Wish,
} from './agent.js';
import { costOf } from './aider-log.js';
import { dollars, isSpent } from './budget.js';
import type { CheckResult } from './check.js';
import { asksForRemoval, asksForWhiteSpace, type Refusal, refusalWords } from './fence.js';
import { brokeOff, isCommon, isHopeless, judge } from './judge.js';
import { unreachable } from './result.js';
import { criteriaFor, notMet, type Review, reviewForModel } from './review.js';
import type { AiderEvent, Effect, Inspection, RunState, Timer } from './run.js';
import { taskMessage } from './task-message.js';
import { reasonForModel, reasonWords, repairReason } from './words.js';

/** An agent's next state, and what is to be done for it. */
export type Step = readonly [Agent, readonly Effect[]];

/** Milliseconds from one signal to the next, harsher one. A run must end within 5 s of a signal. */
export const escalation: Record<StopSignal, { next: StopSignal; ms: number } | null> = {
  SIGINT: { next: 'SIGTERM', ms: 1200 },
  SIGTERM: { next: 'SIGKILL', ms: 1000 },
  SIGKILL: null,
};

/** Files that an agent is shown because its replies named them, at most. */
const mostAlsoRead = 8;

/** How long an unattended agent may wait for an answer to a question, milliseconds. */
export const unansweredMs = 20_000;

function withState(agent: Agent, state: AgentState): Agent {
  return { ...agent, state };
}

function finish(agent: Agent, state: AgentState, at: number): Agent {
  return { ...agent, state, endedAt: at, epoch: agent.epoch + 1, wish: null };
}

/** Sends an agent that is done back into the queue: its next round. */
export function requeue(agent: Agent, wish: Wish | null): Agent {
  const goesOn = wish === 'take_over';
  return {
    ...agent,
    state: { name: 'queued' },
    startedAt: null,
    endedAt: null,
    epoch: agent.epoch + 1,
    spentMs: timeSpent(agent, agent.endedAt ?? 0),
    round: agent.round + 1,
    capRound: agent.round + 1,
    wish: goesOn ? wish : null,
    resume: goesOn ? (committedWork(agent)?.commit ?? null) : null,
    good: goesOn && agent.state.name === 'succeeded',
    touched: [],
    conflicts: [],
    lastTrouble: null,
    check: null,
    review: null,
    repair: null,
    repairs: 0,
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

export function commit(agent: Agent, place: Place, given: Outcome): Step {
  const finished = given.state === 'succeeded';
  const outcome = given.state === 'failed' ? unrepaired(agent, given) : given;
  return [
    withState(agent, { name: 'committing', place, outcome }),
    [{ type: 'commit_agent', agent: agent.index, place, finished }],
  ];
}

/** What failed was a repair: the work was a success, so that it cannot be merged is what counts. */
function unrepaired(agent: Agent, outcome: Outcome & { state: 'failed' }): Outcome {
  const { repair } = agent;
  if (!repair || isCommon(outcome.reason) || outcome.reason === 'dangerous_change') return outcome;
  const tried = `then: ${reasonWords(outcome.reason)}${outcome.detail ? ` (${outcome.detail})` : ''}`;
  return {
    state: 'failed',
    reason: repairReason(repair),
    detail: `${repairDetail(repair)}; ${tried}`,
  };
}

/** Starts the next Aider process of an agent: one with a message or, when a person takes over, without. */
export function startAttempt(
  state: RunState,
  agent: Agent,
  place: Place,
  trouble: string | null,
  at: number,
): Step {
  const number = agent.attempts.length + 1;
  const interactive = agent.wish === 'take_over';
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
    sawExit: false,
    exit: null,
    verdict: null,
  };
  const next: Agent = {
    ...agent,
    state: { name: 'running', place, pid: null },
    attempts: [...agent.attempts, attempt],
    epoch: agent.epoch + 1,
    wish: null,
    remarks: interactive ? agent.remarks : [],
  };
  const message = interactive ? null : taskMessage(state, agent, trouble);
  return [next, [{ type: 'start_attempt', agent: agent.index, attempt: number, place, message }]];
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
            knownCost: agent.usage.knownCost + (cost ?? 0),
          },
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

/** Success, another message, or the end. */
export function onInspected(run: RunState, agent: Agent, inspection: Inspection, at: number): Step {
  if (agent.state.name !== 'judging') return [agent, []];
  const { place, cause } = agent.state;
  const attempt = currentAttempt(agent) as Attempt;
  const seen: Agent = {
    ...agent,
    refused: addRefused(agent.refused, inspection.refused),
    alsoRead: [...new Set([...agent.alsoRead, ...inspection.named])].slice(0, mostAlsoRead),
  };
  const { title, description } = agent.task;
  const asked = {
    whiteSpace: asksForWhiteSpace(title, description),
    removal: asksForRemoval(title, description),
  };
  const verdict = judge(attempt, inspection, asked);
  // Work that was judged a success stays one when a later attempt found nothing to change in it.
  const nothingDone =
    !inspection.changed &&
    inspection.refused.length === 0 &&
    !verdict.ok &&
    (verdict.reason === 'no_change' || (attempt.interactive && verdict.reason === 'no_response'));
  // A repair has to change something: as it is, the work cannot be merged.
  const stillGood = agent.good && nothingDone && agent.repair === null;
  // But for what was taken back, it is good: a next reply may say that nothing is left to do.
  const rest = judge(withoutStray(attempt), { ...inspection, refused: [] }, asked);
  const good = verdict.ok || stillGood || (rest.ok && inspection.refused.length > 0);
  const judged = (value: Attempt['verdict']) =>
    updateAttempt({ ...seen, good, touched: inspection.diff.files }, { verdict: value });
  const fail = (reason: FailReason, detail: string): Step =>
    commit(judged(reason), place, { state: 'failed', reason, detail });

  if (cause?.kind === 'killed') {
    return commit(judged('killed'), place, { state: 'killed', by: cause.by });
  }
  if (agent.wish === 'restart' || agent.wish === 'kill') {
    return commit(judged('killed'), place, { state: 'killed', by: 'you' });
  }
  if (cause?.kind === 'take_over' || (agent.wish === 'take_over' && run.interruptedBy === null)) {
    const taken: Agent = { ...judged(good ? 'ok' : 'killed'), wish: 'take_over' };
    return startAttempt(run, taken, place, null, at);
  }
  if (cause) {
    // What it changed against the rules says more than that we ended it.
    if (!verdict.ok && isRefusal(verdict.reason)) return fail(verdict.reason, verdict.detail);
    // That it could not be read says more than that there was no further try.
    if (cause.kind === 'cap' && attempt.exit?.texts.includes('malformed')) {
      return fail('malformed_edits', iterationsSpent(run.config.maxIterations));
    }
    const [reason, detail] = stopReason(run, seen, cause);
    return fail(reason, detail);
  }
  if (verdict.ok || stillGood) {
    const done = judged('ok');
    const more =
      agent.remarks.length > 0 &&
      run.interruptedBy === null &&
      iterationsUsed(seen) < run.config.maxIterations;
    if (more) return nextAttempt(run, done, place, null, at);
    return run.config.check && run.interruptedBy === null
      ? check(done, place)
      : review(run, done, place);
  }
  if (run.interruptedBy !== null) {
    return commit(judged(verdict.reason), place, { state: 'killed', by: run.interruptedBy });
  }
  // A person has left it: whether to go on is theirs to say.
  if (attempt.interactive) return fail(verdict.reason, verdict.detail);
  const used = iterationsUsed(seen);
  if (at - (agent.startedAt ?? at) >= run.config.timeoutMs) {
    return fail(...stopReason(run, seen, { kind: 'timeout' }));
  }
  if (isHopeless(verdict.reason)) return fail(verdict.reason, verdict.detail);
  // Another try would meet the same cause.
  if (run.halt && isCommon(verdict.reason)) return fail(verdict.reason, verdict.detail);
  if (used >= run.config.maxIterations) {
    const spent = iterationsSpent(used);
    return fail(verdict.reason, [verdict.detail, spent].filter(Boolean).join(', '));
  }
  const { reason, detail } = verdict;
  const trouble: Trouble = { reason, detail, tree: inspection.tree };
  if (isSame(agent.lastTrouble, trouble)) return fail(reason, sameTwice(detail));
  const told = { ...judged(reason), lastTrouble: trouble };
  return nextAttempt(run, told, place, reasonForModel(reason, detail), at);
}

function check(agent: Agent, place: Place): Step {
  return [
    withState(agent, { name: 'checking', place }),
    [{ type: 'check_agent', agent: agent.index, place }],
  ];
}

/** After the tests, the reviewer, where one is asked. */
function review(run: RunState, agent: Agent, place: Place): Step {
  if (run.config.review === null || run.interruptedBy !== null) return settle(run, agent, place);
  const criteria = criteriaFor(agent.task, run.criteria);
  return [
    withState(agent, { name: 'reviewing', place }),
    [{ type: 'review_agent', agent: agent.index, place, criteria }],
  ];
}

/** What a person or a signal asked for while the work was tested or read; null when nobody did. */
function overruled(run: RunState, agent: Agent, place: Place, at: number): Step | null {
  const { wish } = agent;
  if (run.interruptedBy !== null) {
    return commit(agent, place, { state: 'killed', by: run.interruptedBy });
  }
  if (wish === 'kill' || wish === 'restart') return commit(agent, place, byYou);
  return wish === 'take_over' ? startAttempt(run, agent, place, null, at) : null;
}

/** A reviewer has read an agent's work. Only what it finds not met goes back; what it cannot tell does not. */
export function onReviewed(run: RunState, agent: Agent, result: Review, at: number): Step {
  if (agent.state.name !== 'reviewing') return [agent, []];
  const { place } = agent.state;
  const read: Agent = { ...agent, review: result };
  const other = overruled(run, read, place, at);
  if (other) return other;
  const bad = notMet(result);
  if (bad.length === 0) return settle(run, read, place);
  const detail = bad.map(({ id, note }) => (note === '' ? id : `${id}: ${note}`)).join('; ');
  return sendBack(run, read, place, 'review_not_met', detail, reviewForModel(result), at);
}

/** What was found by the tests or the reviewer goes back to the model, as long as there are iterations. */
function sendBack(
  run: RunState,
  agent: Agent,
  place: Place,
  reason: FailReason,
  detail: string,
  trouble: string,
  at: number,
): Step {
  const bad: Agent = { ...updateAttempt(agent, { verdict: reason }), good: false };
  const fail = (more: string): Step =>
    commit(bad, place, {
      state: 'failed',
      reason,
      detail: [detail, more].filter(Boolean).join(', '),
    });
  // A person has left it: whether to go on is theirs to say.
  if (currentAttempt(agent)?.interactive) return fail('');
  const used = iterationsUsed(agent);
  if (used >= run.config.maxIterations) return fail(iterationsSpent(used));
  if (at - (agent.startedAt ?? at) >= run.config.timeoutMs) {
    return fail(`out of time, ${run.config.timeoutMs / 60_000} min`);
  }
  return nextAttempt(run, bad, place, trouble, at);
}

/** Work that has passed all there is to pass. */
function settle(run: RunState, agent: Agent, place: Place): Step {
  const { interruptedBy } = run;
  // Untested work of a run that tests is no success.
  return interruptedBy !== null && run.config.check
    ? commit(agent, place, { state: 'killed', by: interruptedBy })
    : commit(agent, place, { state: 'succeeded' });
}

/** The project's tests have run on an agent's work. */
export function onChecked(run: RunState, agent: Agent, result: CheckResult, at: number): Step {
  if (agent.state.name !== 'checking') return [agent, []];
  const { place } = agent.state;
  const checked: Agent = { ...agent, check: result };
  const other = overruled(run, checked, place, at);
  if (other) return other;
  if (result.state === 'passed' || !gates(run)) return review(run, checked, place);
  const detail = `${run.config.check?.command}: ${result.words}`;
  const words = `${reasonForModel('tests_failed', detail)}\n\n${result.output}`;
  return sendBack(run, checked, place, 'tests_failed', detail, words, at);
}

/** Whether the tests decide: they were asked for, and they pass on the base. */
export function gates({ config, baseCheck }: RunState): boolean {
  return config.check !== null && baseCheck?.state === 'passed';
}

function iterationsSpent(used: number): string {
  return used === 1 ? 'after 1 iteration' : `after ${used} iterations`;
}

function budgetWords({ budgetUsd }: RunState): string {
  return dollars(budgetUsd ?? 0);
}

/** The attempt as if its last reply had not named what was put back. */
function withoutStray(attempt: Attempt): Attempt {
  const { exit } = attempt;
  return exit?.flaw?.kind === 'misnamed' ? { ...attempt, exit: { ...exit, flaw: null } } : attempt;
}

/** A name that Aider took for another one: where it did, it says nothing. */
function misnamedIn({ flaw, texts }: AttemptExit): string | null {
  const told = ['malformed', 'skipping_edits', 'unable_to_add', 'edits_lost'] as const;
  return flaw?.kind === 'misnamed' && !told.some((text) => texts.includes(text))
    ? flaw.detail
    : null;
}

function isRefusal(reason: FailReason): boolean {
  return ['outside_scope', 'refused_change', 'dangerous_change'].includes(reason);
}

/** What a failure is called that another message did not change. */
function sameTwice(detail: string): string {
  return [detail, 'the same twice, and nothing changed in between'].filter(Boolean).join('; ');
}

function isSame(before: Trouble | null, now: Trouble): boolean {
  return (
    before !== null &&
    now.tree !== '' &&
    before.reason === now.reason &&
    before.detail === now.detail &&
    before.tree === now.tree
  );
}

/** Each path once, with its latest refusal. */
function addRefused(before: readonly Refusal[], more: readonly Refusal[]): readonly Refusal[] {
  return [...new Map([...before, ...more].map((one) => [one.path, one])).values()];
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

/** The next message to the model; later, when the run is paused. */
export function nextAttempt(
  run: RunState,
  agent: Agent,
  place: Place,
  trouble: string | null,
  at: number,
): Step {
  if (isSpent(run) && agent.wish !== 'take_over') {
    // What was good before its last remark is still good.
    return trouble === null && agent.good
      ? settle(run, agent, place)
      : commit(agent, place, { state: 'failed', reason: 'budget', detail: budgetWords(run) });
  }
  if (!run.paused) return startAttempt(run, agent, place, trouble, at);
  return [withState(agent, { name: 'waiting', place, trouble }), []];
}

/** Goes on after a pause. */
export function goOn(run: RunState, agent: Agent, at: number): Step {
  if (agent.state.name !== 'waiting') return [agent, []];
  return nextAttempt(run, agent, agent.state.place, agent.state.trouble, at);
}

const byYou: Outcome = { state: 'killed', by: 'you' };

/** A person ends an agent; its work is kept. */
export function kill(agent: Agent, at: number): Step {
  const { state } = agent;
  switch (state.name) {
    case 'queued':
      return [killBeforeWork(agent, 'you', at), []];
    case 'preparing':
      return [
        { ...agent, wish: 'kill' },
        [{ type: 'signal_agent', agent: agent.index, signal: 'SIGTERM' }],
      ];
    case 'waiting':
      return commit({ ...agent, wish: null }, state.place, byYou);
    case 'judging':
      return [{ ...agent, wish: 'kill' }, []];
    case 'checking':
    case 'reviewing':
      return [{ ...agent, wish: 'kill' }, [{ type: 'stop_check', agent: agent.index }]];
    default:
      return stop({ ...agent, wish: null }, { kind: 'killed', by: 'you' }, 'SIGINT');
  }
}

/** A person starts an agent anew. What it has done is kept on a branch; the remark goes to the model. */
export function restart(agent: Agent, remark: string | null): Step {
  const { state } = agent;
  const told: Agent = remark === null ? agent : { ...agent, remarks: [...agent.remarks, remark] };
  switch (state.name) {
    case 'queued':
    case 'preparing':
      return [told, []];
    case 'judging':
    case 'committing':
      return [{ ...told, wish: 'restart' }, []];
    case 'checking':
    case 'reviewing':
      return [{ ...told, wish: 'restart' }, [{ type: 'stop_check', agent: agent.index }]];
    case 'waiting':
      return commit({ ...told, wish: 'restart' }, state.place, byYou);
    case 'succeeded':
    case 'failed':
    case 'killed':
      return [requeue(told, null), []];
    default:
      return stop({ ...told, wish: 'restart' }, { kind: 'killed', by: 'you' }, 'SIGINT');
  }
}

/** A person goes on with an agent's work in an Aider of their own, in the same worktree. */
export function takeOver(run: RunState, agent: Agent, at: number): Step {
  const { state } = agent;
  const wished: Agent = { ...agent, wish: 'take_over' };
  switch (state.name) {
    case 'queued':
    case 'preparing':
    case 'judging':
    case 'committing':
      return [wished, []];
    case 'checking':
    case 'reviewing':
      return [wished, [{ type: 'stop_check', agent: agent.index }]];
    case 'waiting':
      return startAttempt(run, wished, state.place, null, at);
    case 'succeeded':
    case 'failed':
    case 'killed':
      return [requeue(agent, 'take_over'), []];
    default:
      return currentAttempt(agent)?.interactive
        ? [agent, []]
        : stop(agent, { kind: 'take_over' }, 'SIGINT');
  }
}

function stopReason(
  run: RunState,
  agent: Agent,
  cause: Exclude<StopCause, { kind: 'killed' } | { kind: 'take_over' }>,
): [FailReason, string] {
  switch (cause.kind) {
    case 'cap':
      return ['max_iterations', `${run.config.maxIterations}`];
    case 'timeout':
      return ['timeout', `${run.config.timeoutMs / 60_000} min`];
    case 'unanswered':
      return ['unanswered_question', cause.question];
    case 'budget':
      return ['budget', budgetWords(run)];
    case 'fence': {
      const dangers = agent.refused.filter(({ why }) => why === 'runs_code');
      return ['dangerous_change', dangers.map(refusalWords).join('; ')];
    }
    default:
      return unreachable(cause);
  }
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
  const { outcome } = agent.state;
  const was = outcome.state === 'failed' ? `${reasonWords(outcome.reason)}; ` : '';
  return failBeforeWork(agent, reason, `${was}${detail}`, at);
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
