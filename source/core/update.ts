import { type Agent, committedWork, isActive, isDone, newAgent } from './agent.js';
import {
  commit,
  failBeforeWork,
  goOn,
  kill,
  killBeforeWork,
  nextAttempt,
  onAiderEvent,
  onAsks,
  onCommitted,
  onExited,
  onGoesOn,
  onInspected,
  onNotCommitted,
  onTimer,
  onTouched,
  requeue,
  restart,
  type Step,
  stop,
  takeOver,
} from './agent-update.js';
import type { Failure } from './failure.js';
import { topological } from './groups.js';
import { unreachable } from './result.js';
import {
  type Effect,
  initialState,
  type Landing,
  type MadePlan,
  type MergedWork,
  type Message,
  type RunState,
} from './run.js';

const notStarted: Failure = { kind: 'usage', message: 'Not started, as you said.' };

export type Next = readonly [RunState, readonly Effect[]];

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
  const [scheduled, more] = schedule(next, message.at);
  return [scheduled, [...effects, ...more]];
}

/** What a person may still ask of a run that has finished. */
function reopens({ type }: Message): boolean {
  return ['restart_agent', 'restart_failed', 'take_over', 'leave_out', 'land_now'].includes(type);
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
    case 'plan_confirmed':
      return state.phase === 'confirming' ? [{ ...state, phase: 'running' }, []] : [state, []];
    case 'plan_declined':
      return state.phase === 'confirming'
        ? end({ ...state, failure: notStarted }, at)
        : [state, []];
    case 'agent_prepared':
      return ofAgent(message.agent, (agent) => {
        if (agent.state.name !== 'preparing') return [agent, []];
        const by = state.interruptedBy ?? (agent.wish === 'kill' ? 'you' : null);
        return by === null
          ? nextAttempt(state, agent, message.place, null, at)
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
      return ofAgent(message.agent, (agent) => onTouched(agent, message.files, message.dangers));
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
      return message.paused ? [next, []] : changeAll(next, (agent) => goOn(next, agent, at));
    }
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
      return onIntegrated({ ...state, integration: message.integration }, at);
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
  if (state.integration?.merged.includes(agent.index)) return 'its work is merged already';
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
  return [
    {
      ...state,
      agents,
      phase: 'running',
      endedAt: null,
      landing: null,
      failure: null,
      excluded: state.excluded.filter((index) => !chosen.includes(index)),
    },
    effects,
  ];
}

function isLost(agent: Agent): boolean {
  return agent.state.name === 'failed' || agent.state.name === 'killed';
}

/** Why a merged agent's work cannot be left out, in words; null when it can. */
export function leaveOutRefusal(state: RunState, agent: number): string | null {
  if (state.phase !== 'finished') return 'the run has not finished';
  if (state.landed !== null) return 'the work has landed';
  if (!state.integration?.merged.includes(agent)) return 'its work is not merged';
  return state.integration.onto?.merged.includes(agent)
    ? 'a later wave was built on its work'
    : null;
}

/** Merges again without an agent's work, and without those that build on it. */
function onLeaveOut(state: RunState, agent: number): Next {
  if (leaveOutRefusal(state, agent) !== null) return [state, []];
  const next: RunState = { ...state, excluded: [...state.excluded, agent], landing: null };
  return startIntegration({ ...next, endedAt: null }, state.integration?.onto ?? null);
}

function onLandNow(state: RunState): Next {
  const commit = state.integration?.commit;
  if (state.phase !== 'finished' || !commit || state.landed === commit) return [state, []];
  const from = state.landed ?? state.config.base;
  return [
    { ...state, phase: 'landing', endedAt: null, landing: null },
    [{ type: 'land', commit, from }],
  ];
}

/** Successful agents whose work can be merged: not those left out, nor those that build on them. */
function startIntegration(state: RunState, onto: MergedWork | null): Next {
  const byTask = new Map(state.agents.map((agent) => [agent.task.id, agent]));
  const out = new Set(state.excluded);
  const order: number[] = [];
  for (const task of topological(state.agents.map((agent) => agent.task))) {
    const agent = byTask.get(task.id) as Agent;
    if (task.depends_on.some((id) => out.has(byTask.get(id)?.index ?? -1))) out.add(agent.index);
    const mergedBefore = onto?.merged.includes(agent.index);
    const has = agent.state.name === 'succeeded' && committedWork(agent)?.commit;
    if (has && !mergedBefore && !out.has(agent.index)) order.push(agent.index);
  }
  return [{ ...state, phase: 'integrating' }, [{ type: 'integrate', order, onto }]];
}

function end(state: RunState, at: number): Next {
  return [{ ...state, phase: 'finished', endedAt: at }, [{ type: 'finish' }]];
}

function onPlan(state: RunState, plan: MadePlan): Next {
  if (state.phase !== 'planning') return [state, []];
  const next: RunState = {
    ...state,
    phase: 'confirming',
    prdPath: plan.prdPath,
    geminiModelUsed: plan.geminiModelUsed,
    warnings: [...state.warnings, ...plan.warnings],
    agents: plan.tasks.map((task, index) => newAgent(index, task)),
  };
  return [next, [{ type: 'confirm_plan' }]];
}

/** A first signal stops the agents by degrees and keeps their work; a second one kills them at once. */
function onInterrupt(state: RunState, signal: string, at: number): Next {
  const again = state.interruptedBy !== null;
  const by = state.interruptedBy ?? signal;
  const next: RunState = { ...state, interruptedBy: by };
  if (state.phase === 'planning' || state.phase === 'confirming') {
    const [ended, effects] = end(next, at);
    return [ended, [{ type: 'cancel_planning' }, ...effects]];
  }
  const effects: Effect[] = [];
  const agents = state.agents.map((agent): Agent => {
    if (agent.state.name === 'queued') return killBeforeWork(agent, by, at);
    // A set-up command may be running; its agent is ended when that has ended.
    if (agent.state.name === 'waiting') {
      const [kept, more] = commit(agent, agent.state.place, { state: 'killed', by });
      effects.push(...more);
      return kept;
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
  const next: RunState = { ...state, agents, interruptedBy: detail };
  if (state.phase === 'planning' || state.phase === 'confirming' || state.phase === 'landing') {
    const [ended, more] = end(next, at);
    return [ended, [...effects, ...more]];
  }
  return [{ ...next, phase: 'running' }, effects];
}

function onIntegrated(state: RunState, at: number): Next {
  if (state.phase !== 'integrating') return [state, []];
  const { config, integration } = state;
  const allIn =
    state.agents.every((agent) => agent.state.name === 'succeeded') &&
    integration?.leftOut.length === 0;
  const refuse = (reason: string): Next => {
    if (state.landed === integration?.commit && state.landed !== null) {
      return end(
        {
          ...state,
          landing: { state: 'landed', commit: state.landed, branch: config.branch ?? '' },
        },
        at,
      );
    }
    const how = integration?.commit ? `aider-orchestrator land ${config.stamp}` : '';
    return end({ ...state, landing: { state: 'refused', reason, how } }, at);
  };
  if (!integration?.commit) return refuse('nothing was merged');
  if (config.land === 'none')
    return end({ ...state, landing: { state: 'not_asked' } satisfies Landing }, at);
  if (state.interruptedBy !== null) return refuse('the run was interrupted');
  if (state.excluded.length > 0) return refuse('work was left out, so it is for you to land');
  if (config.land === 'all' && !allIn) return refuse('not all agents succeeded');
  const from = state.landed ?? config.base;
  return [{ ...state, phase: 'landing' }, [{ type: 'land', commit: integration.commit, from }]];
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
  const held = state.paused && state.interruptedBy === null;
  if (state.agents.every(isDone) && !held) {
    const { integration } = state;
    // A later wave is merged onto what earlier ones made.
    const onto = integration?.commit
      ? { commit: integration.commit, merged: integration.merged }
      : null;
    const [integrating, more] = startIntegration(state, onto);
    return [integrating, [...effects, ...more]];
  }
  return [state, effects];
}

function scheduleOne(
  state: RunState,
  agent: Agent,
  byTask: ReadonlyMap<string, Agent>,
  at: number,
): Step {
  const needs = agent.task.depends_on.flatMap((id) => byTask.get(id) ?? []);
  const lost = needs.find((need) => isDone(need) && need.state.name !== 'succeeded');
  if (lost) return [failBeforeWork(agent, 'dependency_failed', lost.task.id, at), []];
  const free = !state.paused && state.agents.filter(isActive).length < state.slots;
  if (!free || !needs.every((need) => need.state.name === 'succeeded')) return [agent, []];
  const merged = state.integration?.commit ? [state.integration.commit] : [];
  const onto = needs.flatMap((need) =>
    need.state.name === 'succeeded' && need.state.work.commit ? [need.state.work.commit] : [],
  );
  return [
    { ...agent, state: { name: 'preparing' }, startedAt: at },
    [
      {
        type: 'prepare_agent',
        agent: agent.index,
        onto: [...merged, ...onto],
        round: agent.round,
        resume: agent.resume,
      },
      {
        type: 'start_timer',
        timer: { kind: 'wall_clock', agent: agent.index, epoch: at },
        ms: state.config.timeoutMs,
      },
    ],
  ];
}
