import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TestRun } from '../../source/core/policy/test-run.js';
import { ok } from '../../source/core/result.js';
import type { MergeItem } from '../../source/core/run/effect.js';
import { type IntegratePorts, integrateBatch } from '../../source/store/integrate.js';

const green: TestRun = { state: 'passed', words: '', output: '', ms: 1, flaky: false };
const red: TestRun = { ...green, state: 'failed', words: 'exit code 1' };

/** A commit is the list of what is in it: `base+0+3`. */
const parts = (commit: string) => commit.split('+').slice(1).map(Number);

interface World {
  /** Pairs that cannot be merged. */
  readonly clash?: readonly (readonly [number, number])[];
  /** Sets that are red when all of them are in; the smallest make the world. */
  readonly red?: readonly (readonly number[])[];
  /** Tests that fail the first time, by their count. */
  readonly flaky?: ReadonlySet<number>;
}

type Mode = 'decides' | 'reported' | null;

function ports({ clash = [], red: reds = [], flaky = new Set() }: World, mode: Mode) {
  const seen = { tested: [] as string[], advanced: [] as string[] };
  const own: IntegratePorts = {
    merge: async (onto, { agent }) => {
      const bad = parts(onto).some((other) =>
        clash.some(([a, b]) => (a === other && b === agent) || (b === other && a === agent)),
      );
      return ok(bad ? { clean: false, files: ['x'] } : { clean: true, commit: `${onto}+${agent}` });
    },
    advance: async (commit) => {
      seen.advanced.push(commit);
      return ok({ files: [] });
    },
    tests: mode && {
      mode,
      accepts: ({ state }) => state === 'passed',
      run: async (commit) => {
        seen.tested.push(commit);
        const all = parts(commit);
        const isRed = reds.some((set) => set.every((one) => all.includes(one)));
        return isRed || flaky.has(seen.tested.length) ? red : green;
      },
    },
  };
  return { own, seen };
}

const item = (agent: number, needs: readonly number[] = []): MergeItem => ({
  agent,
  title: `t${agent}`,
  commit: `c${agent}`,
  needs,
});

async function run(world: World, items: readonly MergeItem[], mode: Mode) {
  const { own, seen } = ports(world, mode);
  const done = await integrateBatch(own, 'base', null, items);
  if (!done.ok) throw new Error('no');
  return { step: done.value, seen };
}

describe('merging and testing a batch', () => {
  test('a green batch is tested once, at its tip', async () => {
    const { step, seen } = await run({}, [item(0), item(1), item(2)], 'decides');
    expect(step).toMatchObject({ commit: 'base+0+1+2', merged: [0, 1, 2], testRun: green });
    expect(seen.tested).toEqual(['base+0+1+2']);
  });

  test('the one that breaks it is found by bisection and left out; so are those that build on it', async () => {
    const items = Array.from({ length: 16 }, (_, index) => item(index, index === 12 ? [5] : []));
    const { step, seen } = await run({ red: [[5]] }, items, 'decides');
    expect(step.broken).toEqual([{ agent: 5, words: 'exit code 1', output: '' }]);
    expect(step.because).toEqual([{ agent: 12, of: 5 }]);
    expect(step.merged).toEqual(
      items.map((one) => one.agent).filter((one) => one !== 5 && one !== 12),
    );
    // The tip and at most log2(16) more, each red twice; then the new tip.
    expect(seen.tested.length).toBeLessThanOrEqual(2 * 5 + 1);
  });

  test('two that are fine alone and red together: the later one is left out', async () => {
    const { step } = await run(
      { red: [[1, 3]] },
      [0, 1, 2, 3, 4].map((one) => item(one)),
      'decides',
    );
    expect(step.broken.map((one) => one.agent)).toEqual([3]);
    expect(step.merged).toEqual([0, 1, 2, 4]);
  });

  test('a red that is green when run again is flaky, and said', async () => {
    const { step } = await run({ flaky: new Set([1]) }, [item(0)], 'decides');
    expect(step).toMatchObject({
      merged: [0],
      broken: [],
      testRun: { state: 'passed', flaky: true },
    });
  });

  test('told to end: what was green stays, nobody is blamed', async () => {
    const { own } = ports({}, null);
    let count = 0;
    const stopping: IntegratePorts = {
      ...own,
      tests: {
        mode: 'decides',
        accepts: ({ state }) => state === 'passed',
        run: async () => {
          count += 1;
          return count > 1 ? { ...green, state: 'stopped' } : red;
        },
      },
    };
    const done = await integrateBatch(stopping, 'base', null, [item(0), item(1)]);
    expect(done).toMatchObject({ ok: true, value: { commit: null, merged: [], broken: [] } });
  });

  test('reported only: nothing is left out', async () => {
    const { step } = await run({ red: [[0]] }, [item(0), item(1)], 'reported');
    expect(step).toMatchObject({ merged: [0, 1], broken: [], testRun: { state: 'failed' } });
  });

  test('whatever conflicts and breaks, the tip is green, and everyone is accounted for', async () => {
    const agent = fc.integer({ min: 0, max: 7 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(agent, agent), { maxLength: 4 }),
        fc.array(fc.uniqueArray(agent, { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
        fc.array(fc.option(fc.nat()), { minLength: 8, maxLength: 8 }),
        async (clash, reds, needs) => {
          const items = needs.map((need, index) =>
            item(index, need === null || index === 0 ? [] : [need % index]),
          );
          const { step, seen } = await run({ clash, red: reds }, items, 'decides');
          const inTip = step.commit === null ? [] : parts(step.commit);
          expect(inTip).toEqual([...step.merged]);
          expect(reds.some((set) => set.every((one) => inTip.includes(one)))).toBe(false);
          if (step.commit !== null) expect(seen.advanced.at(-1)).toBe(step.commit);
          const all = [
            ...step.merged,
            ...[...step.conflicts, ...step.broken, ...step.because].map((one) => one.agent),
          ];
          expect(all.sort((a, b) => a - b)).toEqual(items.map((one) => one.agent));
          for (const one of items) {
            const builds = one.needs.every((need) => step.merged.includes(need));
            if (step.merged.includes(one.agent)) expect(builds).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
