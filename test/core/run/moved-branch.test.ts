import { describe, expect, test } from 'vitest';
import { Drive, green, task, tested } from '../../hand-driven.js';

const tip = 'e'.repeat(40);
const merged = 'f'.repeat(40);
const moved = { state: 'refused', reason: 'the branch main has moved', how: '', tip } as const;

/** A run whose work is about to land. */
function landing(): Drive {
  const run = new Drive().start([task('T1')], { ...tested, land: 'all', branch: 'main' });
  run.send({ type: 'base_tested', testRun: green });
  run.prepared(0).response(0).exit(0).inspected(0);
  run.send({ type: 'agent_tested', agent: 0, testRun: green }).committed(0, 'c'.repeat(40));
  run.mergeAll({ testRun: green });
  expect(run.effects.map(({ type }) => type)).toContain('land');
  return run;
}

describe('the branch has moved since the run began', () => {
  test('by other runs alone: the work is merged onto it, tested, and lands', () => {
    const run = landing().send({
      type: 'landing_done',
      landing: { ...moved, by: ['20260101_000001'] },
    });
    expect(run.effects).toMatchObject([{ type: 'merge_onto_tip', tip }]);
    expect(run.state?.warnings.join()).toContain('Run 20260101_000001 landed on main meanwhile');
    run.send({ type: 'tip_merged', merged: { state: 'merged', commit: merged } });
    expect(run.effects).toMatchObject([{ type: 'test_tip', commit: merged }]);
    run.send({ type: 'tip_tested', testRun: green });
    expect(run.effects).toMatchObject([{ type: 'land', commit: merged, from: tip }]);
    run.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: merged, branch: 'main' },
    });
    expect(run.state).toMatchObject({ phase: 'finished', landed: merged, landedFrom: tip });
  });

  test('once more while it was tested: it goes on from there', () => {
    const run = landing().send(
      { type: 'landing_done', landing: { ...moved, by: ['20260101_000001'] } },
      { type: 'tip_merged', merged: { state: 'merged', commit: merged } },
      { type: 'tip_tested', testRun: green },
      {
        type: 'landing_done',
        landing: { ...moved, tip: 'a'.repeat(40), by: ['20260101_000002'] },
      },
    );
    expect(run.effects).toMatchObject([{ type: 'merge_onto_tip', tip: 'a'.repeat(40) }]);
  });

  test('by somebody else: it waits for a person', () => {
    const run = landing().send({ type: 'landing_done', landing: moved });
    expect(run.state).toMatchObject({ phase: 'finished', landed: null });
  });
});

test('files that another run changes too are said once', () => {
  const run = new Drive().start([task('T1')]);
  const shared = { type: 'files_shared', run: '20260101_000001', files: ['a.ts'] } as const;
  run.send(shared, shared);
  expect(run.state?.warnings).toEqual([
    'Run 20260101_000001 changes a.ts, too: the one that lands later is merged onto the other, and tested, first.',
  ]);
});
