import { describe, expect, test } from 'vitest';
import { moneyOf } from '../../../source/core/policy/budget.js';
import type { RunState } from '../../../source/core/run/run.js';
import { summarise } from '../../../source/core/run/summary.js';
import { changed, Drive, task, used } from '../../hand-driven.js';

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
