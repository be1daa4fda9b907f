import { isSpent } from '../policy/budget.js';
import { asksForRemoval, asksForWhiteSpace, type Refusal, refusalWords } from '../policy/fence.js';
import { notMet, type Review } from '../policy/review.js';
import { brokenTests, isAccepted, namesOf, ruleOf } from '../policy/test-report.js';
import type { TestCommand, TestRun } from '../policy/test-run.js';
import { unreachable } from '../result.js';
import { gates, measureOf, reviewAgent, testAgent } from '../run/make-effect.js';
import type { Inspection, RunState } from '../run/run.js';
import {
  type Agent,
  type Attempt,
  type Checkout,
  currentAttempt,
  type FailReason,
  iterationsUsed,
  type StopCause,
  type Trouble,
} from './agent.js';
import type { Feedback } from './brief.js';
import { isCommon, isHopeless, judge } from './judge.js';
import { beginAgain } from './lost-attempt.js';
import {
  budgetWords,
  byYou,
  commit,
  iterationsSpent,
  nextAttempt,
  type Step,
  settle,
  startAttempt,
  updateAttempt,
  withState,
} from './steps.js';

/** Files that an agent is shown because its replies named them, at most. */
const mostAlsoRead = 8;

/** Success, another message, or the end. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one decision, whose order is what matters.
export function onInspected(run: RunState, agent: Agent, inspection: Inspection, at: number): Step {
  if (agent.state.name !== 'judging') return [agent, []];
  const { checkout, cause } = agent.state;
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
    commit(run, judged(reason), checkout, { state: 'failed', reason, detail });

  if (cause?.kind === 'killed') {
    return commit(run, judged('killed'), checkout, { state: 'killed', by: cause.by });
  }
  if (agent.pendingRequest === 'restart' || agent.pendingRequest === 'kill') {
    return commit(run, judged('killed'), checkout, { state: 'killed', by: 'you' });
  }
  if (
    cause?.kind === 'take_over' ||
    (agent.pendingRequest === 'take_over' && run.interruptedBy === null)
  ) {
    const taken: Agent = { ...judged(good ? 'ok' : 'killed'), pendingRequest: 'take_over' };
    return startAttempt(run, taken, checkout, null, at);
  }
  if (cause?.kind === 'lost')
    return beginAgain(run, judged, attempt, checkout, cause.feedback, inspection, at);
  if (cause) {
    // What it changed against the rules says more than that we ended it.
    if (!verdict.ok && isRefusal(verdict.reason)) return fail(verdict.reason, verdict.detail);
    // That it could not be read says more than that there was no further try.
    if (cause.kind === 'cap' && attempt.exit?.symptoms.includes('malformed')) {
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
    if (more) return nextAttempt(run, done, checkout, null, at);
    return run.config.testCommand && run.interruptedBy === null
      ? test(done, checkout, run.config.testCommand)
      : review(run, done, checkout);
  }
  if (run.interruptedBy !== null) {
    return commit(run, judged(verdict.reason), checkout, {
      state: 'killed',
      by: run.interruptedBy,
    });
  }
  // A person has left it: whether to go on is theirs to say.
  if (attempt.interactive) return fail(verdict.reason, verdict.detail);
  const used = iterationsUsed(seen);
  if (at - (agent.startedAt ?? at) >= run.config.timeoutMs) {
    return fail(...stopReason(run, seen, { kind: 'timeout' }));
  }
  if (isHopeless(verdict.reason)) return fail(verdict.reason, verdict.detail);
  // Another try would meet the same cause.
  if (run.circuitBreaker && isCommon(verdict.reason)) return fail(verdict.reason, verdict.detail);
  if (used >= run.config.maxIterations) {
    const spent = iterationsSpent(used);
    return fail(verdict.reason, [verdict.detail, spent].filter(Boolean).join(', '));
  }
  const { reason, detail } = verdict;
  const trouble: Trouble = { reason, detail, tree: inspection.tree };
  if (isSame(agent.lastTrouble, trouble)) return fail(reason, sameTwice(detail));
  const told = { ...judged(reason), lastTrouble: trouble };
  return nextAttempt(run, told, checkout, { kind: 'failed', reason, detail }, at);
}

function test(agent: Agent, checkout: Checkout, command: TestCommand): Step {
  return [withState(agent, { name: 'testing', checkout }), [testAgent(agent, checkout, command)]];
}

/** After the tests, the reviewer, where one is asked. */
function review(run: RunState, agent: Agent, checkout: Checkout): Step {
  if (run.config.review === null || run.interruptedBy !== null) return settle(run, agent, checkout);
  // A reviewer would be sent a message too; and work that nobody has read is no success here.
  if (isSpent(run)) {
    return commit(run, agent, checkout, {
      state: 'failed',
      reason: 'budget',
      detail: budgetWords(run),
    });
  }
  return [withState(agent, { name: 'reviewing', checkout }), [reviewAgent(run, agent, checkout)]];
}

/** What a person or a signal asked for while the work was tested or read; null when nobody did. */
function overruled(run: RunState, agent: Agent, checkout: Checkout, at: number): Step | null {
  const { pendingRequest } = agent;
  if (run.interruptedBy !== null) {
    return commit(run, agent, checkout, { state: 'killed', by: run.interruptedBy });
  }
  if (pendingRequest === 'kill' || pendingRequest === 'restart')
    return commit(run, agent, checkout, byYou);
  return pendingRequest === 'take_over' ? startAttempt(run, agent, checkout, null, at) : null;
}

/** A reviewer has read an agent's work. Only what it finds not met goes back; what it cannot tell does not. */
export function onReviewed(run: RunState, agent: Agent, result: Review, at: number): Step {
  if (agent.state.name !== 'reviewing') return [agent, []];
  const { checkout } = agent.state;
  const read: Agent = { ...agent, review: result };
  const other = overruled(run, read, checkout, at);
  if (other) return other;
  const bad = notMet(result);
  if (bad.length === 0) return settle(run, read, checkout);
  const detail = bad.map(({ id, note }) => (note === '' ? id : `${id}: ${note}`)).join('; ');
  return sendBack(
    run,
    read,
    checkout,
    'review_not_met',
    detail,
    { kind: 'review', review: result },
    at,
  );
}

/** What was found by the tests or the reviewer goes back to the model, as long as there are iterations. */
function sendBack(
  run: RunState,
  agent: Agent,
  checkout: Checkout,
  reason: FailReason,
  detail: string,
  feedback: Feedback,
  at: number,
): Step {
  const bad: Agent = { ...updateAttempt(agent, { verdict: reason }), good: false };
  const fail = (more: string): Step =>
    commit(run, bad, checkout, {
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
  return nextAttempt(run, bad, checkout, feedback, at);
}

/** The project's tests have run on an agent's work. */
export function onChecked(run: RunState, agent: Agent, result: TestRun, at: number): Step {
  if (agent.state.name !== 'testing') return [agent, []];
  const { checkout } = agent.state;
  const checked: Agent = { ...agent, testRun: result };
  const other = overruled(run, checked, checkout, at);
  if (other) return other;
  if (result.state === 'faulted') {
    const { fault, words } = result;
    // Nobody can tell whether it is good: not a word of blame, and no success either.
    const reason = fault === 'disk_full' ? 'disk_full' : 'machine_fault';
    return commit(run, checked, checkout, { state: 'failed', reason, detail: words });
  }
  const measure = measureOf(run);
  if (isAccepted(measure, result) || !gates(run)) return review(run, checked, checkout);
  const broken = brokenTests(measure, result) ?? result.report?.failed ?? [];
  const names =
    ruleOf(measure) === 'no_worse' && broken.length > 0
      ? `tests that passed before fail now: ${namesOf(broken)}`
      : broken.length > 0
        ? `${result.words}: ${namesOf(broken)}`
        : result.words;
  const detail = `${run.config.testCommand?.command}: ${names}`;
  const told: Feedback = { kind: 'tests', detail, output: result.output };
  return sendBack(run, checked, checkout, 'tests_failed', detail, told, at);
}

/** The attempt as if its last reply had not named what was put back. */
function withoutStray(attempt: Attempt): Attempt {
  const { exit } = attempt;
  return exit?.flaw?.kind === 'misnamed' ? { ...attempt, exit: { ...exit, flaw: null } } : attempt;
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
export function addRefused(
  before: readonly Refusal[],
  more: readonly Refusal[],
): readonly Refusal[] {
  return [...new Map([...before, ...more].map((one) => [one.path, one])).values()];
}

function stopReason(
  run: RunState,
  agent: Agent,
  cause: Exclude<StopCause, { kind: 'killed' } | { kind: 'take_over' } | { kind: 'lost' }>,
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
