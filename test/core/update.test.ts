import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isActive,
  isDone,
  iterationsUsed,
  timeSpent,
  type Usage,
} from '../../source/core/agent/agent.js';
import type { AttemptExit } from '../../source/core/agent/evidence.js';
import { judge } from '../../source/core/agent/judge.js';
import type { Task } from '../../source/core/plan/plan.js';
import { moneyOf } from '../../source/core/policy/budget.js';
import { type TestRun, testRunWords } from '../../source/core/policy/test-run.js';
import type { RunConfig } from '../../source/core/run/config.js';
import type { Effect } from '../../source/core/run/effect.js';
import type { Message, MessageBody } from '../../source/core/run/message.js';
import { type Request, refusalOf } from '../../source/core/run/refusals.js';
import type { Inspection, IntegrationStep, RunState } from '../../source/core/run/run.js';
import { runTime } from '../../source/core/run/run.js';
import { exitCode, landingWords, summarise, summarySchema } from '../../source/core/run/summary.js';
import { update } from '../../source/core/run/update.js';
import { aiderStyle } from '../../source/services/agents/aider/prompt-style.js';
import { promptOf } from '../../source/services/agents/prompt.js';
import { cleanExit as clean, unchanged } from '../attempt-facts.js';
import { testConfig as config } from '../test-config.js';

function task(id: string, depends_on: string[] = []): Task {
  return { id, title: id, description: '', files: [`${id}.ts`], read: [], depends_on };
}

const checkout = { worktree: '/w', branch: 'aider/x/agent0', start: 'b'.repeat(40) };
const changed: Inspection = {
  ...unchanged,
  diff: { files: [{ path: 'T1.ts', status: 'M', added: 1, removed: 0 }] },
  changed: true,
};
const used = (completionTokens: number, cost: number | null): Usage => ({
  promptTokens: 5,
  completionTokens,
  cost,
  knownCost: cost ?? 0,
});

const green: TestRun = { state: 'passed', words: '', output: '', ms: 5, flaky: false };
const red: TestRun = { ...green, state: 'failed', words: 'exit code 1', output: 'E: no' };
const tested = {
  testCommand: { command: 'make test', from: '--test-cmd', timeoutMs: 1000, report: null },
} as const;

/** A batch that was merged as it is. */
const step = (...agents: number[]): IntegrationStep => ({
  commit: 'd'.repeat(40),
  merged: agents,
  conflicts: [],
  broken: [],
  because: [],
  diff: { files: [] },
  testRun: null,
});

/** A run driven by hand: each message at the next millisecond. */
class Drive {
  state: RunState | null = null;
  effects: Effect[] = [];
  messages: Message[] = [];
  at = 1000;

  send(...bodies: MessageBody[]): this {
    for (const body of bodies) {
      const message: Message = { ...body, at: this.at++ };
      this.messages.push(message);
      const [state, effects] = update(this.state, message);
      this.state = state;
      this.effects = [...effects];
    }
    return this;
  }

  start(tasks: readonly Task[], more: Partial<RunConfig> = {}): this {
    return this.send(
      { type: 'run_started', config: { ...config, ...more } },
      {
        type: 'plan_made',
        plan: { tasks, prdPath: null, geminiModelUsed: null, warnings: [], criteria: [] },
      },
      { type: 'plan_confirmed' },
    );
  }

  prepared(agent: number): this {
    return this.send(
      { type: 'agent_prepared', agent, checkout },
      { type: 'attempt_started', agent, pid: 42 },
    );
  }

  response(agent: number, tokens = 10): this {
    return this.send(
      { type: 'turn_started', agent },
      { type: 'turn_ended', agent, usage: used(tokens, 0.5) },
    );
  }

  exit(agent: number, exit: AttemptExit = clean): this {
    return this.send({ type: 'attempt_exited', agent, exit });
  }

  succeed(agent: number): this {
    return this.prepared(agent)
      .response(agent)
      .exit(agent)
      .send(
        { type: 'attempt_inspected', agent, inspection: changed },
        { type: 'agent_committed', agent, work: { commit: 'c'.repeat(40), diff: changed.diff } },
      );
  }

  /** All that is being merged is merged, until nothing is. */
  mergeAll(commit = 'd'.repeat(40)): this {
    for (let now = this.state?.integrating; now; now = this.state?.integrating) {
      this.send({ type: 'integrated', step: { ...step(...now.order), commit } });
    }
    return this;
  }

  names(): string[] {
    return this.state?.agents.map((agent) => agent.state.name) ?? [];
  }
}

describe('the run', () => {
  test('slots: as many at once as allowed, the rest wait; then it integrates, lands and ends', () => {
    const drive = new Drive().start([task('T1'), task('T2'), task('T3')]);
    expect(drive.names()).toEqual(['preparing', 'preparing', 'queued']);
    drive.succeed(1);
    expect(drive.names()).toEqual(['preparing', 'succeeded', 'preparing']);
    drive.succeed(0).succeed(2);
    // What is ready is merged while others work, one batch at a time.
    expect(drive.state).toMatchObject({ phase: 'integrating', integrating: { order: [1] } });
    drive.send({ type: 'integrated', step: step(1) });
    expect(drive.effects).toMatchObject([
      {
        type: 'integrate',
        items: [{ agent: 0 }, { agent: 2 }],
        onto: { commit: 'd'.repeat(40), merged: [1] },
        tests: null,
      },
    ]);
    drive.send({ type: 'integrated', step: step(0, 2) });
    expect(drive.effects).toEqual([{ type: 'land', commit: 'd'.repeat(40), from: config.base }]);
    drive.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    expect(drive.effects).toEqual([{ type: 'finish' }]);
    expect(exitCode(drive.state as RunState)).toBe(0);
    expect(summarise(drive.state as RunState)).toMatchObject({
      landed: true,
      successful_agents: 3,
      total_iterations: 3,
    });
  });

  test('a dependent waits, and starts from the commit it depends on; one of a failed task is skipped', () => {
    const drive = new Drive().start([task('T1'), task('T2', ['T1']), task('T3', ['T2'])]);
    expect(drive.names()).toEqual(['preparing', 'queued', 'queued']);
    drive.succeed(0);
    expect(drive.names()).toEqual(['succeeded', 'queued', 'queued']);
    drive.mergeAll();
    expect(drive.effects.find(({ type }) => type === 'prepare_agent')).toMatchObject({
      agent: 1,
      from: { onto: ['c'.repeat(40)], round: 0, resume: null, rework: null },
    });
    drive.send({ type: 'agent_not_prepared', agent: 1, reason: 'setup_failed', detail: 'x' });
    expect(drive.names()).toEqual(['succeeded', 'failed', 'failed']);
    expect(drive.state?.agents[2]?.state).toMatchObject({
      reason: 'dependency_failed',
      detail: 'T2',
    });
  });

  test.each([
    ['all', 'refused'],
    ['any', 'landing'],
    ['none', 'not_asked'],
  ] as const)('--land %s when one failed', (land, expected) => {
    const drive = new Drive().start([task('T1'), task('T2')], { land }).succeed(0);
    drive.send({ type: 'agent_not_prepared', agent: 1, reason: 'worktree_failed', detail: '' });
    drive.mergeAll();
    if (expected === 'landing') expect(drive.state?.phase).toBe('landing');
    else expect(drive.state?.landing?.state).toBe(expected);
  });

  test('a message without success is followed by another, with the reason, until the cap', () => {
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .response(0)
      .exit(0);
    drive.send({
      type: 'attempt_inspected',
      agent: 0,
      inspection: { ...changed, diff: { files: [] } },
    });
    expect(drive.effects[0]).toMatchObject({ type: 'start_attempt', attempt: 2 });
    expect(drive.effects[0]).toMatchObject({
      brief: { feedback: { kind: 'failed', reason: 'no_change' } },
    });
    // One that had no response counts as one.
    drive.exit(0).send({
      type: 'attempt_inspected',
      agent: 0,
      inspection: { ...changed, diff: { files: [] } },
    });
    expect(iterationsUsed((drive.state as RunState).agents[0] as never)).toBe(2);
    drive
      .response(0)
      .exit(0)
      .send({
        type: 'attempt_inspected',
        agent: 0,
        inspection: { ...changed, diff: { files: [] } },
      });
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 0, checkout, finished: false },
    ]);
  });

  test('the cap: at the next call after N responses the agent is killed', () => {
    const drive = new Drive()
      .start([task('T1')], { maxIterations: 2 })
      .prepared(0)
      .response(0)
      .response(0);
    expect(drive.names()).toEqual(['running']);
    drive.send({ type: 'turn_started', agent: 0 });
    expect(drive.effects).toEqual([{ type: 'signal_agent', agent: 0, signal: 'SIGKILL' }]);
  });

  test('a late timer means nothing; a stop becomes harsher', () => {
    const drive = new Drive().start([task('T1')]).prepared(0);
    const early = drive.state?.agents[0]?.epoch as number;
    drive.send({ type: 'kill_agent', agent: 0 });
    expect(drive.effects[0]).toEqual({ type: 'signal_agent', agent: 0, signal: 'SIGINT' });
    const epoch = drive.state?.agents[0]?.epoch as number;
    drive.send({ type: 'timer_fired', timer: { kind: 'escalate', agent: 0, epoch: early } });
    expect(drive.effects).toEqual([]);
    drive.send({ type: 'timer_fired', timer: { kind: 'escalate', agent: 0, epoch } });
    expect(drive.effects[0]).toMatchObject({ signal: 'SIGTERM' });
  });

  test('a question is not waited for for ever', () => {
    const drive = new Drive().start([task('T1')]).prepared(0);
    drive.send(
      { type: 'agent_asks', agent: 0, question: 'Sure? (Y/n)' },
      { type: 'agent_goes_on', agent: 0 },
      { type: 'agent_asks', agent: 0, question: 'Really? (Y/n)' },
    );
    const timer = drive.effects[0] as Effect & { type: 'start_timer' };
    drive.send({ type: 'timer_fired', timer: timer.timer });
    expect(drive.state?.agents[0]?.state).toMatchObject({
      name: 'stopping',
      cause: { kind: 'unanswered' },
    });
  });

  test('an interrupt keeps the work; a second one kills at once', () => {
    const drive = new Drive().start([task('T1'), task('T2'), task('T3')]).prepared(0);
    drive.send({ type: 'interrupt', signal: 'SIGINT' });
    expect(drive.names()).toEqual(['stopping', 'preparing', 'killed']);
    drive.send({ type: 'interrupt', signal: 'SIGINT' });
    expect(drive.effects[0]).toEqual({ type: 'signal_agent', agent: 0, signal: 'SIGKILL' });
    drive.send({ type: 'agent_prepared', agent: 1, checkout });
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 1, checkout, finished: false },
    ]);
  });

  test('an interrupt while it plans ends the run', () => {
    const drive = new Drive().send(
      { type: 'run_started', config },
      { type: 'interrupt', signal: 'SIGTERM' },
    );
    expect(drive.effects.map((effect) => effect.type)).toEqual(['cancel_planning', 'finish']);
    expect(exitCode(drive.state as RunState)).toBe(143);
  });
});

describe('a person', () => {
  const nothing: Inspection = { ...changed, diff: { files: [] }, changed: false };
  const inspected = (inspection: Inspection): MessageBody => ({
    type: 'attempt_inspected',
    agent: 0,
    inspection,
  });
  const committed = (commit: string | null): MessageBody => ({
    type: 'agent_committed',
    agent: 0,
    work: { commit, diff: changed.diff },
  });

  test('restarts an agent at work: it is stopped, its work committed, and it begins anew with the remark', () => {
    const drive = new Drive()
      .start([task('T1')], { maxIterations: 1 })
      .prepared(0)
      .response(0);
    drive.send({ type: 'restart_agent', agent: 0, remark: 'Use a map.' });
    expect(drive.effects[0]).toEqual({ type: 'signal_agent', agent: 0, signal: 'SIGINT' });
    drive.send({ type: 'attempt_exited', agent: 0, exit: clean }, inspected(changed));
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 0, checkout, finished: false },
    ]);
    drive.send(committed('c1'));
    expect(drive.effects[0]).toMatchObject({
      type: 'prepare_agent',
      agent: 0,
      from: { round: 1, onto: [] },
    });
    drive.send({ type: 'agent_prepared', agent: 0, checkout });
    expect(drive.effects[0]).toMatchObject({ brief: { remarks: ['Use a map.'] } });
    // A new round has all its iterations.
    expect(iterationsUsed((drive.state as RunState).agents[0] as never)).toBe(0);
    drive.response(0).exit(0).send(inspected(changed), committed('c2'));
    expect(drive.names()).toEqual(['succeeded']);
  });

  test('restarts a failed agent while others work, and with it what was skipped because of it', () => {
    const drive = new Drive().start([task('T1'), task('T2', ['T1']), task('T3')]);
    drive.send({ type: 'agent_not_prepared', agent: 0, reason: 'setup_failed', detail: '' });
    expect(drive.names()).toEqual(['failed', 'failed', 'preparing']);
    drive.send({ type: 'restart_agent', agent: 0, remark: null });
    expect(drive.names()).toEqual(['preparing', 'queued', 'preparing']);
  });

  test('cannot restart what others build on', () => {
    const drive = new Drive()
      .start([task('T1'), task('T2', ['T1'])])
      .succeed(0)
      .mergeAll();
    expect(drive.names()).toEqual(['succeeded', 'preparing']);
    drive.send({ type: 'restart_agent', agent: 0, remark: null });
    expect(drive.names()).toEqual(['succeeded', 'preparing']);
  });

  test('sends a remark: a success waits for it, and stays one when nothing is left to change', () => {
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .response(0);
    drive.send({ type: 'remark', agent: 0, text: 'Mind the tests.' }).exit(0);
    drive.send(inspected(changed));
    expect(drive.effects[0]).toMatchObject({ brief: { remarks: ['Mind the tests.'] } });
    expect(drive.state?.agents[0]?.remarks).toEqual([]);
    drive
      .response(0)
      .exit(0)
      .send({ ...inspected({ ...nothing, diff: changed.diff }) });
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 0, checkout, finished: true },
    ]);
  });

  test('takes over: the attempt ends, an Aider without a message starts, and is judged alike', () => {
    const drive = new Drive().start([task('T1')]).prepared(0);
    drive.send({ type: 'take_over', agent: 0 });
    expect(drive.effects[0]).toEqual({ type: 'signal_agent', agent: 0, signal: 'SIGINT' });
    drive.send({ type: 'attempt_exited', agent: 0, exit: clean }, inspected(nothing));
    expect(drive.effects[0]).toMatchObject({ type: 'start_attempt', interactive: true, checkout });
    // What the person broke off does not count.
    drive.send({ type: 'turn_started', agent: 0 });
    drive.response(0).exit(0).send(inspected(changed));
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 0, checkout, finished: true },
    ]);
  });

  test('takes over and leaves without evidence: failed, and no message follows', () => {
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .send({ type: 'take_over', agent: 0 });
    drive.send({ type: 'attempt_exited', agent: 0, exit: clean }, inspected(nothing));
    drive.exit(0).send(inspected(nothing), committed(null));
    expect(drive.state?.agents[0]?.state).toMatchObject({ name: 'failed', reason: 'no_response' });
  });

  test('takes over a finished success: it goes on with its commit, and leaving at once keeps it', () => {
    const drive = new Drive()
      .start([task('T1'), task('T2')])
      .succeed(0)
      .mergeAll();
    drive.send({ type: 'take_over', agent: 0 });
    expect(drive.effects.find((effect) => effect.type === 'prepare_agent')).toMatchObject({
      type: 'prepare_agent',
      from: { resume: 'c'.repeat(40), round: 1 },
    });
    drive.send({ type: 'agent_prepared', agent: 0, checkout });
    expect(drive.effects[0]).toMatchObject({ type: 'start_attempt', interactive: true });
    drive.exit(0).send(inspected({ ...nothing, diff: changed.diff }), committed('c9'));
    expect(drive.names()).toEqual(['succeeded', 'preparing']);
  });

  test('pauses: nothing starts and no message is sent until it goes on; slots can be changed', () => {
    const drive = new Drive().start([task('T1'), task('T2'), task('T3')]).prepared(0);
    drive.send({ type: 'pause', paused: true }, { type: 'set_slots', slots: 3 });
    drive.response(0).exit(0).send(inspected(nothing));
    expect(drive.names()).toEqual(['waiting', 'preparing', 'queued']);
    drive.send({ type: 'agent_prepared', agent: 1, checkout });
    expect(drive.names()).toEqual(['waiting', 'waiting', 'queued']);
    drive.send({ type: 'pause', paused: false });
    expect(drive.names()).toEqual(['running', 'running', 'preparing']);
    expect(drive.effects.map((effect) => effect.type)).toContain('start_attempt');
  });

  test('paused, nothing is merged and nothing lands', () => {
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .response(0)
      .exit(0);
    drive.send({ type: 'pause', paused: true }, inspected(changed), committed('c1'));
    expect(drive.state?.phase).toBe('running');
    drive.send({ type: 'pause', paused: false });
    expect(drive.state?.phase).toBe('integrating');
  });

  test('the time of an agent is that of all its rounds', () => {
    const drive = new Drive()
      .start([task('T1'), task('T2')])
      .succeed(0)
      .mergeAll();
    const before = timeSpent(drive.state?.agents[0] as never, 0);
    expect(before).toBeGreaterThan(0);
    drive.send({ type: 'restart_agent', agent: 0, remark: null });
    expect(timeSpent(drive.state?.agents[0] as never, 0)).toBe(before);
    drive.succeed(0);
    expect(timeSpent(drive.state?.agents[0] as never, 0)).toBeGreaterThan(before);
  });

  test('kills one that is being prepared, and all', () => {
    const drive = new Drive().start([task('T1'), task('T2'), task('T3')]).prepared(0);
    drive.send({ type: 'kill_all' });
    expect(drive.names()).toEqual(['stopping', 'preparing', 'killed']);
    drive.send({ type: 'agent_prepared', agent: 1, checkout });
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 1, checkout, finished: false },
    ]);
  });

  test('a paused run in which nothing is left ends; one with work to merge waits', () => {
    const drive = new Drive().start([task('T1'), task('T2')], { maxAgents: 1 });
    drive.send({ type: 'pause', paused: true }, { type: 'kill_all' });
    drive.send({ type: 'agent_prepared', agent: 0, checkout });
    drive.send({ type: 'agent_committed', agent: 0, work: { commit: null, diff: { files: [] } } });
    expect(drive.names()).toEqual(['killed', 'killed']);
    expect(drive.state?.phase).toBe('finished');
    const other = new Drive().start([task('T1'), task('T2')], { maxAgents: 1 });
    other.prepared(0).response(0).send({ type: 'pause', paused: true });
    other.exit(0).send({ type: 'attempt_inspected', agent: 0, inspection: changed });
    const work = { commit: 'c'.repeat(40), diff: changed.diff };
    other.send({ type: 'agent_committed', agent: 0, work }, { type: 'kill_all' });
    expect(other.names()).toEqual(['succeeded', 'killed']);
    expect(other.state?.phase).toBe('running');
    other.send({ type: 'pause', paused: false }).mergeAll();
    expect(other.state?.phase).toBe('finished');
  });

  test('the time in which a finished run is read is not its own', () => {
    const drive = new Drive()
      .start([task('T1')], { land: 'none' })
      .succeed(0)
      .mergeAll();
    const before = runTime(drive.state as RunState, 0);
    expect(summarise(drive.state as RunState).duration_s).toBeLessThan(1);
    drive.at += 3_600_000;
    drive.send({ type: 'land_now' });
    expect(drive.state).toMatchObject({ phase: 'landing', endedAt: null });
    drive.at += 2000;
    drive.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    const spent = runTime(drive.state as RunState, 0);
    expect(spent).toBeGreaterThanOrEqual(before + 2000);
    expect(spent).toBeLessThan(before + 3000);
    expect(summarise(drive.state as RunState).duration_s).toBeLessThan(4);
  });

  test('that the provider limited the rate stays among the warnings, once', () => {
    const drive = new Drive().start([task('T1')]);
    const rate = { window: 1, waiting: 2, until: null };
    for (const one of [rate, null, { ...rate, waiting: 3 }]) {
      drive.send({ type: 'rate_changed', rate: one });
    }
    expect(drive.state?.warnings).toEqual([expect.stringContaining('limited the rate')]);
  });

  test('a landing that nobody asked for ends nothing', () => {
    const drive = new Drive().start([task('T1'), task('T2')]).succeed(0);
    expect(drive.state?.integrating).not.toBe(null);
    drive.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    expect(drive.state).toMatchObject({ phase: 'running', landed: null, landing: null });
  });

  test('led on after its end, a run that had been halted goes on', () => {
    const drive = new Drive().start([task('T1'), task('T2')], { unattended: false, maxAgents: 1 });
    drive.send({ type: 'pause', paused: true }, { type: 'kill_all' });
    drive.send({ type: 'agent_not_prepared', agent: 0, reason: 'setup_failed', detail: '' });
    expect(drive.state).toMatchObject({ phase: 'finished', paused: true });
    drive.send({ type: 'restart_failed' });
    expect(drive.state).toMatchObject({ phase: 'running', paused: false });
    expect(drive.names()).toContain('preparing');
  });

  test('names another set-up command on a red base: it is tested again, by it', () => {
    const check = { command: 'npm test', from: 'you', timeoutMs: 1000, report: null };
    const drive = new Drive().start([task('T1')], {
      testCommand: check,
      redBase: 'ask',
      setup: 'false',
    });
    const words = '`false`, exit code 1';
    drive.send({
      type: 'base_tested',
      testRun: { state: 'failed', lacksSetup: true, words, output: '', ms: 1, flaky: false },
    });
    expect(drive.state?.phase).toBe('red_base');
    expect(testRunWords(drive.state?.baseTestRun as TestRun)).toBe(
      `tests were not run (the set-up command failed: ${words})`,
    );
    drive.send({ type: 'setup_named', command: null });
    expect(drive.state).toMatchObject({ phase: 'testing', baseTestRun: null });
    expect(drive.effects).toMatchObject([{ type: 'test_base', commit: config.base }]);
  });

  test('names another set-up command: it is said, and is the configuration from then on', () => {
    const drive = new Drive().start([task('T1')], { setup: 'npm ci' });
    drive.send({ type: 'setup_named', command: 'npm install' });
    expect(drive.state?.config.setup).toBe('npm install');
    expect(drive.state?.warnings.at(-1)).toContain('by another set-up command');
  });

  test('after the end: failed ones in a new wave on top of what is merged, and landing on what landed', () => {
    const drive = new Drive().start([task('T1'), task('T2')], { land: 'any' }).succeed(0);
    drive.send({ type: 'agent_not_prepared', agent: 1, reason: 'setup_failed', detail: '' });
    drive.mergeAll();
    drive.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    expect(drive.state?.phase).toBe('finished');
    drive.send({ type: 'restart_failed' });
    expect(drive.effects[0]).toMatchObject({
      type: 'prepare_agent',
      agent: 1,
      from: { onto: ['d'.repeat(40)] },
    });
    drive.succeed(1);
    expect(drive.effects).toMatchObject([
      {
        type: 'integrate',
        items: [{ agent: 1 }],
        onto: { commit: 'd'.repeat(40), merged: [0] },
        tests: null,
      },
    ]);
    drive.mergeAll('e'.repeat(40));
    expect(drive.effects).toEqual([{ type: 'land', commit: 'e'.repeat(40), from: 'd'.repeat(40) }]);
  });

  test('after the end: leaves one out with those that build on it, and lands the rest when asked', () => {
    const tasks = [task('T1'), task('T2', ['T1']), task('T3')];
    const drive = new Drive().start(tasks, { land: 'none' }).succeed(0).mergeAll();
    drive.succeed(1).mergeAll().succeed(2).mergeAll();
    drive.send({ type: 'leave_out', agent: 0 });
    expect(drive.effects).toMatchObject([
      { type: 'integrate', items: [{ agent: 2 }], onto: null, tests: null },
    ]);
    drive.mergeAll('e'.repeat(40));
    const { agents } = summarise(drive.state as RunState);
    expect([
      agents['agent0']?.left_out,
      agents['agent1']?.left_out,
      agents['agent2']?.left_out,
    ]).toEqual(['you left it out', 'what it builds on, the work of agent0, was left out', null]);
    expect(drive.state?.phase).toBe('finished');
    drive.send({ type: 'land_now' });
    expect(drive.effects).toEqual([{ type: 'land', commit: 'e'.repeat(40), from: config.base }]);
  });
});

describe('the evidence', () => {
  const attempt = {
    number: 1,
    round: 0,
    interactive: false,
    startedAt: 0,
    endedAt: 1,
    sends: 1,
    responses: 1,
    lastCompletionTokens: 5,
    exceptions: 0,
    edited: [],
    exit: clean,
    verdict: null,
  };

  test('all of it is needed', () => {
    expect(judge(attempt, changed)).toEqual({ ok: true });
    const without: [Partial<typeof attempt>, Partial<Inspection>, string][] = [
      [{ exit: { ...clean, code: 1 } }, {}, 'agent_crashed'],
      [
        { exit: { ...clean, code: null as never, signal: 'SIGKILL' } as never },
        {},
        'killed_by_signal',
      ],
      [{ exit: { ...clean, orderly: false } }, {}, 'agent_crashed'],
      [{ sends: 2 }, {}, 'stream_broken'],
      [{ sends: 0, responses: 0 }, {}, 'no_response'],
      [{ lastCompletionTokens: 0 }, {}, 'empty_reply'],
      [{ exceptions: 1 }, {}, 'agent_crashed'],
      [{}, { diff: { files: [] } }, 'no_change'],
      [{}, { refused: [{ path: 'x', why: 'outside', undone: true }] }, 'outside_scope'],
      [{}, { failure: { reason: 'disk_full', detail: '' } }, 'disk_full'],
    ];
    for (const [part, seen, reason] of without) {
      expect(judge({ ...attempt, ...part }, { ...changed, ...seen })).toMatchObject({
        ok: false,
        reason,
      });
    }
  });

  test('no set of symptoms makes a broken attempt a success, and none but the final ones a failure', () => {
    const harmless = ['malformed', 'rate_limited', 'provider_failed'] as const;
    fc.assert(
      fc.property(fc.subarray([...harmless]), (seen) => {
        expect(judge({ ...attempt, exit: { ...clean, symptoms: seen } }, changed).ok).toBe(true);
        expect(
          judge({ ...attempt, sends: 2, exit: { ...clean, symptoms: seen } }, changed).ok,
        ).toBe(false);
      }),
    );
  });
});

describe('the tests of the project', () => {
  const begin = (more: Partial<RunConfig> = {}) =>
    new Drive().start([task('T1'), task('T2')], { ...tested, ...more });
  const judged = (drive: Drive, agent: number, inspection = changed) =>
    drive.exit(agent).send({ type: 'attempt_inspected', agent, inspection });

  test('a base that is red ends the run before any agent; with --allow-red-base it is reported', () => {
    const drive = begin();
    expect(drive.state?.phase).toBe('testing');
    expect(drive.effects).toMatchObject([{ type: 'test_base', commit: config.base }]);
    drive.send({ type: 'base_tested', testRun: red });
    expect(drive.state).toMatchObject({ phase: 'finished', failure: { kind: 'red_base' } });
    expect(drive.names()).toEqual(['queued', 'queued']);
    expect(exitCode(drive.state as RunState)).toBe(1);
    // Nor does a restart get around it.
    drive.send({ type: 'restart_agent', agent: 0, remark: null });
    expect(drive.state?.phase).toBe('finished');

    const allowed = begin({ redBase: 'report' }).send({ type: 'base_tested', testRun: red });
    expect(allowed.state?.phase).toBe('running');
    expect(allowed.state?.warnings.join()).toContain('On the base the tests failed');
    judged(allowed.prepared(0).response(0), 0).send({
      type: 'agent_tested',
      agent: 0,
      testRun: red,
    });
    expect(allowed.state?.agents[0]?.state).toMatchObject({ name: 'committing' });
    allowed.send({
      type: 'agent_committed',
      agent: 0,
      work: { commit: 'c'.repeat(40), diff: changed.diff },
    });
    expect(allowed.effects).toMatchObject([
      { type: 'integrate', items: [{ agent: 0 }], onto: null, tests: { mode: 'reported' } },
    ]);
  });

  /** A red result with a report of it. */
  const told = (failed: readonly string[], passedNames: readonly string[]): TestRun => ({
    ...red,
    report: { failed, passed: passedNames.length, skipped: 0, passedNames },
  });

  test('on a red base a person is asked, and each answer is followed', () => {
    const ask = () => begin({ redBase: 'ask' }).send({ type: 'base_tested', testRun: red });
    expect(ask().state).toMatchObject({ phase: 'red_base', baseTestRun: red });
    expect(ask().effects).toEqual([]);
    for (const how of ['fix', 'report'] as const) {
      const drive = ask().send({ type: 'red_base_decided', how });
      expect(drive.state).toMatchObject({ phase: 'running', config: { redBase: how } });
    }
    const ended = ask().send({ type: 'red_base_decided', how: 'stop' });
    expect(ended.state).toMatchObject({ phase: 'finished', failure: { kind: 'red_base' } });
    const other = ask().send({ type: 'tests_named', command: 'make all' });
    expect(other.state).toMatchObject({
      phase: 'testing',
      config: { testCommand: { from: 'you' } },
    });
    expect(other.effects).toMatchObject([{ type: 'test_base', commit: config.base }]);
    other.send({ type: 'base_tested', testRun: green });
    expect(other.state?.phase).toBe('running');
    expect(ask().send({ type: 'interrupt', signal: 'SIGINT' }).state?.phase).toBe('finished');
  });

  test('a red base that is to be fixed: who breaks what passed is sent back, by the names', () => {
    const drive = begin({ redBase: 'fix' }).send({
      type: 'base_tested',
      testRun: told(['a', 'b'], ['c', 'd']),
    });
    judged(drive.prepared(0).response(0), 0);
    drive.send({ type: 'agent_tested', agent: 0, testRun: told(['a', 'd'], ['c']) });
    const next = drive.effects[0] as Effect & { type: 'start_attempt' };
    expect(promptOf(next.brief, aiderStyle)).toContain('tests that passed before fail now: d');
    judged(drive.prepared(1).response(1), 1);
    drive.send({ type: 'agent_tested', agent: 1, testRun: told(['b'], ['a', 'c', 'd']) });
    expect(drive.state?.agents[1]?.state).toMatchObject({ name: 'committing' });
  });

  test('a red base that is to be fixed: only green work lands', () => {
    const land = (last: TestRun) => {
      const drive = new Drive().start([task('T1')], { ...tested, redBase: 'fix', land: 'all' });
      drive.send({ type: 'base_tested', testRun: red });
      judged(drive.prepared(0).response(0), 0);
      drive.send({ type: 'agent_tested', agent: 0, testRun: red });
      const work = { commit: 'c'.repeat(40), diff: changed.diff };
      drive.send({ type: 'agent_committed', agent: 0, work });
      const step = {
        commit: 'c'.repeat(40),
        merged: [0],
        conflicts: [],
        broken: [],
        because: [],
        diff: changed.diff,
        testRun: last,
      };
      return drive.send({ type: 'integrated', step }).state as RunState;
    };
    expect(land(green).phase).toBe('landing');
    const refused = land(red);
    expect(refused).toMatchObject({ phase: 'finished', landing: { state: 'refused' } });
    expect(landingWords(refused)).toContain('has to be green');
  });

  test('flaky on the base is said, and counts as green', () => {
    const drive = begin().send({ type: 'base_tested', testRun: { ...green, flaky: true } });
    expect(drive.state?.phase).toBe('running');
    expect(drive.state?.warnings.join()).toContain('flaky');
  });

  test('red work goes back to the model with the output, until the cap', () => {
    const drive = begin({ maxIterations: 2 }).send({ type: 'base_tested', testRun: green });
    judged(drive.prepared(0).response(0), 0);
    expect(drive.effects).toMatchObject([
      { type: 'test_agent', agent: 0, checkout, command: { command: 'make test' } },
    ]);
    drive.send({ type: 'agent_tested', agent: 0, testRun: red });
    const next = drive.effects[0] as Effect & { type: 'start_attempt' };
    expect(promptOf(next.brief, aiderStyle)).toContain('tests fail with your change');
    expect(promptOf(next.brief, aiderStyle)).toContain('make test: exit code 1');
    expect(promptOf(next.brief, aiderStyle)).toContain('E: no');
    judged(drive.response(0), 0).send({ type: 'agent_tested', agent: 0, testRun: red });
    drive.send({
      type: 'agent_committed',
      agent: 0,
      work: { commit: 'c'.repeat(40), diff: changed.diff },
    });
    expect(drive.state?.agents[0]?.state).toMatchObject({
      name: 'failed',
      reason: 'tests_failed',
      detail: 'make test: exit code 1, after 2 iterations',
    });
  });

  test('killed, restarted or interrupted while it is tested, it is no success', () => {
    for (const message of [
      { type: 'kill_agent', agent: 0 },
      { type: 'restart_agent', agent: 0, remark: null },
      { type: 'interrupt', signal: 'SIGINT' },
    ] satisfies MessageBody[]) {
      const drive = begin().send({ type: 'base_tested', testRun: green });
      judged(drive.prepared(0).response(0), 0).send(message);
      expect(drive.effects).toContainEqual({ type: 'stop_tests', agent: 0 });
      drive.send({ type: 'agent_tested', agent: 0, testRun: green });
      expect(drive.state?.agents[0]?.state).toMatchObject({ outcome: { state: 'killed' } });
    }
  });

  test('the same failure twice without a change in between ends the agent, and says so', () => {
    const drive = new Drive().start([task('T1')], { maxIterations: 10 }).prepared(0);
    const nothing = { ...changed, changed: false, diff: { files: [] } };
    judged(drive.response(0), 0, nothing);
    expect(drive.names()).toEqual(['running']);
    judged(drive.response(0), 0, nothing);
    expect(drive.state?.agents[0]?.state).toMatchObject({
      outcome: { reason: 'no_change', detail: 'the same twice, and nothing changed in between' },
    });
    // Something else, or another state of the files, is another try.
    const other = new Drive().start([task('T1')], { maxIterations: 10 }).prepared(0);
    judged(other.response(0), 0, nothing);
    judged(other.response(0), 0, { ...nothing, tree: 't2' });
    expect(other.names()).toEqual(['running']);
  });
});

describe('work that cannot be merged', () => {
  const conflict = { ...step(), conflicts: [{ agent: 1, files: ['T2.ts'] }] };
  const begin = (more: Partial<RunConfig> = {}) =>
    new Drive()
      .start([task('T1'), task('T2')], { maxIterations: 10, ...more })
      .succeed(0)
      .mergeAll()
      .succeed(1);

  test('goes back to its agent on top of what is merged, twice; then it is left out', () => {
    const drive = begin();
    for (const round of [1, 2]) {
      drive.send({ type: 'integrated', step: conflict });
      const from = { onto: ['d'.repeat(40)], round, resume: null, rework: 'c'.repeat(40) };
      const prepare = drive.effects.find(({ type }) => type === 'prepare_agent');
      expect(prepare).toMatchObject({ agent: 1, from });
      drive.send({ type: 'agent_prepared', agent: 1, checkout });
      expect(drive.effects[0]).toMatchObject({
        brief: { feedback: { kind: 'repair', repair: { kind: 'conflict', files: ['T2.ts'] } } },
      });
      drive.response(1).exit(1);
      drive.send(
        { type: 'attempt_inspected', agent: 1, inspection: changed },
        { type: 'agent_committed', agent: 1, work: { commit: 'c'.repeat(40), diff: changed.diff } },
      );
    }
    drive.send({ type: 'integrated', step: conflict });
    const state = drive.state as RunState;
    expect(state.phase).toBe('finished');
    expect(state.agents[1]?.state).toMatchObject({ name: 'failed', reason: 'merge_conflict' });
    expect(summarise(state).agents['agent1']).toMatchObject({
      success: false,
      merged: false,
      conflicts: ['T2.ts'],
      repairs: 2,
      commit: 'c'.repeat(40),
    });
    expect(state.landing).toMatchObject({ reason: 'not all agents succeeded' });
    // Begun anew by a person, it counts as never tried.
    drive.send({ type: 'restart_agent', agent: 1, remark: null });
    expect(drive.state?.agents[1]).toMatchObject({ repairs: 0, repair: null });
  });

  test('is left out at once when its iterations are used up, and what depends on it is skipped', () => {
    const drive = new Drive()
      .start([task('T1'), task('T2', ['T1'])], { maxIterations: 1 })
      .succeed(0)
      .send({
        type: 'integrated',
        step: { ...step(), broken: [{ agent: 0, words: 'exit code 1', output: '' }] },
      });
    expect(drive.names()).toEqual(['failed', 'failed']);
    expect(drive.state?.agents[0]?.state).toMatchObject({ reason: 'breaks_tests' });
    expect(drive.state?.agents[1]?.state).toMatchObject({ reason: 'dependency_failed' });
  });

  test('a repair that fails counts as what it was to mend', () => {
    const drive = begin({ maxIterations: 2 }).send({ type: 'integrated', step: conflict });
    drive.send({ type: 'agent_prepared', agent: 1, checkout }).response(1).exit(1);
    drive.send({
      type: 'attempt_inspected',
      agent: 1,
      inspection: { ...changed, unresolved: ['T2.ts'] },
    });
    expect(drive.state?.agents[1]?.state).toMatchObject({
      outcome: {
        reason: 'merge_conflict',
        detail: 'T2.ts; then: left conflict markers in its files (T2.ts, after 2 iterations)',
      },
    });
  });

  test('a repair that is never begun keeps the work that it was to mend', () => {
    const work = { commit: 'c'.repeat(40), diff: changed.diff };
    const unmerged = { reason: 'merge_conflict', work };
    const notPrepared = begin().send(
      { type: 'integrated', step: conflict },
      { type: 'agent_not_prepared', agent: 1, reason: 'disk_full', detail: 'x' },
    );
    expect(notPrepared.state?.agents[1]?.state).toMatchObject({ reason: 'disk_full', work });
    const noMoney = begin({ budgetUsd: 1 }).send({ type: 'integrated', step: conflict });
    expect(noMoney.state?.agents[1]?.state).toMatchObject({
      ...unmerged,
      detail: 'T2.ts; then: not started (the budget is spent)',
    });
    const paused = begin().send({ type: 'pause', paused: true });
    paused.send({ type: 'integrated', step: conflict });
    expect(paused.names()[1]).toBe('queued');
    paused.send({ type: 'kill_agent', agent: 1 });
    expect(paused.state?.agents[1]?.state).toMatchObject({ name: 'killed', work });
    expect(summarise(paused.state as RunState).agents['agent1']?.commit).toBe(work.commit);
  });

  test('a merged agent can begin anew: what is merged is merged without it', () => {
    const drive = begin().mergeAll();
    expect(drive.state?.phase).toBe('landing');
    const early = new Drive()
      .start([task('T1'), task('T2')])
      .succeed(0)
      .mergeAll();
    early.send({ type: 'restart_agent', agent: 0, remark: null });
    expect(early.effects[0]).toMatchObject({
      type: 'integrate',
      items: [],
      onto: null,
      tests: null,
    });
    expect(early.names()).toEqual(['preparing', 'preparing']);
    early.mergeAll().succeed(0).mergeAll().succeed(1).mergeAll();
    expect(early.state?.integration?.merged).toEqual([0, 1]);
  });
});

describe('the budget', () => {
  test('reviews by a model with a price count; when it is spent none is asked for', () => {
    const reviewed = { review: { model: 'm' }, maxIterations: 5 };
    const judged = { type: 'attempt_inspected', agent: 0, inspection: changed } as const;
    const drive = new Drive().start([task('T1')], { ...reviewed, budgetUsd: 1 });
    drive.prepared(0).response(0).exit(0).send(judged);
    expect(drive.effects).toMatchObject([{ type: 'review_agent' }]);
    const usage = { promptTokens: 9, completionTokens: 3, cost: 0.6, knownCost: 0.6 };
    const review = { criteria: [], remarks: '', model: 'm', problem: null };
    drive.send({ type: 'agent_reviewed', agent: 0, review, usage });
    expect(moneyOf(drive.state as RunState).spent).toBeCloseTo(1.1);
    expect(drive.state?.warnings.at(-1)).toContain('The budget of $1.00 is spent');
    expect(summarise(drive.state as RunState)).toMatchObject({ review_cost_usd: 0.6 });
    const spent = new Drive().start([task('T1')], { ...reviewed, budgetUsd: 0.5 });
    spent.prepared(0).response(0).exit(0).send(judged);
    expect(spent.state?.agents[0]?.state).toMatchObject({ outcome: { reason: 'budget' } });
    expect(spent.effects).not.toContainEqual(expect.objectContaining({ type: 'review_agent' }));
  });

  const tasks = ['T1', 'T2', 'T3', 'T4'].map((id) => task(id));

  test('warned at 80 %; when it is spent no message is sent anywhere, and work is kept', () => {
    // Each response costs 0.5.
    const drive = new Drive().start(tasks, { budgetUsd: 1.25, maxAgents: 3, maxIterations: 9 });
    drive.prepared(0).prepared(1).prepared(2).response(0);
    expect(drive.state?.warnings).toEqual([]);
    drive.response(1);
    expect(drive.state?.warnings).toEqual(['80 % of the budget of $1.25 is spent.']);
    drive.response(2);
    expect(drive.state?.warnings.at(-1)).toContain('The budget of $1.25 is spent');
    // One that was to send again is ended, one that would begin anew is not begun.
    drive.send({ type: 'turn_started', agent: 0 });
    expect(drive.effects).toEqual([{ type: 'signal_agent', agent: 0, signal: 'SIGKILL' }]);
    drive.exit(1).send({
      type: 'attempt_inspected',
      agent: 1,
      inspection: { ...changed, diff: { files: [] } },
    });
    expect(drive.state?.agents[1]?.state).toMatchObject({
      name: 'committing',
      outcome: { reason: 'budget' },
    });
    expect(drive.state?.agents[3]?.state).toMatchObject({ reason: 'not_started' });
    // What is done is done.
    drive.exit(2).send({ type: 'attempt_inspected', agent: 2, inspection: changed });
    expect(drive.state?.agents[2]?.state).toMatchObject({ outcome: { state: 'succeeded' } });
  });

  test('an unknown price is said to be unknown, and the known part counts', () => {
    const drive = new Drive().start(tasks, { budgetUsd: 10 }).prepared(0).response(0);
    drive.send(
      { type: 'turn_started', agent: 0 },
      { type: 'turn_ended', agent: 0, usage: used(5, null) },
    );
    const state = drive.state as RunState;
    expect(moneyOf(state)).toMatchObject({ spent: 0.5, isPartial: true });
    expect(state.warnings.join()).toContain('price of the model is not known');
    expect(summarise(state)).toMatchObject({ cost_usd: null, budget_usd: 10 });
    expect(summarise(state).agents['agent0']?.cost_usd).toBe(null);
  });

  test('the forecast is that of the pace of those that are done', () => {
    const drive = new Drive().start(tasks, { maxAgents: 2 });
    expect(moneyOf(drive.state as RunState).forecast).toBe(null);
    drive.prepared(0).prepared(1).response(0);
    expect(moneyOf(drive.state as RunState)).toMatchObject({ spent: 0.5, forecast: 2 });
    drive.response(1).response(1).response(1);
    expect(moneyOf(drive.state as RunState)).toMatchObject({ spent: 2, forecast: 4.5 });
    drive
      .exit(0)
      .send(
        { type: 'attempt_inspected', agent: 0, inspection: changed },
        { type: 'agent_committed', agent: 0, work: { commit: 'c'.repeat(40), diff: changed.diff } },
      );
    expect(moneyOf(drive.state as RunState)).toMatchObject({ spent: 2, forecast: 3 });
  });

  test('nor is one sent by going on after a pause', () => {
    const drive = new Drive().start(tasks, { budgetUsd: 0.5, unattended: false, maxAgents: 1 });
    drive.prepared(0).send({ type: 'pause', paused: true }).response(0).exit(0);
    drive.send(
      { type: 'set_budget', usd: 9 },
      {
        type: 'attempt_inspected',
        agent: 0,
        inspection: { ...changed, diff: { files: [] } },
      },
      { type: 'set_budget', usd: 0.5 },
    );
    expect(drive.names()[0]).toBe('waiting');
    drive.send({ type: 'pause', paused: false });
    expect(drive.state?.agents[0]?.state).toMatchObject({ outcome: { reason: 'budget' } });
  });

  test('a person can raise it while the run goes', () => {
    const drive = new Drive().start(tasks, { budgetUsd: 0.5, unattended: false }).prepared(0);
    drive.response(0).send({ type: 'set_budget', usd: 5 });
    drive.send({ type: 'turn_started', agent: 0 });
    expect(drive.effects.map((effect) => effect.type)).toEqual(['look_at_agent']);
  });
});

describe('a conflict between agents at work', () => {
  test('is one for both sides, until a look at either of them says otherwise', () => {
    const drive = new Drive()
      .start([task('T1'), task('T2')])
      .prepared(0)
      .prepared(1);
    const look = (agent: number, other: number | null): MessageBody => ({
      type: 'agent_touched',
      agent,
      files: [],
      dangers: [],
      conflicts: other === null ? [] : [{ agent: other, files: ['x'] }],
    });
    const seen = () => drive.state?.agents.map((agent) => agent.conflicts);
    drive.send(look(0, 1));
    expect(seen()).toEqual([[{ agent: 1, files: ['x'] }], [{ agent: 0, files: ['x'] }]]);
    drive.send(look(1, null));
    expect(seen()).toEqual([[], []]);
  });

  test('what would run code ends an agent at once, but not a person at the keyboard', () => {
    const danger: MessageBody = {
      type: 'agent_touched',
      agent: 0,
      files: [],
      dangers: [{ path: '.env', why: 'runs_code', undone: true }],
      conflicts: [],
    };
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .send(danger);
    expect(drive.effects).toEqual([{ type: 'signal_agent', agent: 0, signal: 'SIGKILL' }]);
    drive.send(
      { type: 'attempt_exited', agent: 0, exit: { ...clean, code: null, signal: 'SIGKILL' } },
      { type: 'attempt_inspected', agent: 0, inspection: changed },
    );
    expect(drive.state?.agents[0]?.state).toMatchObject({
      outcome: { reason: 'dangerous_change', detail: '.env: would run code on the next start' },
    });
    const mine = new Drive().start([task('T1')], { unattended: false });
    mine.send({ type: 'take_over', agent: 0 }).prepared(0).send(danger);
    expect(mine.names()).toEqual(['running']);
  });
});

describe('failures that no retry cures', () => {
  const refused: AttemptExit = { ...clean, symptoms: ['auth'] };
  const fail = (drive: Drive, agent: number) => {
    drive.prepared(agent);
    drive.send({ type: 'turn_started', agent });
    drive.exit(agent, refused);
    drive.send(
      { type: 'attempt_inspected', agent, inspection: { ...changed, diff: { files: [] } } },
      { type: 'agent_committed', agent, work: { commit: null, diff: { files: [] } } },
    );
  };
  const tasks = ['T1', 'T2', 'T3', 'T4', 'T5'].map((id) => task(id));

  test('three alike end a run without a screen: the rest is not burnt', () => {
    const drive = new Drive().start(tasks, { maxAgents: 1 });
    for (const agent of [0, 1, 2]) fail(drive, agent);
    const state = drive.state as RunState;
    expect(state.phase).toBe('finished');
    expect(state.agents.slice(3).map((agent) => agent.state)).toMatchObject([
      { name: 'failed', reason: 'not_started' },
      { name: 'failed', reason: 'not_started' },
    ]);
    expect(state.warnings.join()).toContain('Check the API key');
    expect(exitCode(state)).toBe(1);
  });

  test('with a person there the run is paused, and goes on with all of them when it is mended', () => {
    const drive = new Drive().start(tasks, { maxAgents: 1, unattended: false });
    for (const agent of [0, 1, 2]) fail(drive, agent);
    expect(drive.state).toMatchObject({
      paused: true,
      circuitBreaker: { reason: 'auth' },
      phase: 'running',
    });
    expect(drive.names()).toEqual(['failed', 'failed', 'failed', 'queued', 'queued']);
    drive.send({ type: 'pause', paused: false });
    expect(drive.state).toMatchObject({ paused: false, circuitBreaker: null });
    expect(drive.names()).toEqual(['preparing', 'queued', 'queued', 'queued', 'queued']);
  });

  test('a success among the first ones, or another cause, is no such sign', () => {
    const drive = new Drive().start(tasks, { maxAgents: 1 });
    fail(drive, 0);
    fail(drive, 1);
    drive.send({ type: 'agent_not_prepared', agent: 2, reason: 'worktree_failed', detail: '' });
    fail(drive, 3);
    expect(drive.state?.circuitBreaker).toBe(null);
  });
});

describe('any order of messages', () => {
  const agents = [0, 1, 2];
  /** An agent does its work and succeeds, if nothing keeps it from that. */
  const success = (agent: number): MessageBody[] => [
    { type: 'base_tested', testRun: green },
    { type: 'agent_prepared', agent, checkout },
    { type: 'attempt_started', agent, pid: 1 },
    { type: 'turn_started', agent },
    { type: 'turn_ended', agent, usage: used(3, 0.3) },
    { type: 'attempt_exited', agent, exit: clean },
    { type: 'attempt_inspected', agent, inspection: changed },
    { type: 'agent_tested', agent, testRun: green },
    { type: 'agent_committed', agent, work: { commit: 'c'.repeat(40), diff: changed.diff } },
    { type: 'integrated', step: step(agent) },
  ];
  /** A run from its first agent to its landing. */
  const whole: MessageBody[] = [
    ...agents.flatMap(success),
    {
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    },
  ];
  const body: fc.Arbitrary<MessageBody> = fc.oneof(
    fc.record({
      type: fc.constant('agent_prepared' as const),
      agent: fc.constantFrom(...agents),
      checkout: fc.constant(checkout),
    }),
    fc.record({
      type: fc.constant('attempt_started' as const),
      agent: fc.constantFrom(...agents),
      pid: fc.constant(1),
    }),
    fc.record({ type: fc.constant('turn_started' as const), agent: fc.constantFrom(...agents) }),
    fc.record({
      type: fc.constant('turn_ended' as const),
      agent: fc.constantFrom(...agents),
      usage: fc.constantFrom(null, used(3, null)),
    }),
    fc.record({
      type: fc.constant('turn_failed' as const),
      agent: fc.constantFrom(...agents),
      cause: fc.constant(null),
    }),
    fc.record({
      type: fc.constant('agent_edited' as const),
      agent: fc.constantFrom(...agents),
      files: fc.constant(['T1.ts']),
    }),
    fc.record({
      type: fc.constant('attempt_exited' as const),
      agent: fc.constantFrom(...agents),
      exit: fc.constantFrom(clean, { ...clean, code: 1 }),
    }),
    fc.record({
      type: fc.constant('attempt_inspected' as const),
      agent: fc.constantFrom(...agents),
      inspection: fc.constantFrom(changed, { ...changed, diff: { files: [] } }),
    }),
    fc.record({
      type: fc.constant('agent_committed' as const),
      agent: fc.constantFrom(...agents),
      work: fc.constant({ commit: 'c'.repeat(40), diff: changed.diff }),
    }),
    fc.record({ type: fc.constant('kill_agent' as const), agent: fc.constantFrom(...agents) }),
    fc.record({ type: fc.constant('interrupt' as const), signal: fc.constant('SIGINT') }),
    fc.record({
      type: fc.constant('restart_agent' as const),
      agent: fc.constantFrom(...agents),
      remark: fc.constantFrom(null, 'more'),
    }),
    fc.record({
      type: fc.constantFrom('take_over' as const, 'leave_out' as const),
      agent: fc.constantFrom(...agents),
    }),
    fc.record({ type: fc.constant('pause' as const), paused: fc.boolean() }),
    fc.record({ type: fc.constantFrom('kill_all', 'restart_failed', 'land_now') }),
    fc.record({
      type: fc.constant('remark' as const),
      agent: fc.constantFrom(...agents),
      text: fc.constant('hm'),
    }),
    fc.record({
      type: fc.constant('integrated' as const),
      step: fc.constantFrom(
        step(0),
        step(1, 2),
        { ...step(), conflicts: [{ agent: 0, files: ['T1.ts'] }] },
        { ...step(0), broken: [{ agent: 2, words: 'exit code 1', output: 'no' }] },
      ),
    }),
    fc.record({
      type: fc.constant('agent_tested' as const),
      agent: fc.constantFrom(...agents),
      testRun: fc.constantFrom(green, red),
    }),
    fc.record({
      type: fc.constant('base_tested' as const),
      testRun: fc.constantFrom(green, red),
    }),
    fc.record({
      type: fc.constant('landing_done' as const),
      landing: fc.constantFrom(
        { state: 'landed' as const, commit: 'd'.repeat(40), branch: 'main' },
        { state: 'refused' as const, reason: 'moved', how: '', tip: 'e'.repeat(40) },
      ),
    }),
    fc.record({
      type: fc.constant('tip_merged' as const),
      merged: fc.constantFrom(
        { state: 'merged' as const, commit: 'f'.repeat(40) },
        { state: 'refused' as const, reason: 'conflicts' },
      ),
    }),
    fc.record({ type: fc.constant('tip_tested' as const), testRun: fc.constantFrom(green, red) }),
    fc.record({
      type: fc.constant('landing_undone' as const),
      undone: fc.constantFrom(
        { state: 'undone' as const },
        { state: 'refused' as const, reason: 'no', how: '' },
      ),
    }),
  );

  test('never more agents than slots; no success without evidence; the journal rebuilds the state', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 80 }), (bodies) => {
        const drive = new Drive().start([task('T1'), task('T2'), task('T3', ['T1'])]);
        for (const one of bodies) {
          drive.send(one);
          const state = drive.state as RunState;
          expect(state.agents.filter(isActive).length).toBeLessThanOrEqual(2);
          for (const agent of state.agents) {
            if (agent.state.name === 'succeeded') {
              expect(agent.attempts.at(-1)?.verdict).toBe('ok');
              expect(agent.attempts.some((attempt) => attempt.responses > 0)).toBe(true);
            }
            if (isDone(agent)) expect(agent.endedAt).not.toBe(null);
          }
        }
        const again = drive.messages.reduce<RunState | null>(
          (state, message) => update(state, JSON.parse(JSON.stringify(message)))[0],
          null,
        );
        expect(again).toEqual(drive.state);
        expect(summarySchema.safeParse(summarise(drive.state as RunState)).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  /** All that a person may ask of a run with three agents. */
  const wishesIn = (state: RunState): Request[] => [
    ...agents.flatMap((agent): Request[] => [
      { type: 'kill_agent', agent },
      { type: 'restart_agent', agent, remark: null },
      { type: 'restart_agent', agent, remark: 'more' },
      { type: 'take_over', agent },
      { type: 'remark', agent, text: 'hm' },
      { type: 'leave_out', agent },
    ]),
    { type: 'kill_all' },
    { type: 'restart_failed' },
    { type: 'pause', paused: true },
    { type: 'pause', paused: false },
    { type: 'set_slots', slots: state.slots + 1 },
    { type: 'set_slots', slots: state.slots - 1 },
    { type: 'land_now' },
    { type: 'undo_landing' },
    { type: 'model_named', model: 'gpt-4o' },
    { type: 'model_named', model: 'other' },
    { type: 'setup_named', command: null },
    { type: 'setup_named', command: 'npm ci' },
    { type: 'red_base_decided', how: 'report' },
    { type: 'tests_named', command: 'other' },
  ];
  const story = fc
    .array(
      fc.oneof(
        body.map((one) => [one]),
        fc.constantFrom(...agents).map(success),
        fc.constant(whole),
      ),
      {
        maxLength: 60,
      },
    )
    .map((bodies) => bodies.flat());
  const base = fc
    .constantFrom(green, red)
    .map((check): MessageBody => ({ type: 'base_tested', testRun: check }));

  test('a request that is not refused does something, and one that is refused does nothing', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(
        fc.tuple(base, story).map(([first, rest]) => [first, ...rest]),
        fc.constantFrom(null, 0.4, 5),
        fc.constantFrom('ask' as const, 'fix' as const),
        (bodies, budgetUsd, redBase) => {
          const drive = new Drive().start([task('T1'), task('T2'), task('T3', ['T1'])], {
            ...tested,
            budgetUsd,
            redBase,
          });
          for (const one of bodies) {
            drive.send(one);
            const state = drive.state as RunState;
            for (const request of wishesIn(state)) {
              const [next, effects] = update(state, { ...request, at: 1_000_000 });
              const refusal = refusalOf(state, request);
              met.add(`${request.type} ${refusal === null}`);
              const changes = effects.length > 0 || JSON.stringify(next) !== JSON.stringify(state);
              expect({ request, refusal, changes }).toEqual({
                request,
                refusal,
                changes: refusal === null,
              });
            }
          }
        },
      ),
      {
        numRuns: 80,
        // What chance may leave out: a run that lands; an agent that was killed while the run goes on; choices said twice.
        examples: [
          [[{ type: 'base_tested', testRun: green }, ...whole], null, 'ask'],
          [
            [
              { type: 'base_tested', testRun: green },
              { type: 'pause', paused: true },
              { type: 'agent_prepared', agent: 1, checkout },
              { type: 'restart_agent', agent: 1, remark: null },
            ],
            null,
            'ask',
          ],
          [
            [
              { type: 'base_tested', testRun: green },
              { type: 'agent_prepared', agent: 0, checkout },
              { type: 'attempt_started', agent: 0, pid: 1 },
              { type: 'attempt_exited', agent: 0, exit: clean },
              { type: 'kill_agent', agent: 0 },
            ],
            null,
            'ask',
          ],
          [
            [
              { type: 'base_tested', testRun: green },
              { type: 'kill_agent', agent: 2 },
            ],
            null,
            'fix',
          ],
        ],
      },
    );
    // Each of them was refused and was not.
    const types = new Set(wishesIn({ slots: 1 } as RunState).map(({ type }) => type));
    expect([...types].filter((type) => !met.has(`${type} true`))).toEqual([]);
    expect([...types].filter((type) => !met.has(`${type} false`))).toEqual([]);
  });
});
