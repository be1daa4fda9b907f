import { unreachable } from '../result.js';
import type { RunState } from '../run/run.js';
import { type Agent, currentAttempt, isDone } from './agent.js';
import {
  byYou,
  commit,
  killBeforeWork,
  nextAttempt,
  requeue,
  type Step,
  startAttempt,
  stop,
} from './steps.js';

/** Goes on after a pause. */
export function goOn(run: RunState, agent: Agent, at: number): Step {
  if (agent.state.name !== 'waiting') return [agent, []];
  return nextAttempt(run, agent, agent.state.checkout, agent.state.feedback, at);
}

/** A person ends an agent; its work is kept. */
export function kill(run: RunState, agent: Agent, at: number): Step {
  const { state } = agent;
  switch (state.name) {
    case 'queued':
      return [killBeforeWork(agent, 'you', at), []];
    case 'preparing':
      return [
        { ...agent, pendingRequest: 'kill' },
        [{ type: 'signal_agent', agent: agent.index, signal: 'SIGTERM' }],
      ];
    case 'waiting':
      return commit(run, { ...agent, pendingRequest: null }, state.checkout, byYou);
    case 'judging':
      return [{ ...agent, pendingRequest: 'kill' }, []];
    case 'testing':
    case 'reviewing':
      return [{ ...agent, pendingRequest: 'kill' }, [{ type: 'stop_tests', agent: agent.index }]];
    case 'running':
    case 'asking':
    case 'stopping':
    case 'committing':
    case 'succeeded':
    case 'failed':
    case 'killed':
      return stop({ ...agent, pendingRequest: null }, { kind: 'killed', by: 'you' }, 'SIGINT');
    default:
      return unreachable(state);
  }
}

/** A person starts an agent anew. What it has done is kept on a branch; the remark goes to the model. */
export function restart(run: RunState, agent: Agent, remark: string | null): Step {
  const { state } = agent;
  // Of one that has ended the person has seen what it was not told, and gives it again as wanted.
  const before = isDone(agent) ? [] : agent.remarks;
  const told: Agent = remark === null ? agent : { ...agent, remarks: [...before, remark] };
  switch (state.name) {
    case 'queued':
    case 'preparing':
      return [told, []];
    case 'judging':
    case 'committing':
      return [{ ...told, pendingRequest: 'restart' }, []];
    case 'testing':
    case 'reviewing':
      return [{ ...told, pendingRequest: 'restart' }, [{ type: 'stop_tests', agent: agent.index }]];
    case 'waiting':
      return commit(run, { ...told, pendingRequest: 'restart' }, state.checkout, byYou);
    case 'succeeded':
    case 'failed':
    case 'killed':
      return [requeue(told, null), []];
    case 'running':
    case 'asking':
    case 'stopping':
      return stop({ ...told, pendingRequest: 'restart' }, { kind: 'killed', by: 'you' }, 'SIGINT');
    default:
      return unreachable(state);
  }
}

/** A person goes on with an agent's work in a process of their own, in the same worktree. */
export function takeOver(run: RunState, agent: Agent, at: number): Step {
  const { state } = agent;
  const wished: Agent = { ...agent, pendingRequest: 'take_over' };
  switch (state.name) {
    case 'queued':
    case 'preparing':
    case 'judging':
    case 'committing':
      return [wished, []];
    case 'testing':
    case 'reviewing':
      return [wished, [{ type: 'stop_tests', agent: agent.index }]];
    case 'waiting':
      return startAttempt(run, wished, state.checkout, null, at);
    case 'succeeded':
    case 'failed':
    case 'killed':
      return [requeue(agent, 'take_over'), []];
    case 'running':
    case 'asking':
    case 'stopping':
      return currentAttempt(agent)?.interactive
        ? [agent, []]
        : stop(agent, { kind: 'take_over' }, 'SIGINT');
    default:
      return unreachable(state);
  }
}
