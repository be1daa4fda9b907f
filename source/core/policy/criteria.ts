import type { Task } from '../plan/plan.js';

/** Something the PRD asks for: a requirement (R1) or an acceptance criterion (A1). */
export interface Criterion {
  readonly id: string;
  readonly text: string;
  readonly kind: 'requirement' | 'acceptance' | 'task';
}

/**
 * What a PRD asks for: list items that begin with an id such as `R1:`, wherever they stand, and the
 * list items under a heading `Acceptance criteria`, which are counted A1, A2, … where they have no id.
 */
export function criteriaOf(prd: string): Criterion[] {
  const found = new Map<string, Criterion>();
  let accepting = false;
  let fenced = false;
  let counted = 0;
  for (const line of prd.split('\n')) {
    if (line === '') continue;
    if (/^\s{0,3}(```|~~~)/.test(line)) fenced = !fenced;
    if (fenced) continue;
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (heading) {
      if (/^#{1,2}\s+tasks\s*$/i.test(line.trim())) break;
      accepting = /acceptance/i.test(heading[1] ?? '');
      continue;
    }
    const item = /^\s{0,3}(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ x]\]\s+)?(\S.*)$/
      .exec(line)?.[1]
      ?.trimEnd();
    if (item === undefined) continue;
    const named =
      /^\*{0,9}((?:R|FR|NFR|REQ-?|AC-?|A)\d{1,9})\*{0,9}\s{0,9}[:.)\u2013-]\*{0,9}\s*(\S.*)$/i.exec(
        item,
      );
    if (named) {
      const id = (named[1] ?? '').toUpperCase();
      const kind = accepting || id.startsWith('A') ? 'acceptance' : 'requirement';
      found.set(id, { id, text: named[2] ?? '', kind });
    } else if (accepting) {
      counted += 1;
      found.set(`A${counted}`, { id: `A${counted}`, text: item, kind: 'acceptance' });
    }
  }
  return [...found.values()];
}

/** What one agent's work is held against: its requirements, and the task itself. */
export function criteriaFor(task: Task, all: readonly Criterion[]): Criterion[] {
  const own = all.filter(
    ({ id, kind }) =>
      kind === 'acceptance' || (task.requirements ?? []).some((one) => one.toUpperCase() === id),
  );
  const text = [task.title, task.description.trim()].filter(Boolean).join(': ');
  return [...own, { id: task.id, text, kind: 'task' }];
}
