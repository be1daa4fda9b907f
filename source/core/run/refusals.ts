import { type Agent, currentAttempt, isDone } from '../agent/agent.js';
import { dollars, isSpent } from '../policy/budget.js';
import { unreachable } from '../result.js';
import { leaveOutRefusal } from './integration.js';
import type { MessageBody } from './message.js';
import { restartRefusal } from './restart.js';
import type { RunState } from './run.js';

const requests = [
  'kill_agent',
  'kill_all',
  'restart_agent',
  'restart_failed',
  'take_over',
  'remark',
  'pause',
  'set_slots',
  'set_budget',
  'leave_out',
  'land_now',
  'undo_landing',
  'model_named',
  'setup_named',
  'red_base_decided',
  'tests_named',
] as const;

/** What a person may ask of a run. */
export type Request = Extract<MessageBody, { readonly type: (typeof requests)[number] }>;

export function isRequest(message: MessageBody): message is Request {
  return (requests as readonly string[]).includes(message.type);
}

/** The most agents that may work at once. */
export const mostSlots = 1000;

/**
 * Why a request would change nothing now, as a clause without a full stop; null when it can be met. Screens ask this
 * before they offer a key, and `update` keeps to it: a test holds the two together.
 */
export function refusalOf(state: RunState, request: Request): string | null {
  const ofAgent = (index: number, why: (agent: Agent) => string | null) => {
    const agent = state.agents[index];
    return agent ? why(agent) : `there is no agent${index}`;
  };
  switch (request.type) {
    case 'kill_agent':
      return ofAgent(request.agent, (agent) => killRefusal(state, agent));
    case 'kill_all':
      return state.agents.some((agent) => killRefusal(state, agent) === null)
        ? null
        : 'no agent is left to kill';
    case 'restart_agent':
      return ofAgent(
        request.agent,
        (agent) =>
          (request.remark === null ? twiceRefusal(agent) : null) ?? againRefusal(state, agent),
      );
    case 'restart_failed':
      return failedRefusal(state);
    case 'take_over':
      return ofAgent(
        request.agent,
        (agent) => takeOverRefusal(state, agent) ?? againRefusal(state, agent),
      );
    case 'remark':
      return ofAgent(request.agent, (agent) => {
        if (isDone(agent)) return `agent${agent.index} has ended`;
        return state.phase === 'finished' ? 'the run has ended' : null;
      });
    case 'pause':
      return pauseRefusal(state, request.paused);
    case 'set_slots':
      if (state.phase === 'finished') return 'the run has ended';
      if (request.slots < 1) return 'at least one agent works';
      return request.slots > mostSlots ? `at most ${mostSlots} agents work at once` : null;
    case 'set_budget': {
      const { agent } = state.config;
      return agent.tellsCost ? null : `${agent.name} tells no cost`;
    }
    case 'leave_out':
      return leaveOutRefusal(state, request.agent);
    case 'land_now':
      return landRefusal(state);
    case 'undo_landing':
      if (state.phase !== 'finished') return 'the run has not ended';
      return state.landed === null ? 'nothing has landed' : null;
    case 'model_named':
      return request.model === state.config.model ? `${request.model} is the model already` : null;
    case 'setup_named':
      return request.command === state.config.setup ? 'that is the set-up command already' : null;
    case 'red_base_decided':
    case 'tests_named':
      return state.phase === 'red_base'
        ? null
        : 'the run does not wait for a decision about its tests';
    default:
      return unreachable(request);
  }
}

function killRefusal({ phase }: RunState, agent: Agent): string | null {
  if (isDone(agent)) return `agent${agent.index} has ended`;
  if (phase === 'finished') return 'the run has ended';
  if (agent.state.name === 'judging' && agent.pendingRequest === 'kill') {
    return `agent${agent.index} is being killed`;
  }
  return agent.state.name === 'committing' ? `agent${agent.index} is saving its work` : null;
}

/** Why a restart without a remark would be none: it is about to begin anyway. */
function twiceRefusal({ index, state, round, pendingRequest }: Agent): string | null {
  switch (state.name) {
    case 'queued':
    case 'preparing':
      return `agent${index} ${round > 0 ? 'is queued again already' : 'has not started yet'}`;
    case 'judging':
    case 'committing':
      return pendingRequest === 'restart' ? `agent${index} is being restarted` : null;
    case 'running':
    case 'asking':
    case 'stopping':
    case 'waiting':
    case 'testing':
    case 'reviewing':
    case 'succeeded':
    case 'failed':
    case 'killed':
      return null;
    default:
      return unreachable(state);
  }
}

function takeOverRefusal({ config }: RunState, agent: Agent): string | null {
  if (!config.agent.takesOver) return `${config.agent.name} cannot be taken over`;
  const { name } = agent.state;
  const works = name === 'running' || name === 'asking';
  if (works && currentAttempt(agent)?.interactive) return `agent${agent.index} is yours already`;
  if (agent.pendingRequest === 'take_over') return `agent${agent.index} is being taken over`;
  return name === 'stopping' ? `agent${agent.index} is being stopped` : null;
}

/** Why an agent cannot work once more; a spent budget would end it at once. */
function againRefusal(state: RunState, agent: Agent): string | null {
  return restartRefusal(state, agent) ?? budgetRefusal(state);
}

function budgetRefusal(state: RunState): string | null {
  return isSpent(state) ? `the budget of ${dollars(state.budgetUsd ?? 0)} is spent` : null;
}

function failedRefusal(state: RunState): string | null {
  const failed = state.agents.filter(
    ({ state: now }) => now.name === 'failed' || now.name === 'killed',
  );
  const [first] = failed;
  if (!first) return 'no agent has failed';
  const refusals = failed.map((agent) => restartRefusal(state, agent));
  return refusals.includes(null) ? budgetRefusal(state) : (refusals[0] ?? null);
}

function pauseRefusal(state: RunState, paused: boolean): string | null {
  if (state.phase === 'finished') return 'the run has ended';
  if (paused === state.paused) return paused ? 'the run is paused' : 'the run is not paused';
  if (!paused) return null;
  if (state.interruptedBy !== null) return 'the run is being stopped';
  const late = state.phase === 'reviewing' || state.phase === 'landing';
  return late ? 'all agents have ended, so there is nothing to pause' : null;
}

function landRefusal({ phase, integration, landed }: RunState): string | null {
  if (phase !== 'finished') return 'the run has not ended';
  if (!integration?.commit) return 'nothing is merged that could land';
  return landed === integration.commit ? 'it has landed already' : null;
}
