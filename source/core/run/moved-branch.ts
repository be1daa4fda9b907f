import { type TestRun, testRunWords } from '../policy/test-run.js';
import { integrationBranch } from './branches.js';
import type { Next } from './effect.js';
import { end } from './integration.js';
import { checkMode, land, testTip } from './make-effect.js';
import type { Landing, RunState, TipMerge } from './run.js';

/** A person lands what is merged; onto a branch that has moved it is merged and tested first. */
export function onLandNow(state: RunState): Next {
  const commit = state.integration?.commit;
  if (state.phase !== 'finished' || !commit || state.landed === commit) return [state, []];
  const tip = state.landing?.state === 'refused' ? state.landing.tip : undefined;
  if (tip !== undefined) {
    const onto = { tip, step: 'merging' as const, commit: null };
    return [
      { ...state, phase: 'landing', landing: null, onto },
      [{ type: 'merge_onto_tip', commit, tip }],
    ];
  }
  return [{ ...state, phase: 'landing', landing: null }, [land(state, commit)]];
}

type Moved = Landing & { readonly state: 'refused'; readonly tip: string };

/**
 * Whether the work of a run goes on to where its branch is now by itself: where other runs of the same person alone
 * have moved it, so that runs land one after the other; and once in one that was resumed, as its branch had all the
 * time in between to move.
 */
export function mayMoveOn(state: RunState, landing: Landing): landing is Moved {
  if (landing.state !== 'refused' || landing.tip === undefined) return false;
  return landing.by !== undefined || (state.resumed > 0 && state.onto === null);
}

/** Merges the work onto where its branch is now, and says so. */
export function onMoved(state: RunState, { tip, by }: Moved): Next {
  const { config, integration } = state;
  const commit = integration?.commit;
  if (!commit) return [state, []];
  const branch = config.branch ?? 'The branch';
  const how =
    by === undefined
      ? `${branch} has moved since the run began`
      : `${by.length === 1 ? 'Run' : 'The runs'} ${by.join(', ')} landed on ${branch} meanwhile`;
  const said = `${how}: the work is merged onto where it is now.`;
  const onto = { tip, step: 'merging' as const, commit: null };
  return [
    { ...state, landing: null, onto, warnings: [...new Set([...state.warnings, said])] },
    [{ type: 'merge_onto_tip', commit, tip }],
  ];
}

/** Ends a landing onto a moved branch without it. */
function notOnto(state: RunState, reason: string, at: number): Next {
  const how = `git merge ${integrationBranch(state.config.stamp)}`;
  const tip = state.onto === null ? {} : { tip: state.onto.tip };
  const landing: Landing = { state: 'refused', reason, how, ...tip };
  return end({ ...state, onto: null, landing }, at);
}

/** What is on the branch now, in words. */
function branchNow({ config }: RunState): string {
  return `${config.branch ?? 'the branch'} as it is now`;
}

export function onTipMerged(state: RunState, merged: TipMerge, at: number): Next {
  const { onto, config } = state;
  if (onto?.step !== 'merging') return [state, []];
  if (merged.state === 'refused') {
    return notOnto(
      state,
      `the work cannot be merged onto ${branchNow(state)}: ${merged.reason}`,
      at,
    );
  }
  const { commit } = merged;
  if (config.testCommand === null) return landOnto(state, commit, null);
  return [
    { ...state, onto: { ...onto, step: 'testing', commit } },
    [testTip(state, commit, config.testCommand)],
  ];
}

export function onTipTested(state: RunState, testRun: TestRun, at: number): Next {
  const { onto } = state;
  if (onto?.step !== 'testing' || onto.commit === null) return [state, []];
  const decides = checkMode(state) === 'decides' || state.config.redBase === 'fix';
  if (
    testRun.state === 'faulted' ||
    testRun.state === 'stopped' ||
    (decides && testRun.state !== 'passed')
  ) {
    return notOnto(state, `on top of ${branchNow(state)} the ${testRunWords(testRun)}`, at);
  }
  return landOnto(state, onto.commit, testRun);
}

function landOnto(state: RunState, commit: string, testRun: TestRun | null): Next {
  const { onto, integration } = state;
  if (onto === null || integration === null) return [state, []];
  const next: RunState = {
    ...state,
    integration: { ...integration, commit, testRun: testRun },
    onto: { ...onto, step: 'landing', commit },
  };
  return [next, [land(next, commit)]];
}
