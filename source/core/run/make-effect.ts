import type { Agent, Attempt, Checkout, Outcome, PrepareFrom } from '../agent/agent.js';
import { committedWork, currentAttempt } from '../agent/agent.js';
import type { Brief, Feedback } from '../agent/brief.js';
import { criteriaFor } from '../policy/criteria.js';
import { type Measure, ruleOf, testsNamedIn } from '../policy/test-report.js';
import type { TestCommand } from '../policy/test-run.js';
import type { MergeItem } from '../run/effect.js';
import type { Effect, TestPlan, TipTests, Told } from './effect.js';
import type { RunState } from './run.js';

/** Effects, with all that each needs of the state it is for. */

/** What the tests of a run are held against. */
export function measureOf({ config, baseTestRun }: RunState): Measure {
  return { base: baseTestRun, redBase: config.redBase };
}

/** Whether the tests decide about each piece of work: they were asked for, and can tell. */
export function gates(run: RunState): boolean {
  return run.config.testCommand !== null && ruleOf(measureOf(run)) !== 'report';
}

/** Whether the tests decide what is merged. */
export function checkMode(run: RunState): 'decides' | 'reported' | null {
  if (run.config.testCommand === null) return null;
  return gates(run) ? 'decides' : 'reported';
}

function testPlan(run: RunState, command: TestCommand): TestPlan {
  return { setup: run.config.setup, command: command };
}

/** Tests that the PRD's criteria point at. */
function namedTests({ criteria }: RunState): string[] {
  return criteria.flatMap(({ text }) => testsNamedIn(text));
}

export function testBase(run: RunState, command: TestCommand): Effect {
  return { type: 'test_base', commit: run.config.base, tests: testPlan(run, command) };
}

export function testTip(run: RunState, commit: string, command: TestCommand): Effect {
  return { type: 'test_tip', commit, tests: testPlan(run, command), named: namedTests(run) };
}

export function testAgent(agent: Agent, checkout: Checkout, command: TestCommand): Effect {
  const { index, task, attempts } = agent;
  return {
    type: 'test_agent',
    agent: index,
    attempt: attempts.length,
    task,
    checkout,
    command: command,
  };
}

export function reviewAgent(run: RunState, agent: Agent, checkout: Checkout): Effect {
  const { index, task } = agent;
  const criteria = criteriaFor(task, run.criteria);
  return { type: 'review_agent', agent: index, task, checkout, criteria };
}

export function commitAgent(
  run: RunState,
  agent: Agent,
  checkout: Checkout,
  outcome: Outcome,
): Effect {
  return {
    type: 'commit_agent',
    agent: agent.index,
    task: agent.task,
    checkout,
    finished: outcome.state === 'succeeded',
    prdPath: run.prdPath,
    model: run.config.model,
  };
}

export function prepareAgent(run: RunState, agent: Agent, from: PrepareFrom): Effect {
  const { index, task } = agent;
  return { type: 'prepare_agent', agent: index, task, from, setup: run.config.setup };
}

/** What an agent's next attempt is given to work by. */
export function briefOf(run: RunState, agent: Agent, feedback: Feedback | null): Brief {
  return {
    task: agent.task,
    change: run.config.change,
    prdPath: run.prdPath,
    alsoRead: agent.alsoRead,
    remarks: agent.remarks,
    feedback,
  };
}

/** @param told how far the attempt has been told of; null where it is to begin */
export function startAttempt(
  run: RunState,
  agent: Agent,
  checkout: Checkout,
  brief: Brief,
  told: Told | null,
): Effect {
  const { number, interactive } = currentAttempt(agent) as Attempt;
  const { model } = run.config;
  const { index } = agent;
  return {
    type: 'start_attempt',
    agent: index,
    attempt: number,
    checkout,
    brief,
    interactive,
    model,
    told,
  };
}

/** Lands the merged work where it belongs now: on the base, on what has landed, or on a branch that has moved. */
export function land(run: RunState, commit: string): Effect {
  const { onto, landed, config } = run;
  if (onto !== null && onto.step === 'landing') {
    // It was made just now, and no branch leads to it yet.
    return { type: 'land', commit, from: onto.tip, advance: true };
  }
  return { type: 'land', commit, from: onto?.tip ?? landed ?? config.base };
}

/** @param commit what has landed */
export function undoLanding(run: RunState, commit: string): Effect {
  return { type: 'undo_landing', commit, from: run.landedFrom ?? run.config.base };
}

/**
 * Merges agents' work.
 * @param order agents with a commit, in the order in which they are merged
 * @param rebuild all is merged anew, on top of what the run builds on alone
 */
export function integrate(run: RunState, order: readonly number[], rebuild: boolean): Effect {
  const { integration, mergedBefore, config } = run;
  const before = integration?.commit
    ? { commit: integration.commit, merged: integration.merged }
    : mergedBefore;
  return {
    type: 'integrate',
    items: order.map((index) => mergeItem(run, index)),
    base: config.base,
    onto: rebuild ? mergedBefore : before,
    tests: tipTests(run),
  };
}

function tipTests(run: RunState): TipTests | null {
  const mode = checkMode(run);
  const { testCommand: check } = run.config;
  if (mode === null || check === null) return null;
  return { ...testPlan(run, check), mode, measure: measureOf(run), named: namedTests(run) };
}

function mergeItem(run: RunState, index: number): MergeItem {
  const agent = run.agents[index] as Agent;
  const byTask = new Map(run.agents.map((other) => [other.task.id, other.index]));
  return {
    agent: index,
    title: agent.task.title,
    // A success has changed something, so it has a commit.
    commit: committedWork(agent)?.commit as string,
    needs: agent.task.depends_on.flatMap((id) => byTask.get(id) ?? []),
  };
}
