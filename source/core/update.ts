import { type Agent, isActive, isDone, newAgent } from './agent.js';
import { onChecked, onInspected, onReviewed } from './agent-judging.js';
import {
  commit,
  failBeforeWork,
  killBeforeWork,
  nextAttempt,
  requeue,
  type Step,
  stop,
} from './agent-steps.js';
import {
  onAiderEvent,
  onAsks,
  onCommitted,
  onExited,
  onGoesOn,
  onNotCommitted,
  onTimer,
  onTouched,
} from './agent-update.js';
import { goOn, kill, restart, takeOver } from './agent-wishes.js';
import { budgetWarnings, isSpent } from './budget.js';
import type { CheckResult } from './check.js';
import type { Failure } from './failure.js';
import {
  checkOf,
  conclude,
  end,
  integrateReady,
  onIntegrated,
  onLandNow,
  onLeaveOut,
  onSupervised,
} from './integrate-update.js';
import { isCommon } from './judge.js';
import { unreachable } from './result.js';
import {
  type Effect,
  initialState,
  type MadePlan,
  type Message,
  type Next,
  type RunState,
} from './run.js';
import { haltWords, reasonWords, repairForModel } from './words.js';

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
  const [next, effects] = apply(state, message);
  const [scheduled, more] = schedule(noteMoney(noteFailures(state, next)), message.at);
  return [scheduled, [...effects, ...more]];
}

/** Failures that are alike before the run stops to burn the rest, unless one agent has got further. */
const haltAfter = 3;

/** Says once what there is to say of the budget. */
function noteMoney(state: RunState): RunState {
  const fresh = budgetWarnings(state).filter((said) => !state.warnings.includes(said));
  return fresh.length === 0 ? state : { ...state, warnings: [...state.warnings, ...fresh] };
}

/** Keeps the order of failures, and halts the run when the first ones have one cause in common. */
function noteFailures(before: RunState, state: RunState): RunState {
  if (before.agents === state.agents) return state;
  const failed = (agent: Agent | undefined) => agent?.state.name === 'failed';
  const fresh = state.agents.filter(
    (agent) => failed(agent) && !failed(before.agents[agent.index]),
  );
  const still = state.failures.filter((index) => failed(state.agents[index]));
  if (fresh.length === 0 && still.length === state.failures.length) return state;
  const next = { ...state, failures: [...still, ...fresh.map((agent) => agent.index)] };
  const first = next.failures.slice(0, haltAfter).map((index) => state.agents[index] as Agent);
  const alike = first.map((agent) => (agent.state.name === 'failed' ? agent.state : null));
  const [one] = alike;
  const isHalt =
    state.halt === null &&
    first.length === haltAfter &&
    one?.reason !== undefined &&
    isCommon(one.reason) &&
    alike.every((other) => other?.reason === one.reason) &&
    !state.agents.every(isDone);
  if (!isHalt) return next;
  const halt = { reason: one.reason, detail: one.detail, agents: next.failures };
  // A person mends it and goes on; nobody is there to do that in a run without a screen.
  const paused = next.paused || !state.config.unattended;
  return { ...next, halt, paused, warnings: [...next.warnings, haltWords(halt)] };
}

/** Goes on after a pause; what a common cause has failed is begun anew. */
function onGoOn(state: RunState, at: number): Next {
  const { halt } = state;
  if (halt === null) return changeAll(state, (agent) => goOn(state, agent, at));
  const alike = state.agents.filter(
    ({ state: now }) => now.name === 'failed' && now.reason === halt.reason,
  );
  const [again, effects] = onRestart(
    { ...state, halt: null },
    alike.map((agent) => agent.index),
    (agent) => restart(agent, null),
  );
  const [next, more] = changeAll(again, (agent) => goOn(again, agent, at));
  return [next, [...effects, ...more]];
}

function onBaseChecked(state: RunState, check: CheckResult, at: number): Next {
  if (state.phase !== 'checking') return [state, []];
  const { config } = state;
  const command = config.check?.command ?? '';
  const { words, output } = check;
  if (check.state !== 'passed' && !config.allowRedBase) {
    const failure: Failure = { kind: 'red_base', command, words, output };
    return end({ ...state, baseCheck: check, failure }, at);
  }
  const said =
    check.state !== 'passed'
      ? [`The tests fail on the base already (${words}): they are reported, but gate nothing.`]
      : check.flaky
        ? ['The tests failed on the base and passed when they were run again: flaky.']
        : [];
  const warnings = [...state.warnings, ...said];
  return [{ ...state, baseCheck: check, warnings, phase: 'running' }, []];
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

function repairTrouble({ repair }: Agent): string | null {
  return repair && repairForModel(repair);
}

/** What a person may still ask of a run that has finished. */
function reopens({ type }: Message): boolean {
  const asked = ['restart_agent', 'restart_failed', 'take_over', 'leave_out', 'land_now'];
  return asked.includes(type) || type === 'set_budget';
}

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
      const { check, base } = state.config;
      return check === null
        ? [{ ...state, phase: 'running' }, []]
        : [{ ...state, phase: 'checking' }, [{ type: 'check_base', commit: base }]];
    }
    case 'base_checked':
      return onBaseChecked(state, message.check, at);
    case 'plan_declined':
      return state.phase === 'confirming'
        ? end({ ...state, failure: notStarted }, at)
        : [state, []];
    case 'agent_prepared':
      return ofAgent(message.agent, (agent) => {
        if (agent.state.name !== 'preparing') return [agent, []];
        const by = state.interruptedBy ?? (agent.wish === 'kill' ? 'you' : null);
        return by === null
          ? nextAttempt(state, agent, message.place, repairTrouble(agent), at)
          : commit(agent, message.place, { state: 'killed', by });
      });
    case 'agent_not_prepared':
      return ofAgent(message.agent, (agent) => {
        const by = state.interruptedBy ?? (agent.wish === 'kill' ? 'you' : null);
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
        return commit(agent, now.place, {
          state: 'failed',
          reason: message.reason,
          detail: message.detail,
        });
      });
    case 'aider_event':
      return ofAgent(message.agent, (agent) => onAiderEvent(state, agent, message.event));
    case 'agent_asks':
      return ofAgent(message.agent, (agent) => onAsks(state, agent, message.question));
    case 'agent_goes_on':
      return ofAgent(message.agent, onGoesOn);
    case 'attempt_exited':
      return ofAgent(message.agent, (agent) => onExited(agent, message.exit, at));
    case 'attempt_inspected':
      return ofAgent(message.agent, (agent) => onInspected(state, agent, message.inspection, at));
    case 'agent_checked':
      return ofAgent(message.agent, (agent) => onChecked(state, agent, message.check, at));
    case 'agent_reviewed':
      return ofAgent(message.agent, (agent) => onReviewed(state, agent, message.review, at));
    case 'supervised':
      return onSupervised(state, message.commit, message.review, at);
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
      return ofAgent(message.agent, (agent) => kill(agent, at));
    case 'kill_all':
      return changeAll(state, (agent) => kill(agent, at));
    case 'restart_agent':
      return onRestart(state, [message.agent], (agent) => restart(agent, message.remark));
    case 'restart_failed': {
      const failed = state.agents.filter(
        (agent) => isDone(agent) && restartRefusal(state, agent) === null,
      );
      const again = failed.filter((agent) => agent.state.name !== 'succeeded');
      return onRestart(
        state,
        again.map((agent) => agent.index),
        (agent) => restart(agent, null),
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
      if (message.paused === state.paused) return [state, []];
      const next: RunState = { ...state, paused: message.paused };
      return message.paused ? [next, []] : onGoOn(next, at);
    }
    case 'set_budget':
      return [{ ...state, budgetUsd: message.usd }, []];
    case 'rate_changed':
      return [{ ...state, rate: message.rate }, []];
    case 'set_slots':
      return [{ ...state, slots: Math.min(1000, Math.max(1, Math.trunc(message.slots))) }, []];
    case 'leave_out':
      return onLeaveOut(state, message.agent);
    case 'land_now':
      return onLandNow(state);
    case 'interrupt':
      return onInterrupt(state, message.signal, at);
    case 'orphaned':
      return onOrphaned(state, message.detail, at);
    case 'integrated':
      return onIntegrated(state, message.step);
    case 'integration_failed':
      return end({ ...state, failure: message.failure }, at);
    case 'landing_done': {
      const { landing } = message;
      const landed = landing.state === 'landed' ? landing.commit : state.landed;
      return end({ ...state, landing, landed }, at);
    }
    default:
      return unreachable(message);
  }
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

/** Why an agent cannot be started anew or taken over now, in words; null when it can. */
export function restartRefusal(state: RunState, agent: Agent): string | null {
  if (state.phase !== 'running' && state.phase !== 'finished') return `the run is ${state.phase}`;
  if (state.interruptedBy !== null) return 'the run was interrupted';
  if (state.failure?.kind === 'red_base') return 'the tests fail on the base';
  if (state.integrating?.order.includes(agent.index)) return 'its work is being merged';
  if (state.integration?.merged.includes(agent.index)) {
    if (state.phase === 'finished' || state.wave?.merged.includes(agent.index)) {
      return 'its work is merged already';
    }
    // It is taken out of what is merged, and another merge is under way.
    if (state.integrating !== null) return 'work is being merged';
    const onTop = state.agents.find((other) => other.builtOn.includes(agent.index));
    if (onTop) return `${onTop.task.id} builds on its work`;
  }
  if (agent.state.name !== 'succeeded') return null;
  const builder = state.agents.find(
    (other) => other.task.depends_on.includes(agent.task.id) && hasBegun(other),
  );
  return builder ? `${builder.task.id} builds on its work` : null;
}

function hasBegun({ state }: Agent): boolean {
  return (
    state.name !== 'queued' && !(state.name === 'failed' && state.reason === 'dependency_failed')
  );
}

/** Starts agents anew, and with them those that were skipped because of them. */
function onRestart(
  state: RunState,
  indexes: readonly number[],
  change: (agent: Agent) => Step,
): Next {
  const chosen = indexes.filter((index) => {
    const agent = state.agents[index];
    return agent && restartRefusal(state, agent) === null;
  });
  if (chosen.length === 0) return [state, []];
  const effects: Effect[] = [];
  let agents = state.agents.map((agent) => {
    if (!chosen.includes(agent.index)) return agent;
    const [next, more] = change(agent);
    effects.push(...more);
    return next;
  });
  for (let changed = true; changed; ) {
    changed = false;
    const alive = new Set(agents.filter((agent) => !isLost(agent)).map((agent) => agent.task.id));
    agents = agents.map((agent) => {
      const skipped = agent.state.name === 'failed' && agent.state.reason === 'dependency_failed';
      if (!skipped || !agent.task.depends_on.every((id) => alive.has(id))) return agent;
      changed = true;
      return requeue(agent, null);
    });
  }
  const [integration, integrating, rebuild] = takeOut(state, chosen);
  effects.push(...rebuild);
  // What is merged when a finished run is led on is what its next wave builds on.
  const wave =
    state.phase === 'finished' && state.integration?.commit
      ? { commit: state.integration.commit, merged: state.integration.merged }
      : state.wave;
  return [
    {
      ...state,
      agents,
      phase: 'running',
      endedAt: null,
      landing: null,
      failure: null,
      halt: null,
      wave,
      integrating,
      integration: integration && {
        ...integration,
        leftOut: integration.leftOut.filter((left) => agents[left.agent]?.state.name !== 'queued'),
      },
      excluded: state.excluded.filter((index) => !chosen.includes(index)),
    },
    effects,
  ];
}

/** Merges anew without the work of agents that begin again, where it is merged. */
function takeOut(
  state: RunState,
  chosen: readonly number[],
): [RunState['integration'], RunState['integrating'], readonly Effect[]] {
  const { integration, integrating, wave } = state;
  const out = chosen.filter((index) => integration?.merged.includes(index));
  if (integration === null || out.length === 0) return [integration, integrating, []];
  const merged = integration.merged.filter((index) => !out.includes(index));
  const order = merged.filter((index) => !wave?.merged.includes(index));
  return [
    { ...integration, merged },
    { order, rebuild: true },
    [{ type: 'integrate', order, onto: wave, check: checkOf(state) }],
  ];
}

function isLost(agent: Agent): boolean {
  return agent.state.name === 'failed' || agent.state.name === 'killed';
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

/** A first signal stops the agents by degrees and keeps their work; a second one kills them at once. */
function onInterrupt(state: RunState, signal: string, at: number): Next {
  const again = state.interruptedBy !== null;
  const by = state.interruptedBy ?? signal;
  const next: RunState = { ...state, interruptedBy: by };
  if (state.phase === 'planning' || state.phase === 'confirming' || state.phase === 'checking') {
    const [ended, effects] = end(next, at);
    const stopped: Effect =
      state.phase === 'checking'
        ? { type: 'stop_check', agent: null }
        : { type: 'cancel_planning' };
    return [ended, [stopped, ...effects]];
  }
  const effects: Effect[] = [];
  if (state.integrating !== null || state.phase === 'reviewing') {
    effects.push({ type: 'stop_check', agent: null });
  }
  const agents = state.agents.map((agent): Agent => {
    if (agent.state.name === 'queued') return killBeforeWork(agent, by, at);
    // A set-up command may be running; its agent is ended when that has ended.
    if (agent.state.name === 'waiting') {
      const [kept, more] = commit(agent, agent.state.place, { state: 'killed', by });
      effects.push(...more);
      return kept;
    }
    if (agent.state.name === 'checking' || agent.state.name === 'reviewing') {
      effects.push({ type: 'stop_check', agent: agent.index });
      return { ...agent, wish: null };
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
      { ...agent, wish: null },
      { kind: 'killed', by },
      again ? 'SIGKILL' : 'SIGINT',
    );
    effects.push(...more);
    return stopped;
  });
  return [{ ...next, agents }, effects];
}

/** The program that ran this died. Its successor keeps the agents' work and closes the books. */
function onOrphaned(state: RunState, detail: string, at: number): Next {
  const effects: Effect[] = [];
  const agents = state.agents.map((agent): Agent => {
    const { state: now } = agent;
    if (now.name === 'succeeded' || now.name === 'failed' || now.name === 'killed') return agent;
    if (now.name === 'queued' || now.name === 'preparing') return killBeforeWork(agent, detail, at);
    const outcome =
      now.name === 'committing' ? now.outcome : ({ state: 'killed', by: detail } as const);
    const [next, more] = commit(agent, now.place, outcome);
    effects.push(...more);
    return next;
  });
  const next: RunState = { ...state, agents, integrating: null, interruptedBy: detail };
  if (['planning', 'confirming', 'checking', 'reviewing', 'landing'].includes(state.phase)) {
    const [ended, more] = end(next, at);
    return [ended, [...effects, ...more]];
  }
  return [{ ...next, phase: 'running' }, effects];
}

/** Gives free slots to queued agents, skips those whose dependency failed, and integrates at the end. */
function schedule(given: RunState, at: number): Next {
  if (given.phase !== 'running') return [given, []];
  let state = given;
  const effects: Effect[] = [];
  const byTask = () => new Map(state.agents.map((agent) => [agent.task.id, agent]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const agent of state.agents) {
      if (agent.state.name !== 'queued') continue;
      const [next, more] = scheduleOne(state, agent, byTask(), at);
      if (next === agent) continue;
      state = { ...state, agents: state.agents.with(agent.index, next) };
      effects.push(...more);
      changed = true;
    }
  }
  // Paused, nothing is merged and nothing lands either.
  if (state.paused && state.interruptedBy === null) return [state, effects];
  const [merging, more] = integrateReady(state);
  effects.push(...more);
  if (!merging.agents.every(isDone)) return [merging, effects];
  if (merging.integrating !== null) return [{ ...merging, phase: 'integrating' }, effects];
  const [concluded, last] = conclude(merging, at);
  return [concluded, [...effects, ...last]];
}

function scheduleOne(
  state: RunState,
  agent: Agent,
  byTask: ReadonlyMap<string, Agent>,
  at: number,
): Step {
  const needs = agent.task.depends_on.flatMap((id) => byTask.get(id) ?? []);
  const { integration, wave, halt } = state;
  const isLeftOut = (need: Agent) =>
    integration?.leftOut.some((left) => left.agent === need.index) ?? false;
  const lost = needs.find(
    (need) => (isDone(need) && need.state.name !== 'succeeded') || isLeftOut(need),
  );
  if (lost) return [failBeforeWork(agent, 'dependency_failed', lost.task.id, at), []];
  if (halt && state.config.unattended) {
    const cause = `${halt.agents.length} agents failed: ${reasonWords(halt.reason)}`;
    return [failBeforeWork(agent, 'not_started', cause, at), []];
  }
  if (isSpent(state)) return [failBeforeWork(agent, 'not_started', 'the budget is spent', at), []];
  // More agents than requests that may be under way would only wait.
  const slots = Math.min(state.slots, Math.max(1, state.rate?.window ?? state.slots));
  const free = !state.paused && state.agents.filter(isActive).length < slots;
  // What it builds on has to be merged, so that it has passed all there is to pass.
  const ready = needs.every((need) => integration?.merged.includes(need.index));
  if (!free || !ready) return [agent, []];
  const { repair } = agent;
  const commits = needs.flatMap((need) =>
    need.state.name === 'succeeded' && need.state.work.commit ? [need.state.work.commit] : [],
  );
  const tip = integration?.commit ?? null;
  const onto = repair && tip !== null ? [tip] : [...(wave ? [wave.commit] : []), ...commits];
  const builtOn =
    repair && tip !== null
      ? (integration?.merged ?? [])
      : [
          ...new Set([
            ...(wave?.merged ?? []),
            ...needs.flatMap((need) => [need.index, ...need.builtOn]),
          ]),
        ];
  return [
    { ...agent, builtOn, state: { name: 'preparing' }, startedAt: at },
    [
      {
        type: 'prepare_agent',
        agent: agent.index,
        onto,
        round: agent.round,
        resume: agent.resume,
        rework: repair?.work.commit ?? null,
      },
      {
        type: 'start_timer',
        timer: { kind: 'wall_clock', agent: agent.index, epoch: at },
        ms: state.config.timeoutMs,
      },
    ],
  ];
}
