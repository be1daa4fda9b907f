import { type Agent, isActive, isDone, newAgent } from './agent.js';
import {
  commit,
  failBeforeWork,
  killBeforeWork,
  onAiderEvent,
  onAsks,
  onCommitted,
  onExited,
  onGoesOn,
  onInspected,
  onNotCommitted,
  onTimer,
  type Step,
  startAttempt,
  stop,
} from './agent-update.js';
import type { Failure } from './failure.js';
import { topological } from './groups.js';
import { unreachable } from './result.js';
import {
  type Effect,
  initialState,
  type Landing,
  type MadePlan,
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
  if (state.phase === 'finished') return [state, []];
  const [next, effects] = apply(state, message);
  const [scheduled, more] = schedule(next, message.at);
  return [scheduled, [...effects, ...more]];
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
        return state.interruptedBy === null
          ? startAttempt(state, agent, message.place, null, at)
          : commit(agent, message.place, { state: 'killed', by: state.interruptedBy });
      });
    case 'agent_not_prepared':
      return ofAgent(message.agent, (agent) => [
        state.interruptedBy === null
          ? failBeforeWork(agent, message.reason, message.detail, at)
          : killBeforeWork(agent, state.interruptedBy, at),
        [],
      ]);
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
      return ofAgent(message.agent, (agent) => [onCommitted(agent, message.work, at), []]);
    case 'agent_not_committed':
      return ofAgent(message.agent, (agent) => [
        onNotCommitted(agent, message.reason, message.detail, at),
        [],
      ]);
    case 'timer_fired':
      return ofAgent(message.timer.agent, (agent) => onTimer(agent, message.timer));
    case 'kill_agent':
      return ofAgent(message.agent, (agent) =>
        agent.state.name === 'queued'
          ? [killBeforeWork(agent, 'you', at), []]
          : stop(agent, { kind: 'killed', by: 'you' }, 'SIGINT'),
      );
    case 'interrupt':
      return onInterrupt(state, message.signal, at);
    case 'orphaned':
      return onOrphaned(state, message.detail, at);
    case 'integrated':
      return onIntegrated({ ...state, integration: message.integration }, at);
    case 'integration_failed':
      return end({ ...state, failure: message.failure }, at);
    case 'landing_done':
      return end({ ...state, landing: message.landing }, at);
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
    if (agent.state.name === 'preparing') {
      effects.push({
        type: 'signal_agent',
        agent: agent.index,
        signal: again ? 'SIGKILL' : 'SIGTERM',
      });
      return agent;
    }
    const [stopped, more] = stop(agent, { kind: 'killed', by }, again ? 'SIGKILL' : 'SIGINT');
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
    const how = integration?.commit ? `aider-orchestrator land ${config.stamp}` : '';
    return end({ ...state, landing: { state: 'refused', reason, how } }, at);
  };
  if (!integration?.commit) return refuse('nothing was merged');
  if (config.land === 'none')
    return end({ ...state, landing: { state: 'not_asked' } satisfies Landing }, at);
  if (state.interruptedBy !== null) return refuse('the run was interrupted');
  if (config.land === 'all' && !allIn) return refuse('not all agents succeeded');
  return [{ ...state, phase: 'landing' }, [{ type: 'land', commit: integration.commit }]];
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
  if (state.agents.every(isDone)) {
    const order = topological(state.agents.map((agent) => agent.task))
      .map((task) => byTask().get(task.id) as Agent)
      .filter((agent) => agent.state.name === 'succeeded')
      .map((agent) => agent.index);
    return [{ ...state, phase: 'integrating' }, [...effects, { type: 'integrate', order }]];
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
  const free = state.agents.filter(isActive).length < state.config.maxAgents;
  if (!free || !needs.every((need) => need.state.name === 'succeeded')) return [agent, []];
  const onto = needs.flatMap((need) =>
    need.state.name === 'succeeded' && need.state.work.commit ? [need.state.work.commit] : [],
  );
  return [
    { ...agent, state: { name: 'preparing' }, startedAt: at },
    [
      { type: 'prepare_agent', agent: agent.index, onto },
      {
        type: 'start_timer',
        timer: { kind: 'wall_clock', agent: agent.index, epoch: at },
        ms: state.config.timeoutMs,
      },
    ],
  ];
}
