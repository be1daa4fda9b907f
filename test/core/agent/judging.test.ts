import { describe, expect, test } from 'vitest';
import type { TestRun } from '../../../source/core/policy/test-run.js';
import type { RunConfig } from '../../../source/core/run/config.js';
import type { Effect } from '../../../source/core/run/effect.js';
import type { MessageBody } from '../../../source/core/run/message.js';
import type { RunState } from '../../../source/core/run/run.js';
import { exitCode, landingWords } from '../../../source/core/run/summary.js';
import { aiderStyle } from '../../../source/services/agents/aider/prompt-style.js';
import { promptOf } from '../../../source/services/agents/prompt.js';
import { changed, checkout, Drive, green, red, task, tested } from '../../hand-driven.js';
import { testConfig as config } from '../../test-config.js';

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
