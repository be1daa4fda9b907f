import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editGroups, type GroupEdit, waves } from '../../../source/core/plan/group-edits.js';
import type { Task } from '../../../source/core/plan/plan.js';

function task(id: string, files: string[], depends_on: string[] = []): Task {
  return { id, title: id, description: `do ${id}`, files, read: [], depends_on };
}

const three = [task('T1', ['a', 'b', 'c']), task('T2', ['d'], ['T1']), task('T3', ['e'])];

test('split keeps all files, and who waited for the one waits for both', () => {
  const [first, second, dependent] = editGroups(three, { type: 'split', id: 'T1' }) as Task[];
  expect(first?.files).toEqual(['a', 'b']);
  expect(second).toMatchObject({ id: 'T4', files: ['c'] });
  expect(dependent?.depends_on).toEqual(['T1', 'T4']);
});

test('merge, delete, move, leave out, depend', () => {
  const edit = (one: GroupEdit, tasks: readonly Task[] = three) => editGroups(tasks, one);
  expect(edit({ type: 'merge', id: 'T3', into: 'T1' })[0]).toMatchObject({
    id: 'T1',
    title: 'T1; T3',
    files: ['a', 'b', 'c', 'e'],
  });
  expect(edit({ type: 'delete', id: 'T1' })).toMatchObject([
    { id: 'T2', depends_on: [] },
    { id: 'T3' },
  ]);
  expect(edit({ type: 'move_file', file: 'b', from: 'T1', to: 'T3' })).toMatchObject([
    { files: ['a', 'c'] },
    { files: ['d'] },
    { files: ['e', 'b'] },
  ]);
  expect(edit({ type: 'leave_out', id: 'T1', file: 'a' })[0]?.files).toEqual(['b', 'c']);
  const waits = edit({ type: 'depend', id: 'T3', on: 'T2' });
  expect(waits[2]?.depends_on).toEqual(['T2']);
  expect(edit({ type: 'depend', id: 'T3', on: 'T2' }, waits)[2]?.depends_on).toEqual([]);
  expect(edit({ type: 'add', title: ' New  group\n' })[3]).toMatchObject({
    id: 'T4',
    title: 'New group',
  });
  expect(edit({ type: 'rename', id: 'T1', title: '  ' })[0]?.title).toBe('T1');
});

test('waves follow the dependencies and the slots; a circle is in none', () => {
  expect(waves(three, 8)).toEqual([['T1', 'T3'], ['T2']]);
  expect(waves(three, 1)).toEqual([['T1'], ['T2'], ['T3']]);
  expect(waves([task('T1', [], ['T2']), task('T2', [], ['T1']), task('T3', [])], 2)).toEqual([
    ['T3'],
  ]);
});

test('no edit loses a file but the one that leaves it out or deletes its group; ids stay unique', () => {
  const id = fc.constantFrom('T1', 'T2', 'T3', 'T4', 'T9');
  const edit: fc.Arbitrary<GroupEdit> = fc.oneof(
    fc.record({ type: fc.constant('split' as const), id }),
    fc.record({ type: fc.constant('merge' as const), id, into: id }),
    fc.record({
      type: fc.constant('move_file' as const),
      file: fc.constantFrom('a', 'd', 'e'),
      from: id,
      to: id,
    }),
    fc.record({ type: fc.constant('depend' as const), id, on: id }),
    fc.record({ type: fc.constant('add' as const), title: fc.string() }),
    fc.record({ type: fc.constant('rename' as const), id, title: fc.string() }),
  );
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 30 }), (edits) => {
      const end = edits.reduce<readonly Task[]>(editGroups, three);
      const files = new Set(end.flatMap((one) => one.files));
      expect(files.size).toBeGreaterThanOrEqual(5);
      expect(new Set(end.map((one) => one.id)).size).toBe(end.length);
      const ids = new Set(end.map((one) => one.id));
      for (const one of end) for (const on of one.depends_on) expect(ids.has(on)).toBe(true);
    }),
  );
});
