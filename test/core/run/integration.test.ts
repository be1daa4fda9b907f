import { describe, expect, test } from 'vitest';
import type { RunConfig } from '../../../source/core/run/config.js';
import type { RunState } from '../../../source/core/run/run.js';
import { summarise } from '../../../source/core/run/summary.js';
import { changed, checkout, Drive, step, task } from '../../hand-driven.js';

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
