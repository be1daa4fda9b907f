import { type Agent, isActive, isDone, type PrepareFrom } from '../agent/agent.js';
import { failBeforeWork, type Step } from '../agent/steps.js';
import { isSpent } from '../policy/budget.js';
import { reasonWords } from '../text/words.js';
import type { Effect, Next } from './effect.js';
import { conclude, integrateReady } from './integration.js';
import { prepareAgent } from './make-effect.js';
import type { RunState } from './run.js';

/** Gives free slots to queued agents, skips those whose dependency failed, and integrates at the end. */
export function schedule(given: RunState, at: number): Next {
  if (given.phase !== 'running') return [given, []];
  let state = given;
  const effects: Effect[] = [];
  for (let changed = true; changed; ) {
    changed = false;
    let facts: Facts | null = null;
    for (const agent of state.agents) {
      if (agent.state.name !== 'queued') continue;
      // One of them for all agents, until one of those changes.
      facts ??= factsOf(state);
      const [next, more] = scheduleOne(state, agent, facts, at);
      if (next === agent) continue;
      state = { ...state, agents: state.agents.with(agent.index, next) };
      facts = null;
      effects.push(...more);
      changed = true;
    }
  }
  // Paused, nothing is merged and nothing lands either; where there is nothing of that, it ends.
  if (state.paused && state.interruptedBy === null && !isOver(state)) return [state, effects];
  const [merging, more] = integrateReady(state);
  effects.push(...more);
  if (!merging.agents.every(isDone)) return [merging, effects];
  if (merging.integrating !== null) return [{ ...merging, phase: 'integrating' }, effects];
  const [concluded, last] = conclude(merging, at);
  return [concluded, [...effects, ...last]];
}

/** All agents have ended, and none has work that could be merged or land. */
function isOver({ agents, integrating, integration }: RunState): boolean {
  return (
    integrating === null &&
    (integration?.commit ?? null) === null &&
    agents.every((agent) => isDone(agent) && agent.state.name !== 'succeeded')
  );
}

/** What scheduling one agent has to know of the others. */
interface Facts {
  readonly byTask: ReadonlyMap<string, Agent>;
  readonly free: boolean;
}

function factsOf(state: RunState): Facts {
  // More agents than requests that may be under way would only wait.
  const slots = Math.min(state.slots, Math.max(1, state.rate?.window ?? state.slots));
  return {
    byTask: new Map(state.agents.map((agent) => [agent.task.id, agent])),
    free: !state.paused && state.agents.filter(isActive).length < slots,
  };
}

function scheduleOne(state: RunState, agent: Agent, { byTask, free }: Facts, at: number): Step {
  const needs = agent.task.depends_on.flatMap((id) => byTask.get(id) ?? []);
  const { integration, mergedBefore, circuitBreaker } = state;
  const isLeftOut = (need: Agent) =>
    integration?.leftOut.some((left) => left.agent === need.index) ?? false;
  const lost = needs.find(
    (need) => (isDone(need) && need.state.name !== 'succeeded') || isLeftOut(need),
  );
  if (lost) return [failBeforeWork(agent, 'dependency_failed', lost.task.id, at), []];
  if (circuitBreaker && state.config.unattended) {
    const failed =
      circuitBreaker.agents.length > 1 ? `${circuitBreaker.agents.length} agents failed: ` : '';
    const cause = `${failed}${reasonWords(circuitBreaker.reason)}`;
    return [failBeforeWork(agent, 'not_started', cause, at), []];
  }
  if (isSpent(state)) return [failBeforeWork(agent, 'not_started', 'the budget is spent', at), []];
  // What it builds on has to be merged, so that it has passed all there is to pass.
  const ready = needs.every((need) => integration?.merged.includes(need.index));
  if (!free || !ready) return [agent, []];
  const { repair } = agent;
  const commits = needs.flatMap((need) =>
    need.state.name === 'succeeded' && need.state.work.commit ? [need.state.work.commit] : [],
  );
  const tip = integration?.commit ?? null;
  const onto =
    repair && tip !== null ? [tip] : [...(mergedBefore ? [mergedBefore.commit] : []), ...commits];
  const builtOn =
    repair && tip !== null
      ? (integration?.merged ?? [])
      : [
          ...new Set([
            ...(mergedBefore?.merged ?? []),
            ...needs.flatMap((need) => [need.index, ...need.builtOn]),
          ]),
        ];
  const { index, round, resume } = agent;
  const from: PrepareFrom = { onto, round, resume, rework: repair?.work.commit ?? null };
  return [
    { ...agent, builtOn, state: { name: 'preparing', from }, startedAt: at },
    [
      prepareAgent(state, agent, from),
      {
        type: 'start_timer',
        timer: { kind: 'wall_clock', agent: index, epoch: at },
        ms: state.config.timeoutMs,
      },
    ],
  ];
}
