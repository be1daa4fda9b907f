import { describe, expect, test } from 'vitest';
import { iterationsUsed, timeSpent } from '../../../source/core/agent/agent.js';
import { type TestRun, testRunWords } from '../../../source/core/policy/test-run.js';
import type { MessageBody } from '../../../source/core/run/message.js';
import type { Inspection, RunState } from '../../../source/core/run/run.js';
import { runTime } from '../../../source/core/run/run.js';
import { summarise } from '../../../source/core/run/summary.js';
import { cleanExit as clean } from '../../attempt-facts.js';
import { changed, checkout, Drive, task } from '../../hand-driven.js';
import { testConfig as config } from '../../test-config.js';

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
    drive.mergeAll({ commit: 'e'.repeat(40) });
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
    drive.mergeAll({ commit: 'e'.repeat(40) });
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
