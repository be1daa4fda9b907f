import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ancestors,
  checkPlan,
  chunkFiles,
  findCycle,
  findOverlaps,
  isManifest,
  mergeAll,
  repairTasks,
  topological,
} from '../../../source/core/plan/groups.js';
import type { Task } from '../../../source/core/plan/plan.js';

function task(id: string, files: string[], depends_on: string[] = []): Task {
  return { id, title: `Do ${id}`, description: '', files, read: [], depends_on };
}

const files = ['a.ts', 'b.ts', 'c.ts', 'd.ts', 'package.json', 'package-lock.json'];

/** Any tasks a model may come up with: shared files, unknown and own ids, cycles, repeated ids. */
const anyTasks = fc
  .array(
    fc.record({
      id: fc.constantFrom('T1', 'T2', 'T3', 'T4', 'T5', 'T6'),
      files: fc.subarray(files),
      depends_on: fc.subarray(['T1', 'T2', 'T3', 'T4', 'T5', 'T9']),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) => list.map(({ id, files, depends_on }) => task(id, [...files], [...depends_on])));

describe('tasks become file groups', () => {
  test('after the repair no file is in two groups that may run at once', () => {
    fc.assert(
      fc.property(anyTasks, (given) => {
        const { tasks } = repairTasks(given);
        if (findCycle(tasks)) return;
        expect(findOverlaps(tasks)).toEqual([]);
        expect(checkPlan(tasks)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('the repair loses no file, adds none, and changes nothing when all is well', () => {
    fc.assert(
      fc.property(anyTasks, (given) => {
        const { tasks } = repairTasks(given);
        const all = (list: readonly Task[]) =>
          [...new Set(list.flatMap((one) => one.files))].sort();
        if (given.every((one) => one.files.length > 0) || given.length === 1)
          expect(all(tasks)).toEqual(all(given));
        if (checkPlan(given).length === 0)
          expect(tasks.map((one) => one.id).sort()).toEqual(given.map((one) => one.id).sort());
      }),
    );
  });

  test('a manifest has one owner, and the other task waits for it', () => {
    const { tasks, notes } = repairTasks([
      task('T1', ['a.ts', 'package.json']),
      task('T2', ['b.ts', 'package.json']),
    ]);
    expect(tasks.map((one) => one.files)).toEqual([['a.ts', 'package.json'], ['b.ts']]);
    expect(tasks[1]).toMatchObject({ depends_on: ['T1'], read: ['package.json'] });
    expect(notes[0]).toContain('stays with T1');
    expect(isManifest('packages/x/Cargo.toml')).toBe(true);
  });

  test('an overlap becomes a dependency, the same files a merge', () => {
    expect(
      repairTasks([task('T1', ['a.ts', 'b.ts']), task('T2', ['b.ts', 'c.ts'])]).tasks[1]
        ?.depends_on,
    ).toEqual(['T1']);
    const merged = repairTasks([
      task('T1', ['a.ts', 'b.ts']),
      task('T2', ['b.ts']),
      task('T3', ['c.ts'], ['T2']),
    ]).tasks;
    expect(merged.map((one) => one.id)).toEqual(['T1', 'T3']);
    expect(merged[1]?.depends_on).toEqual(['T1']);
  });

  test('a cycle and unknown ids are named', () => {
    expect(checkPlan([task('T1', ['a.ts'], ['T2']), task('T2', ['b.ts'], ['T1'])])[0]).toContain(
      'T1 → T2 → T1',
    );
    expect(checkPlan([task('T1', ['a.ts'], ['T7'])])[0]).toContain('T7, which is no task');
    expect(checkPlan([task('T1', ['a.ts']), task('T1', ['b.ts'])])[0]).toContain(
      'two tasks have the id T1',
    );
  });

  test('a plan with an overlap is refused, by name', () => {
    expect(checkPlan([task('T1', ['a.ts']), task('T2', ['a.ts'])])[0]).toContain(
      'T1 and T2 may run at once and both change a.ts',
    );
    expect(checkPlan([task('T1', ['a.ts']), task('T2', ['a.ts'], ['T1'])])).toEqual([]);
    expect(checkPlan([task('T1', []), task('T2', ['a.ts'])])[0]).toContain('T1 names no files');
  });

  test('the order respects every dependency', () => {
    fc.assert(
      fc.property(anyTasks, (given) => {
        const { tasks } = repairTasks(given);
        if (findCycle(tasks)) return;
        const order = topological(tasks).map((one) => one.id);
        for (const one of tasks) {
          for (const id of ancestors(tasks, one.id))
            expect(order.indexOf(id)).toBeLessThan(order.indexOf(one.id));
        }
      }),
    );
  });

  test('all tasks as one keep all files', () => {
    const one = mergeAll([
      task('T1', ['a.ts']),
      task('T2', ['b.ts'], ['T1']),
      task('T3', ['c.ts'], ['T2']),
    ]);
    expect(one).toMatchObject({ id: 'T1', files: ['a.ts', 'b.ts', 'c.ts'], depends_on: [] });
  });
});

describe('files without a plan', () => {
  test('even, consecutive chunks of all files, never more than agents or files', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (names, most) => {
          const chunks = chunkFiles(names, most, 'Do it').map((one) => one.files);
          expect(chunks.flat()).toEqual(names);
          expect(chunks.length).toBe(Math.min(most, names.length));
          const sizes = chunks.map((chunk) => chunk.length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test('no files: one agent with the whole repository', () => {
    expect(chunkFiles([], 4, 'Do it\nall')).toMatchObject([
      { id: 'T1', title: 'Do it', files: [], description: 'Do it\nall' },
    ]);
  });
});
