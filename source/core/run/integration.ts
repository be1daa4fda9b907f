import {
  type Agent,
  type CommittedWork,
  committedWork,
  iterationsUsed,
  mostRepairs,
  type Repair,
} from '../agent/agent.js';
import { givenUp, requeueForRepair } from '../agent/steps.js';
import { topological } from '../plan/groups.js';
import { isSpent } from '../policy/budget.js';
import { notMet, type Review } from '../policy/review.js';
import { testRunWords } from '../policy/test-run.js';
import { integrationBranch } from './branches.js';
import type { Next } from './effect.js';
import { integrate, land } from './make-effect.js';
import type { Integration, IntegrationStep, Landing, LeftOut, RunState } from './run.js';

/** Successes whose work is neither merged nor given up, in the order of the plan. */
export function readyToMerge(state: RunState): number[] {
  const { integration, excluded } = state;
  const done = new Set([
    ...(integration?.merged ?? []),
    ...(integration?.leftOut ?? []).map((left) => left.agent),
    ...excluded.flatMap((agent) => [...withDependents(state, agent)]),
  ]);
  const byTask = new Map(state.agents.map((agent) => [agent.task.id, agent]));
  return topological(state.agents.map((agent) => agent.task)).flatMap((task) => {
    const agent = byTask.get(task.id) as Agent;
    const has = agent.state.name === 'succeeded' && committedWork(agent)?.commit;
    return has && !done.has(agent.index) ? [agent.index] : [];
  });
}

/** Merges what is ready, one batch at a time. No-op while one is under way. */
export function integrateReady(state: RunState): Next {
  // Git has failed at it.
  if (state.integrating !== null || state.failure !== null) return [state, []];
  // Nothing would test it any more.
  if (state.interruptedBy !== null && state.config.testCommand !== null) return [state, []];
  const order = readyToMerge(state);
  if (order.length === 0) return [state, []];
  return [{ ...state, integrating: { order, rebuild: false } }, [integrate(state, order, false)]];
}

/** A batch was merged and tested: what could not be merged goes back to its agents. */
export function onIntegrated(state: RunState, step: IntegrationStep): Next {
  const { integrating } = state;
  if (integrating === null) return [state, []];
  const { rebuild } = integrating;
  // What was taken out is not merged any more, so a tip of before does not count.
  const before = rebuild ? state.mergedBefore : state.integration;
  const merged = [...(before?.merged ?? []), ...step.merged];
  const tip = step.commit ?? before?.commit ?? null;
  const leftOut: LeftOut[] = rebuild ? [] : [...(state.integration?.leftOut ?? [])];
  let agents = state.agents;
  const refuse = (index: number, repair: Repair) => {
    const agent = agents[index] as Agent;
    if (!rebuild && mayRepair(state, agent, repair)) {
      agents = agents.with(index, requeueForRepair(agent, repair));
      return;
    }
    leftOut.push({ agent: index, files: repair.files, because: null });
    // What a person merges anew was a success before, and is on its branch.
    if (!rebuild) agents = agents.with(index, givenUp(agent, repair));
  };
  const workOf = (index: number) => committedWork(state.agents[index] as Agent) as CommittedWork;
  for (const { agent, files } of step.conflicts) {
    refuse(agent, { kind: 'conflict', work: workOf(agent), files, words: '', output: '' });
  }
  for (const { agent, words, output } of step.broken) {
    refuse(agent, { kind: 'broken', work: workOf(agent), files: [], words, output });
  }
  for (const { agent, of } of step.because) {
    leftOut.push({ agent, files: [], because: of });
  }
  const integration: Integration = {
    branch: integrationBranch(state.config.stamp),
    commit: tip,
    merged,
    leftOut,
    diff: step.diff,
    testRun: step.testRun ?? (rebuild ? null : (state.integration?.testRun ?? null)),
  };
  const flaky = step.testRun?.flaky
    ? ['The tests failed on the merged work and passed when they were run again: flaky.']
    : [];
  return [
    {
      ...state,
      agents,
      integration,
      integrating: null,
      phase: 'running',
      warnings: [...new Set([...state.warnings, ...flaky])],
    },
    [],
  ];
}

/** Whether an agent may try again: twice, as long as it has iterations, and where it is its to do. */
function mayRepair(state: RunState, agent: Agent, { kind, files }: Repair): boolean {
  const { files: own } = agent.task;
  // Where a file meets a folder of its name, no change to the agent's own files mends it.
  const isOwn = own.length === 0 || files.every((file) => own.includes(file));
  return (
    (kind === 'broken' || isOwn) &&
    state.interruptedBy === null &&
    state.circuitBreaker === null &&
    agent.repairs < mostRepairs &&
    iterationsUsed(agent) < state.config.maxIterations
  );
}

/** All agents are done and all is merged that can be: the work lands, or it is said why not. */
export function conclude(given: RunState, at: number): Next {
  if (given.failure !== null) return end(given, at);
  const { config } = given;
  const integration: Integration = given.integration ?? {
    branch: integrationBranch(config.stamp),
    commit: given.mergedBefore?.commit ?? null,
    merged: given.mergedBefore?.merged ?? [],
    leftOut: [],
    diff: { files: [] },
    testRun: null,
  };
  const state: RunState = { ...given, integration };
  const allIn =
    state.agents.every((agent) => agent.state.name === 'succeeded') &&
    integration.leftOut.length === 0;
  const refuse = (reason: string): Next => {
    if (state.landed === integration.commit && state.landed !== null) {
      const branch = config.branch ?? '';
      return end({ ...state, landing: { state: 'landed', commit: state.landed, branch } }, at);
    }
    const how = integration.commit ? `aider-orchestrator land ${config.stamp}` : '';
    return end({ ...state, landing: { state: 'refused', reason, how } }, at);
  };
  if (!integration.commit) return refuse('nothing was merged');
  // Read once, before anything is decided.
  const isRead = state.review?.commit === integration.commit || state.criteria.length === 0;
  if (config.review !== null && state.interruptedBy === null && !isRead && !isSpent(state)) {
    const { commit } = integration;
    const { criteria } = state;
    return [{ ...state, phase: 'reviewing' }, [{ type: 'supervise', commit, criteria }]];
  }
  if (config.land === 'none')
    return end({ ...state, landing: { state: 'not_asked' } satisfies Landing }, at);
  if (state.interruptedBy !== null) return refuse('the run was interrupted');
  if (state.excluded.length > 0) return refuse('work was left out, so it is for you to land');
  if ((config.land === 'all' || config.land === 'ask') && !allIn)
    return refuse('not all agents succeeded');
  const { baseTestRun } = state;
  const last = integration.testRun;
  if (baseTestRun?.state === 'failed' && config.redBase === 'fix' && last?.state !== 'passed') {
    const still = last === null ? 'nothing tells that the tests pass now' : testRunWords(last);
    return refuse(`what lands has to be green, and ${still}`);
  }
  if (config.land === 'ask') return end({ ...state, landing: { state: 'waits' } }, at);
  return [{ ...state, phase: 'landing' }, [land(state, integration.commit)]];
}

/** The supervisor has read the merged work. It is reported; the tests and the reviewers decide. */
export function onSupervised(state: RunState, commit: string, review: Review, at: number): Next {
  if (state.phase !== 'reviewing') return [state, []];
  const bad = notMet(review);
  const said =
    bad.length > 0
      ? [
          `The supervisor finds not met: ${bad.map(({ id, text }) => `${id} (${text})`).join(', ')}.`,
        ]
      : review.problem !== null
        ? [`The supervisor could not tell: ${review.problem}.`]
        : [];
  const warnings = [...new Set([...state.warnings, ...said])];
  return conclude({ ...state, warnings, review: { ...review, commit } }, at);
}

export function end(state: RunState, at: number): Next {
  return [{ ...state, phase: 'finished', endedAt: at }, [{ type: 'finish' }]];
}

/** Why a merged agent's work cannot be left out, in words; null when it can. */
export function leaveOutRefusal(state: RunState, agent: number): string | null {
  if (state.phase !== 'finished') return 'the run has not finished';
  if (state.landed !== null) return 'the work has landed';
  const { integration } = state;
  if (!integration?.merged.includes(agent)) return 'its work is not merged';
  const out = withDependents(state, agent);
  const builder = integration.merged.find(
    (other) => !out.has(other) && state.agents[other]?.builtOn.includes(agent),
  );
  return builder === undefined ? null : `agent${builder} was built on its work`;
}

/** An agent and those that depend on it, however far. */
function withDependents(state: RunState, agent: number): ReadonlySet<number> {
  const out = new Set([agent]);
  const byTask = new Map(state.agents.map((one) => [one.task.id, one]));
  for (const task of topological(state.agents.map((one) => one.task))) {
    const needs = task.depends_on.map((id) => byTask.get(id)?.index ?? -1);
    if (needs.some((index) => out.has(index))) out.add(byTask.get(task.id)?.index as number);
  }
  return out;
}

/** Merges again without an agent's work, and without those that build on it. */
export function onLeaveOut(state: RunState, agent: number): Next {
  if (leaveOutRefusal(state, agent) !== null) return [state, []];
  const out = withDependents(state, agent);
  const mergedBefore = state.mergedBefore?.merged ?? [];
  const order = (state.integration?.merged ?? []).filter(
    (index) => !out.has(index) && !mergedBefore.includes(index),
  );
  return [
    {
      ...state,
      excluded: [...state.excluded, agent],
      landing: null,
      onto: null,
      phase: 'integrating',
      integrating: { order, rebuild: true },
    },
    [integrate(state, order, true)],
  ];
}
