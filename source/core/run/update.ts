// Longer than 300 lines: the one function that changes the state, and its cases.
import { type Agent, addUsage, isActive, isDone, newAgent, type Usage } from '../agent/agent.js';
import {
  onAsks,
  onCommitted,
  onEdited,
  onExited,
  onGoesOn,
  onLost,
  onNotCommitted,
  onTimer,
  onTouched,
  onTurnEnded,
  onTurnFailed,
  onTurnStarted,
} from '../agent/attempt-events.js';
import type { Feedback } from '../agent/brief.js';
import { onChecked, onInspected, onReviewed } from '../agent/judging.js';
import { goOn, kill, restart, takeOver } from '../agent/requests.js';
import { commit, failBeforeWork, killBeforeWork, nextAttempt, type Step } from '../agent/steps.js';
import type { Failure } from '../policy/failure.js';
import { providerOf } from '../policy/providers.js';
import { type RedBase, ruleOf } from '../policy/test-report.js';
import { failureOfTestRun, type TestRun, testRunWords } from '../policy/test-run.js';
import { unreachable } from '../result.js';
import { noteFailures, noteMoney } from './circuit-breaker.js';
import type { Effect, Next } from './effect.js';
import { end, onIntegrated, onLeaveOut, onSupervised } from './integration.js';
import { onIntegrationFailed, onInterrupt, onOrphaned } from './interrupt.js';
import { testBase, undoLanding } from './make-effect.js';
import type { Message } from './message.js';
import { mayMoveOn, onLandNow, onMoved, onTipMerged, onTipTested } from './moved-branch.js';
import { isRequest, refusalOf } from './refusals.js';
import { onRestart, restartRefusal } from './restart.js';
import { onResumed } from './resume.js';
import { initialState, type Landing, type MadePlan, type RunState, type Undone } from './run.js';
import { schedule } from './schedule.js';

const notStarted: Failure = { kind: 'usage', message: 'Not started, as you said.' };

/**
 * The one function that changes the state of a run. Pure: no clock (a message carries its time), no
 * randomness, no I/O; what is to be done is returned as effects, whose results come back as messages.
 * @param state null before the first message, `run_started`
 */
export function update(state: RunState | null, message: Message): Next {
  if (message.type === 'run_started') {
    return [initialState(message.config, message.at), [{ type: 'make_plan' }]];
  }
  if (state === null) throw new Error(`update: ${message.type} before run_started`);
  if (state.phase === 'finished' && !reopens(message)) return [state, []];
  if (isRequest(message) && refusalOf(state, message) !== null) return [state, []];
  const [applied, effects] = apply(state, message);
  const next = ledOn(state, applied, message.at);
  const [scheduled, more] = schedule(noteMoney(noteFailures(state, next)), message.at);
  return [scheduled, [...effects, ...more]];
}

/** A person leads a finished run on: it goes on, and the time in between is not its own. */
function ledOn(before: RunState, next: RunState, at: number): RunState {
  // Of one that is resumed, its message tells for how long nobody ran it.
  const isResumed = next.resumed > before.resumed;
  if (before.phase !== 'finished' || next.phase === 'finished' || isResumed) return next;
  const rested = before.rested + Math.max(0, at - (before.endedAt ?? at));
  return { ...next, endedAt: null, rested, paused: false };
}

/** Goes on after a pause; what a common cause has failed is begun anew. */
function onGoOn(state: RunState, at: number): Next {
  const { circuitBreaker } = state;
  if (circuitBreaker === null) return changeAll(state, (agent) => goOn(state, agent, at));
  const alike = state.agents.filter(
    ({ state: now }) => now.name === 'failed' && now.reason === circuitBreaker.reason,
  );
  const [again, effects] = onRestart(
    { ...state, circuitBreaker: null },
    alike.map((agent) => agent.index),
    (agent) => restart(state, agent, null),
  );
  const [next, more] = changeAll(again, (agent) => goOn(again, agent, at));
  return [next, [...effects, ...more]];
}

function onBaseTested(state: RunState, testRun: TestRun, at: number): Next {
  if (state.phase !== 'testing') return [state, []];
  const { config } = state;
  const command = config.testCommand?.command ?? '';
  const { words, output } = testRun;
  if (testRun.state === 'faulted') {
    return end({ ...state, baseTestRun: testRun, failure: failureOfTestRun(testRun) }, at);
  }
  const checked: RunState = { ...state, baseTestRun: testRun };
  if (testRun.state === 'passed') {
    const flaky = 'The tests failed on the base and passed when they were run again: flaky.';
    const warnings = testRun.flaky ? [...state.warnings, flaky] : state.warnings;
    return [{ ...checked, warnings, phase: 'running' }, []];
  }
  switch (config.redBase) {
    case 'ask':
      return [{ ...checked, phase: 'red_base' }, []];
    case 'stop': {
      const failure: Failure = { kind: 'red_base', command, words, output };
      return end({ ...checked, failure }, at);
    }
    case 'fix':
    case 'report': {
      const said = `On the base the ${testRunWords(testRun)}: ${redBaseWords(checked)}.`;
      return [{ ...checked, warnings: [...state.warnings, said], phase: 'running' }, []];
    }
    default:
      return unreachable(config.redBase);
  }
}

/** How work is judged on a red base, for a person. */
function redBaseWords({ config: { redBase }, baseTestRun: base }: RunState): string {
  if (redBase === 'report') return 'they are only reported, and keep nothing from landing';
  if (base?.lacksSetup) return 'only what lands has to be green';
  const rule = ruleOf({ base, redBase });
  return rule === 'no_worse'
    ? 'no test that passed there may fail, and what lands has to be green'
    : 'no report tells which ones, so only what lands has to be green';
}

/** A person has decided about the red base, by the way that the configuration would have named. */
function onRedBaseDecided(state: RunState, how: RedBase, at: number): Next {
  const { baseTestRun, config } = state;
  if (state.phase !== 'red_base' || baseTestRun === null) return [state, []];
  const decided: RunState = { ...state, phase: 'testing', config: { ...config, redBase: how } };
  return onBaseTested(decided, baseTestRun, at);
}

/** Another command tells; the base is tested by it, and asked about again. */
function onTestsNamed(state: RunState, command: string): Next {
  const { testCommand: before } = state.config;
  if (state.phase !== 'red_base' || before === null) return [state, []];
  const testCommand = { ...before, command, from: 'you' };
  const config = { ...state.config, testCommand };
  const next: RunState = { ...state, config, baseTestRun: null, phase: 'testing' };
  return [next, [testBase(next, testCommand)]];
}

/** What a look has shown; a conflict is one for both of its sides. */
function onLook(state: RunState, message: Message & { type: 'agent_touched' }): Next {
  const { agent: index, files, dangers, conflicts } = message;
  const [next, effects] = changeAgent(state, index, (agent) => onTouched(agent, files, dangers));
  const agents = next.agents.map((agent): Agent => {
    if (agent.index === index) return isActive(agent) ? { ...agent, conflicts } : agent;
    const others = agent.conflicts.filter((one) => one.agent !== index);
    const mine = conflicts.find((one) => one.agent === agent.index);
    if (!mine && others.length === agent.conflicts.length) return agent;
    const own = mine ? [{ agent: index, files: mine.files }] : [];
    return { ...agent, conflicts: [...others, ...own] };
  });
  return [{ ...next, agents }, effects];
}

/** So many files are named. */
const mostNamed = 5;

function onFilesShared(state: RunState, run: string, files: readonly string[]): RunState {
  const named = files.slice(0, mostNamed).join(', ');
  const more = files.length > mostNamed ? ` and ${files.length - mostNamed} more` : '';
  const said = `Run ${run} changes ${named}${more}, too: the one that lands later is merged onto the other, and tested, first.`;
  return { ...state, warnings: [...new Set([...state.warnings, said])] };
}

function repairFeedback({ repair }: Agent): Feedback | null {
  return repair && { kind: 'repair', repair };
}

/** What a person may still ask of a run that has finished. */
function reopens({ type }: Message): boolean {
  const asked: readonly Message['type'][] = [
    'restart_agent',
    'restart_failed',
    'take_over',
    'leave_out',
    'land_now',
    'undo_landing',
    'set_budget',
    'model_named',
    'setup_named',
    'resumed',
  ];
  return asked.includes(type);
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one case for each message.
function apply(state: RunState, message: Exclude<Message, { type: 'run_started' }>): Next {
  const { at } = message;
  const ofAgent = (index: number, change: (agent: Agent) => Step): Next =>
    changeAgent(state, index, change);
  switch (message.type) {
    case 'plan_made':
      return onPlan(state, message.plan);
    case 'plan_failed':
      return state.phase === 'planning'
        ? end({ ...state, failure: message.failure }, at)
        : [state, []];
    case 'plan_confirmed': {
      if (state.phase !== 'confirming') return [state, []];
      const { testCommand: check } = state.config;
      return check === null
        ? [{ ...state, phase: 'running' }, []]
        : [{ ...state, phase: 'testing' }, [testBase(state, check)]];
    }
    case 'base_tested':
      return onBaseTested(state, message.testRun, at);
    case 'red_base_decided':
      return onRedBaseDecided(state, message.how, at);
    case 'tests_named':
      return onTestsNamed(state, message.command);
    case 'plan_declined':
      return state.phase === 'confirming'
        ? end({ ...state, failure: notStarted }, at)
        : [state, []];
    case 'agent_prepared':
      return ofAgent(message.agent, (agent) => {
        if (agent.state.name !== 'preparing') return [agent, []];
        const by = state.interruptedBy ?? (agent.pendingRequest === 'kill' ? 'you' : null);
        return by === null
          ? nextAttempt(state, agent, message.checkout, repairFeedback(agent), at)
          : commit(state, agent, message.checkout, { state: 'killed', by });
      });
    case 'agent_not_prepared':
      return ofAgent(message.agent, (agent) => {
        const by = state.interruptedBy ?? (agent.pendingRequest === 'kill' ? 'you' : null);
        return [
          by === null
            ? failBeforeWork(agent, message.reason, message.detail, at)
            : killBeforeWork(agent, by, at),
          [],
        ];
      });
    case 'attempt_started':
      return ofAgent(message.agent, (agent) => {
        const { state: now } = agent;
        const works = now.name === 'running' || now.name === 'asking' || now.name === 'stopping';
        return [works ? { ...agent, state: { ...now, pid: message.pid } } : agent, []];
      });
    case 'attempt_not_started':
      return ofAgent(message.agent, (agent) => {
        const { state: now } = agent;
        if (now.name !== 'running' && now.name !== 'stopping') return [agent, []];
        return commit(state, agent, now.checkout, {
          state: 'failed',
          reason: message.reason,
          detail: message.detail,
        });
      });
    case 'turn_started':
      return ofAgent(message.agent, (agent) => onTurnStarted(state, agent));
    case 'turn_ended':
      return ofAgent(message.agent, (agent) => onTurnEnded(agent, message.usage));
    case 'turn_failed':
      return ofAgent(message.agent, onTurnFailed);
    case 'agent_edited':
      return ofAgent(message.agent, (agent) => onEdited(agent, message.files));
    case 'agent_asks':
      return ofAgent(message.agent, (agent) => onAsks(state, agent, message.question));
    case 'agent_goes_on':
      return ofAgent(message.agent, onGoesOn);
    case 'attempt_exited':
      return ofAgent(message.agent, (agent) => onExited(agent, message.exit, at));
    case 'attempt_lost':
      return ofAgent(message.agent, (agent) => onLost(agent, at));
    case 'attempt_inspected':
      return ofAgent(message.agent, (agent) => onInspected(state, agent, message.inspection, at));
    case 'agent_tested':
      return ofAgent(message.agent, (agent) => onChecked(state, agent, message.testRun, at));
    case 'agent_reviewed':
      return changeAgent(withReview(state, message.usage), message.agent, (agent) =>
        onReviewed(state, agent, message.review, at),
      );
    case 'supervised':
      return onSupervised(withReview(state, message.usage), message.commit, message.review, at);
    case 'agent_committed':
      return ofAgent(message.agent, (agent) => [onCommitted(state, agent, message.work, at), []]);
    case 'agent_not_committed':
      return ofAgent(message.agent, (agent) => [
        onNotCommitted(agent, message.reason, message.detail, at),
        [],
      ]);
    case 'timer_fired':
      return ofAgent(message.timer.agent, (agent) => onTimer(agent, message.timer));
    case 'agent_touched':
      return onLook(state, message);
    case 'kill_agent':
      return ofAgent(message.agent, (agent) => kill(state, agent, at));
    case 'kill_all':
      return changeAll(state, (agent) => kill(state, agent, at));
    case 'restart_agent':
      return onRestart(state, [message.agent], (agent) => restart(state, agent, message.remark));
    case 'restart_failed': {
      const failed = state.agents.filter(
        (agent) => isDone(agent) && restartRefusal(state, agent) === null,
      );
      const again = failed.filter((agent) => agent.state.name !== 'succeeded');
      return onRestart(
        state,
        again.map((agent) => agent.index),
        (agent) => restart(state, agent, null),
      );
    }
    case 'take_over':
      return onRestart(state, [message.agent], (agent) => takeOver(state, agent, at));
    case 'remark':
      return ofAgent(message.agent, (agent) => [
        isDone(agent) ? agent : { ...agent, remarks: [...agent.remarks, message.text] },
        [],
      ]);
    case 'pause': {
      const next: RunState = { ...state, paused: message.paused };
      return message.paused ? [next, []] : onGoOn(next, at);
    }
    case 'set_budget':
      return [{ ...state, budgetUsd: message.usd }, []];
    case 'rate_changed':
      return [onRate(state, message.rate), []];
    case 'set_slots':
      return [{ ...state, slots: Math.trunc(message.slots) }, []];
    case 'leave_out':
      return onLeaveOut(state, message.agent);
    case 'land_now':
      return onLandNow(state);
    case 'interrupt':
      return onInterrupt(state, message.signal, at);
    case 'orphaned':
      return onOrphaned(state, message.detail, at);
    case 'resumed':
      return onResumed(state, message.idleMs, message.unattended, at);
    case 'integrated':
      return onIntegrated(state, message.step);
    case 'integration_failed':
      return onIntegrationFailed(state, message.failure, at);
    case 'landing_done': {
      if (state.phase !== 'landing' || state.undoing) return [state, []];
      const { landing } = message;
      return mayMoveOn(state, landing)
        ? onMoved(withLanding(state, landing), landing)
        : end(withLanding(state, landing), at);
    }
    case 'undo_landing':
      return state.landed === null
        ? [state, []]
        : [{ ...state, phase: 'landing', undoing: true }, [undoLanding(state, state.landed)]];
    case 'tip_merged':
      return onTipMerged(state, message.merged, at);
    case 'tip_tested':
      return onTipTested(state, message.testRun, at);
    case 'landing_undone':
      return onUndone(state, message.undone, at);
    case 'files_shared':
      return [onFilesShared(state, message.run, message.files), []];
    case 'model_named':
      return [onModelNamed(state, message.model), []];
    case 'setup_named':
      return onSetupNamed(state, message.command);
    default:
      return unreachable(message);
  }
}

function withLanding(state: RunState, landing: Landing): RunState {
  const { onto } = state;
  if (landing.state !== 'landed') {
    return { ...state, landing, onto: onto && { ...onto, step: null } };
  }
  return {
    ...state,
    landing,
    landed: landing.commit,
    landedFrom: onto?.tip ?? state.landedFrom,
    onto: null,
  };
}

function onUndone(before: RunState, undone: Undone, at: number): Next {
  if (!before.undoing) return [before, []];
  const state: RunState = { ...before, undoing: false };
  if (undone.state === 'undone') {
    const { landed, landedFrom } = state;
    // What landed on a branch that had moved can land there again.
    const onto = landedFrom === null ? null : { tip: landedFrom, step: null, commit: landed };
    const landing: Landing = { state: 'undone', branch: state.config.branch ?? 'HEAD' };
    return end({ ...state, landed: null, landedFrom: null, onto, landing }, at);
  }
  const way = undone.how === '' ? '' : ` A way on: ${undone.how}`;
  const said = `The landing was not taken back: ${undone.reason}.${way}`;
  return end({ ...state, warnings: [...new Set([...state.warnings, said])] }, at);
}

const rateLimited = 'The provider limited the rate of requests, and agents had to wait.';

/** That the provider's limit was felt stays readable when it is over; it is said once. */
function onRate(state: RunState, rate: RunState['rate']): RunState {
  const isNew = rate !== null && !state.warnings.includes(rateLimited);
  return { ...state, rate, warnings: isNew ? [...state.warnings, rateLimited] : state.warnings };
}

/** The model of the attempts that start from now on; which agents had another one is said. */
function onModelNamed(state: RunState, model: string): RunState {
  const { config } = state;
  const said = `From here on new attempts use ${model}; before, they used ${config.model}.`;
  return {
    ...state,
    config: { ...config, model, provider: providerOf(model) },
    warnings: [...state.warnings, said],
  };
}

/** The command that prepares the worktrees that are made from now on; that it is another one is said. */
function onSetupNamed(state: RunState, command: string | null): Next {
  const { config, warnings } = state;
  // Not by its words, which may hold a secret.
  const said = `From here on worktrees are prepared by ${command === null ? 'no' : 'another'} set-up command.`;
  const next: RunState = {
    ...state,
    config: { ...config, setup: command },
    warnings: [...warnings, said],
  };
  // The tests of the base may have failed for want of it.
  return state.phase === 'red_base' && config.testCommand !== null
    ? [{ ...next, baseTestRun: null, phase: 'testing' }, [testBase(next, config.testCommand)]]
    : [next, []];
}

function changeAgent(state: RunState, index: number, change: (agent: Agent) => Step): Next {
  const agent = state.agents[index];
  if (!agent) throw new Error(`update: no agent ${index}`);
  const [next, effects] = change(agent);
  if (next === agent) return [state, effects];
  return [{ ...state, agents: state.agents.with(index, next) }, effects];
}

function changeAll(state: RunState, change: (agent: Agent) => Step): Next {
  const effects: Effect[] = [];
  const agents = state.agents.map((agent) => {
    const [next, more] = change(agent);
    effects.push(...more);
    return next;
  });
  return [{ ...state, agents }, effects];
}

/** Adds what a review has cost. */
function withReview(state: RunState, usage: Usage | null): RunState {
  return usage ? { ...state, reviewUsage: addUsage(state.reviewUsage, usage) } : state;
}

/** Requirements that no task names; only where tasks name any. */
function unserved({ tasks, criteria }: MadePlan): string[] {
  const served = new Set(
    tasks.flatMap((task) => task.requirements ?? []).map((id) => id.toUpperCase()),
  );
  const left = criteria.filter(({ id, kind }) => kind === 'requirement' && !served.has(id));
  if (served.size === 0 || left.length === 0) return [];
  return [`No task serves ${left.map(({ id, text }) => `${id} (${text})`).join(', ')}.`];
}

function onPlan(state: RunState, plan: MadePlan): Next {
  if (state.phase !== 'planning') return [state, []];
  const next: RunState = {
    ...state,
    phase: 'confirming',
    prdPath: plan.prdPath,
    geminiModelUsed: plan.geminiModelUsed,
    warnings: [...state.warnings, ...plan.warnings, ...unserved(plan)],
    criteria: plan.criteria,
    agents: plan.tasks.map((task, index) => newAgent(index, task)),
  };
  return [next, [{ type: 'confirm_plan' }]];
}
