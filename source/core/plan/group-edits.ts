import { unreachable } from '../result.js';
import { mergeTasks } from './groups.js';
import type { Task } from './plan.js';

/** What a person can do to the file groups before a run. Each makes a new list; the old one is the undo. */
export type GroupEdit =
  | { readonly type: 'rename'; readonly id: string; readonly title: string }
  | { readonly type: 'describe'; readonly id: string; readonly description: string }
  | { readonly type: 'add'; readonly title: string }
  | { readonly type: 'split'; readonly id: string }
  | { readonly type: 'merge'; readonly id: string; readonly into: string }
  | { readonly type: 'delete'; readonly id: string }
  | {
      readonly type: 'move_file';
      readonly file: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly type: 'add_files'; readonly id: string; readonly files: readonly string[] }
  | { readonly type: 'leave_out'; readonly id: string; readonly file: string }
  | { readonly type: 'depend'; readonly id: string; readonly on: string };

/** An id that no task has: T1, T2, … */
function freshId(tasks: readonly Task[]): string {
  const taken = new Set(tasks.map((task) => task.id));
  for (let n = tasks.length + 1; ; n++) {
    if (!taken.has(`T${n}`)) return `T${n}`;
  }
}

function change(tasks: readonly Task[], id: string, part: (task: Task) => Partial<Task>): Task[] {
  return tasks.map((task) => (task.id === id ? { ...task, ...part(task) } : task));
}

function without(values: readonly string[], gone: string): string[] {
  return values.filter((value) => value !== gone);
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

/** The tasks after an edit. What cannot be done leaves them as they are; rules are `checkPlan`'s. */
export function editGroups(tasks: readonly Task[], edit: GroupEdit): readonly Task[] {
  switch (edit.type) {
    case 'rename': {
      const title = edit.title.replace(/\s+/g, ' ').trim().slice(0, 200);
      return title === '' ? tasks : change(tasks, edit.id, () => ({ title }));
    }
    case 'describe':
      return change(tasks, edit.id, () => ({ description: edit.description }));
    case 'add': {
      const title = edit.title.replace(/\s+/g, ' ').trim().slice(0, 200);
      if (title === '') return tasks;
      const task: Task = {
        id: freshId(tasks),
        title,
        description: '',
        files: [],
        read: [],
        depends_on: [],
      };
      return [...tasks, task];
    }
    case 'split':
      return split(tasks, edit.id);
    case 'merge': {
      const from = tasks.find((task) => task.id === edit.id);
      const into = tasks.find((task) => task.id === edit.into);
      return from && into && from !== into ? mergeTasks(tasks, into, from) : tasks;
    }
    case 'delete':
      return tasks
        .filter((task) => task.id !== edit.id)
        .map((task) => ({ ...task, depends_on: without(task.depends_on, edit.id) }));
    case 'move_file': {
      const known = tasks.some((task) => task.id === edit.to);
      if (!known || edit.from === edit.to) return tasks;
      const gone = change(tasks, edit.from, (task) => ({ files: without(task.files, edit.file) }));
      return addFiles(gone, edit.to, [edit.file]);
    }
    case 'add_files':
      return addFiles(tasks, edit.id, edit.files);
    case 'leave_out':
      return change(tasks, edit.id, (task) => ({ files: without(task.files, edit.file) }));
    case 'depend': {
      if (edit.id === edit.on || !tasks.some((task) => task.id === edit.on)) return tasks;
      return change(tasks, edit.id, ({ depends_on }) => ({
        depends_on: depends_on.includes(edit.on)
          ? without(depends_on, edit.on)
          : [...depends_on, edit.on],
      }));
    }
    default:
      return unreachable(edit);
  }
}

function addFiles(tasks: readonly Task[], id: string, files: readonly string[]): Task[] {
  return change(tasks, id, (task) => ({
    files: union(task.files, files),
    read: task.read.filter((file) => !files.includes(file)),
  }));
}

/** The second half of the files goes to a new group; who waited for the one waits for both. */
function split(tasks: readonly Task[], id: string): readonly Task[] {
  const task = tasks.find((one) => one.id === id);
  if (!task || task.files.length < 2) return tasks;
  const half = Math.ceil(task.files.length / 2);
  const second: Task = {
    ...task,
    id: freshId(tasks),
    title: `${task.title} (2)`.slice(0, 200),
    files: task.files.slice(half),
  };
  return tasks.flatMap((one) => {
    if (one.id === id) return [{ ...task, files: task.files.slice(0, half) }, second];
    return one.depends_on.includes(id)
      ? [{ ...one, depends_on: [...one.depends_on, second.id] }]
      : [one];
  });
}

/**
 * Which groups run at once, if all took the same time: the n-th list is what runs n-th. Groups in a
 * circle are in none.
 * @param slots most agents at once
 */
export function waves(tasks: readonly Task[], slots: number): string[][] {
  const ids = new Set(tasks.map((task) => task.id));
  const done = new Set<string>();
  const lists: string[][] = [];
  for (;;) {
    const ready = tasks
      .filter(
        (task) => !done.has(task.id) && task.depends_on.every((id) => done.has(id) || !ids.has(id)),
      )
      .slice(0, Math.max(1, slots))
      .map((task) => task.id);
    if (ready.length === 0) return lists;
    lists.push(ready);
    for (const id of ready) done.add(id);
  }
}
