import { describe, type Failure } from '../../core/policy/failure.js';
import { isAccepted, withoutNames } from '../../core/policy/test-report.js';
import type { Merged } from '../../core/ports.js';
import type { Result } from '../../core/result.js';
import type { Landing, TipMerge } from '../../core/run/run.js';
import { integrateBatch, testTwice } from '../integrate.js';
import type { Handlers, Ports, Stops } from './handlers.js';

type Merging =
  | 'test_base'
  | 'stop_tests'
  | 'integrate'
  | 'land'
  | 'merge_onto_tip'
  | 'test_tip'
  | 'undo_landing';

/** The base, the merged work and the branch that it lands on. */
export function mergingHandlers({ workspace }: Ports, stops: Stops): Handlers<Merging> {
  return {
    test_base: async ({ commit, tests }, dispatch) => {
      const signal = stops.begin(null);
      const once = (one: string) => workspace.testCommit(one, tests, signal);
      dispatch({ type: 'base_tested', testRun: await testTwice(once, commit) });
    },
    stop_tests: ({ agent }) => stops.end(agent),
    integrate: async ({ items, base, onto, tests }, dispatch) => {
      const signal = stops.begin(null);
      const done = await integrateBatch(
        {
          merge: (tip, item) => workspace.merge(tip, item),
          advance: (commit) => workspace.advance(commit),
          tests: tests && {
            mode: tests.mode,
            run: async (commit) =>
              withoutNames(await workspace.testCommit(commit, tests, signal), tests.named),
            accepts: (result) => isAccepted(tests.measure, result),
          },
        },
        base,
        onto,
        items,
      );
      dispatch(
        done.ok
          ? { type: 'integrated', step: done.value }
          : { type: 'integration_failed', failure: done.failure },
      );
    },
    land: async ({ commit, from, advance }, dispatch) => {
      const set = advance ? await workspace.advance(commit) : null;
      const landing: Landing =
        set && !set.ok
          ? { state: 'refused', reason: describe(set.failure).message, how: '' }
          : await workspace.land(commit, from);
      dispatch({ type: 'landing_done', landing });
    },
    merge_onto_tip: async ({ tip, commit }, dispatch) => {
      const merged = await workspace.mergeOntoTip(tip, commit);
      dispatch({ type: 'tip_merged', merged: tipMerge(merged) });
    },
    test_tip: async ({ commit, tests, named }, dispatch) => {
      const result = await workspace.testCommit(commit, tests, stops.begin(null));
      dispatch({ type: 'tip_tested', testRun: withoutNames(result, named) });
    },
    undo_landing: async ({ commit, from }, dispatch) => {
      dispatch({ type: 'landing_undone', undone: await workspace.undoLanding(commit, from) });
    },
  };
}

/** Whether the merged work goes onto the tip of its branch. */
function tipMerge(merged: Result<Merged, Failure>): TipMerge {
  if (!merged.ok) return { state: 'refused', reason: describe(merged.failure).message };
  return merged.value.clean
    ? { state: 'merged', commit: merged.value.commit }
    : { state: 'refused', reason: `conflicts in ${merged.value.files.join(', ')}` };
}
