// Longer than 300 lines: one subject: rules of groups, and how they are made.
import { mostTasks, type Task } from './plan.js';

/**
 * Tasks become file groups: what one agent may change. The rule: no file is in two groups that may
 * run at once. Two groups may run at once when neither depends on the other, directly or not.
 */

/** Files that describe the project as a whole; two tasks that change one of them always collide. */
const manifestNames = new Set([
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lockb',
  'pyproject.toml',
  'poetry.lock',
  'uv.lock',
  'Pipfile',
  'Pipfile.lock',
  'requirements.txt',
  'setup.py',
  'setup.cfg',
  'Cargo.toml',
  'Cargo.lock',
  'go.mod',
  'go.sum',
  'Gemfile',
  'Gemfile.lock',
  'composer.json',
  'composer.lock',
  'pom.xml',
  'build.gradle',
  'build.gradle.kts',
  'mix.exs',
  'mix.lock',
]);

export function isManifest(path: string): boolean {
  return manifestNames.has(path.slice(path.lastIndexOf('/') + 1));
}

/** Ids that `task` builds on, directly and through others. Unknown ids are passed over. */
export function ancestors(tasks: readonly Task[], id: string): Set<string> {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const found = new Set<string>();
  const open = [...(byId.get(id)?.depends_on ?? [])];
  while (open.length > 0) {
    const next = open.pop() as string;
    if (found.has(next) || !byId.has(next)) continue;
    found.add(next);
    open.push(...(byId.get(next)?.depends_on ?? []));
  }
  return found;
}

/** A cycle in `depends_on` as a list of ids, first repeated at the end; null when there is none. */
export function findCycle(tasks: readonly Task[]): string[] | null {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const done = new Set<string>();
  const visit = (id: string, path: string[]): string[] | null => {
    const seenAt = path.indexOf(id);
    if (seenAt >= 0) return [...path.slice(seenAt), id];
    if (done.has(id)) return null;
    for (const next of byId.get(id)?.depends_on ?? []) {
      const cycle = byId.has(next) ? visit(next, [...path, id]) : null;
      if (cycle) return cycle;
    }
    done.add(id);
    return null;
  };
  for (const task of tasks) {
    const cycle = visit(task.id, []);
    if (cycle) return cycle;
  }
  return null;
}

/** Pairs of tasks that may run at once and share files. */
export function findOverlaps(tasks: readonly Task[]): { a: Task; b: Task; files: string[] }[] {
  // Only pairs that share a file are looked at.
  const users = new Map<string, Task[]>();
  for (const task of tasks) {
    for (const file of new Set(task.files)) users.set(file, [...(users.get(file) ?? []), task]);
  }
  const known = new Map<string, Set<string>>();
  const before = (id: string): Set<string> => {
    const found = known.get(id) ?? ancestors(tasks, id);
    known.set(id, found);
    return found;
  };
  const pairs = new Map<Task, Map<Task, string[]>>();
  for (const [file, sharing] of users) {
    sharing.forEach((a, index) => {
      for (const b of sharing.slice(index + 1)) {
        const ofA = pairs.get(a) ?? new Map<Task, string[]>();
        pairs.set(a, ofA.set(b, [...(ofA.get(b) ?? []), file]));
      }
    });
  }
  const overlaps: { a: Task; b: Task; files: string[] }[] = [];
  for (const a of tasks) {
    const others = pairs.get(a) ?? new Map<Task, string[]>();
    for (const b of tasks) {
      const files = others.get(b);
      if (!files || before(a.id).has(b.id) || before(b.id).has(a.id)) continue;
      const order = new Map(a.files.map((file, at) => [file, at]));
      files.sort((one, other) => (order.get(one) ?? 0) - (order.get(other) ?? 0));
      overlaps.push({ a, b, files });
    }
  }
  return overlaps;
}

/** Tasks without files, which may change all, that may run beside another. */
function findUnbounded(tasks: readonly Task[]): { free: Task; other: Task }[] {
  return tasks
    .filter((task) => task.files.length === 0)
    .flatMap((free) => {
      const related = ancestors(tasks, free.id);
      const other = tasks.find(
        (task) => task !== free && !related.has(task.id) && !ancestors(tasks, task.id).has(free.id),
      );
      return other ? [{ free, other }] : [];
    });
}

/** Every rule a plan breaks, as sentences; empty when it can be run as it is. */
export function checkPlan(tasks: readonly Task[]): string[] {
  const problems: string[] = [];
  if (tasks.length > mostTasks) {
    return [`there are ${tasks.length} tasks, and a plan has at most ${mostTasks}`];
  }
  const seen = new Set<string>();
  for (const task of tasks) {
    if (seen.has(task.id)) problems.push(`two tasks have the id ${task.id}`);
    seen.add(task.id);
  }
  for (const task of tasks) {
    for (const id of task.depends_on) {
      if (!seen.has(id)) problems.push(`${task.id} depends on ${id}, which is no task`);
    }
  }
  const cycle = findCycle(tasks);
  if (cycle) problems.push(`the tasks ${cycle.join(' → ')} depend on each other in a circle`);
  if (problems.length > 0) return problems;
  for (const { free, other } of findUnbounded(tasks)) {
    problems.push(
      `${free.id} names no files, so it may change all, but may run beside ${other.id}: give it files, delete it, or let one wait for the other`,
    );
  }
  for (const { a, b, files } of findOverlaps(tasks)) {
    problems.push(
      `${a.id} and ${b.id} may run at once and both change ${files.join(', ')}: let one depend on the other`,
    );
  }
  return problems;
}

/** In an order in which each task comes after all it depends on; otherwise the given order. No cycles. */
export function topological(tasks: readonly Task[]): Task[] {
  const ids = new Set(tasks.map((task) => task.id));
  const placed = new Set<string>();
  const order: Task[] = [];
  while (order.length < tasks.length) {
    const next = tasks.find(
      (task) =>
        !placed.has(task.id) && task.depends_on.every((id) => placed.has(id) || !ids.has(id)),
    );
    if (!next) throw new Error('topological: the tasks have a cycle');
    placed.add(next.id);
    order.push(next);
  }
  return order;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Two tasks as one, in place of `a`; who depended on `b` depends on the union. */
export function mergeTasks(tasks: readonly Task[], a: Task, b: Task): Task[] {
  const requirements = unique([...(a.requirements ?? []), ...(b.requirements ?? [])]);
  const files = unique([...a.files, ...b.files]);
  const union: Task = {
    id: a.id,
    title: `${a.title}; ${b.title}`.slice(0, 200),
    description: [a.description, b.description].filter((text) => text !== '').join('\n\n'),
    files,
    read: unique([...a.read, ...b.read]).filter((file) => !files.includes(file)),
    depends_on: unique([...a.depends_on, ...b.depends_on]).filter(
      (id) => id !== a.id && id !== b.id,
    ),
    ...(requirements.length > 0 ? { requirements } : {}),
  };
  return tasks
    .filter((task) => task.id !== b.id)
    .map((task) =>
      task.id === a.id
        ? union
        : { ...task, depends_on: unique(task.depends_on.map((id) => (id === b.id ? a.id : id))) },
    );
}

/**
 * Makes a planner's tasks obey the rules and says what it changed. Unknown dependencies are dropped;
 * tasks without files, and those whose files are all another's, are merged; a manifest in two tasks
 * stays with the first; any other overlap becomes a dependency of the later on the earlier.
 * A cycle is no slip but a contradiction: it is left in, for `checkPlan` to name.
 */
export function repairTasks(given: readonly Task[]): { tasks: Task[]; notes: string[] } {
  const notes: string[] = [];
  let tasks = dedupeIds(given, notes);
  const ids = new Set(tasks.map((task) => task.id));
  tasks = tasks.map((task) => {
    const unknown = task.depends_on.filter((id) => !ids.has(id) || id === task.id);
    for (const id of unknown)
      notes.push(`${task.id}: the dependency on ${id} was dropped, there is no such task`);
    return {
      ...task,
      files: unique(task.files),
      read: unique(task.read).filter((file) => !task.files.includes(file)),
      depends_on: unique(task.depends_on.filter((id) => !unknown.includes(id))),
    };
  });
  if (findCycle(tasks)) return { tasks, notes };
  if (findUnbounded(tasks).length > 0) {
    notes.push('a task named no files, so all tasks became one');
    return { tasks: [mergeAll(topological(tasks))], notes };
  }
  return { tasks: separate(topological(tasks), notes), notes };
}

/** All tasks as one: used when the plan says that the work must not be split. */
export function mergeAll(tasks: readonly Task[]): Task {
  let all = [...tasks];
  while (all.length > 1) {
    const [a, b] = all as [Task, Task];
    all = mergeTasks(all, a, b);
  }
  const only = all[0] as Task;
  return { ...only, files: tasks.some((task) => task.files.length === 0) ? [] : only.files };
}

function dedupeIds(tasks: readonly Task[], notes: string[]): Task[] {
  const seen = new Set<string>();
  return tasks.map((task) => {
    let id = task.id;
    for (let n = 2; seen.has(id); n++) id = `${task.id}-${n}`;
    if (id !== task.id) notes.push(`a second task ${task.id} became ${id}`);
    seen.add(id);
    return { ...task, id };
  });
}

function separate(given: readonly Task[], notes: string[]): Task[] {
  let tasks = [...given];
  for (;;) {
    const overlap = findOverlaps(tasks)[0];
    if (!overlap) return tasks;
    const { a, b, files } = overlap;
    const covered =
      a.files.every((file) => files.includes(file)) ||
      b.files.every((file) => files.includes(file));
    if (covered) {
      notes.push(`${b.id} was merged into ${a.id}: they change the same files`);
      // Neither depends on the other, so no path leads from one to the other and no circle can close.
      tasks = topological(mergeTasks(tasks, a, b));
    } else if (files.every(isManifest)) {
      notes.push(`${files.join(', ')} stays with ${a.id} alone; ${b.id} waits for it`);
      tasks = order(tasks, a, b).map((task) =>
        task.id === b.id
          ? {
              ...task,
              files: task.files.filter((file) => !files.includes(file)),
              read: unique([...task.read, ...files]),
            }
          : task,
      );
    } else {
      notes.push(`${b.id} waits for ${a.id}: both change ${files.join(', ')}`);
      tasks = order(tasks, a, b);
    }
  }
}

function order(tasks: readonly Task[], first: Task, second: Task): Task[] {
  return tasks.map((task) =>
    task.id === second.id ? { ...task, depends_on: unique([...task.depends_on, first.id]) } : task,
  );
}

/** Files in even, consecutive chunks, one task each: the work of a run without a plan. */
export function chunkFiles(files: readonly string[], maxAgents: number, change: string): Task[] {
  const title = firstLine(change);
  if (files.length === 0) {
    return [{ id: 'T1', title, description: change, files: [], read: [], depends_on: [] }];
  }
  const count = Math.min(maxAgents, files.length);
  const size = Math.floor(files.length / count);
  const larger = files.length % count;
  let at = 0;
  return Array.from({ length: count }, (_, index) => {
    const length = size + (index < larger ? 1 : 0);
    const chunk = files.slice(at, at + length);
    at += length;
    return {
      id: `T${index + 1}`,
      title:
        count === 1
          ? title
          : `${title} (${chunk[0]}${length > 1 ? ` and ${length - 1} more` : ''})`.slice(0, 200),
      description: change,
      files: [...chunk],
      read: [],
      depends_on: [],
    };
  });
}

export function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.trim() ?? '';
  return line.length > 72 ? `${line.slice(0, 71)}…` : line || 'Change';
}
