import { expect, test } from 'vitest';
import type { RunState } from '../../../source/core/run/run.js';
import {
  applyPatch,
  isEmptyPatch,
  patchOf,
  type StatePatch,
} from '../../../source/core/run/state-patch.js';
import { Drive, task } from '../../hand-driven.js';

const sent = (patch: StatePatch) => JSON.parse(JSON.stringify(patch)) as StatePatch;

test('whatever states are left out, a patch leads from one to the other', () => {
  const states: RunState[] = [];
  const drive = new Drive();
  const keep = () => void states.push(drive.state as RunState);
  drive.start([task('T1'), task('T2', ['T1'])]);
  keep();
  drive.prepared(0);
  keep();
  drive.response(0).exit(0);
  keep();
  drive.inspected(0).committed(0, 'c'.repeat(40));
  keep();
  drive.mergeAll();
  keep();
  for (const [at, before] of [null, ...states].entries()) {
    for (const after of states.slice(Math.max(0, at - 1))) {
      expect(applyPatch(before, sent(patchOf(before, after)))).toEqual(after);
    }
  }
  const last = states.at(-1) as RunState;
  expect(isEmptyPatch(patchOf(last, last), last)).toBe(true);
  expect(isEmptyPatch(patchOf(states[0] as RunState, last), states[0] as RunState)).toBe(false);
});

test('only the agents that changed are in it', () => {
  const drive = new Drive();
  drive.start([task('T1'), task('T2'), task('T3')]);
  const before = drive.state as RunState;
  drive.send({ type: 'remark', agent: 1, text: 'mind' });
  const patch = patchOf(before, drive.state as RunState);
  expect(patch.agents.map(([index]) => index)).toEqual([1]);
  expect(patch.count).toBe(3);
});
