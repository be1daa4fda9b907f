import type { Task } from './plan.js';

/**
 * The PRD as Markdown, with the tasks in it in a form that a person reads and edits, and from which
 * they are read again. One heading `### ID: title` a task under `## Tasks`, then its fields as a
 * list, then its description.
 */

const fieldNames: Record<string, 'files' | 'read' | 'depends_on' | 'requirements'> = {
  files: 'files',
  'new files': 'files',
  reads: 'read',
  'depends on': 'depends_on',
  requirements: 'requirements',
};

/** The tasks as the Markdown section that `readTasks` reads. */
export function renderTasks(tasks: readonly Task[]): string {
  const parts = tasks.map((task) => {
    const fields = [
      field('Files', task.files, true),
      field('Reads', task.read, true),
      field('Depends on', task.depends_on, false),
      field('Requirements', task.requirements ?? [], false),
    ].filter((line) => line !== '');
    // A heading inside a description would end the task, so it is indented by one level of quoting.
    const description = task.description.trim().replace(/^(#{1,3} )/gm, '\\$1');
    return [`### ${task.id}: ${oneLine(task.title)}`, '', ...fields, '', description]
      .join('\n')
      .trimEnd();
  });
  return `## Tasks\n\n${parts.join('\n\n')}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function field(name: string, values: readonly string[], code: boolean): string {
  if (values.length === 0) return '';
  return `- ${name}: ${values.map((value) => (code ? codeSpan(value) : value)).join(', ')}`;
}

/** A Markdown code span whose fence is longer than any run of backticks inside (CommonMark 6.1). */
function codeSpan(value: string): string {
  const longest = Math.max(0, ...(value.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 || /^ .* $/.test(value) ? ' ' : '';
  return `${fence}${pad}${value}${pad}${fence}`;
}

function codeSpans(text: string): string[] {
  const spans: string[] = [];
  const runs = [...text.matchAll(/`+/g)].map((run) => ({ at: run.index, length: run[0].length }));
  // From the end: where the next run of each length is.
  const nextOf = new Map<number, number>();
  const closing = new Array<number | undefined>(runs.length);
  for (let index = runs.length - 1; index >= 0; index--) {
    const { length } = runs[index] as { length: number };
    closing[index] = nextOf.get(length);
    nextOf.set(length, index);
  }
  for (let index = 0; index < runs.length; index++) {
    const end = closing[index];
    if (end === undefined) continue;
    const [from, to] = [runs[index], runs[end]] as [{ at: number; length: number }, { at: number }];
    const inner = text.slice(from.at + from.length, to.at);
    const padded = inner.startsWith(' ') && inner.endsWith(' ') && inner.trim() !== '';
    spans.push(padded ? inner.slice(1, -1) : inner);
    index = end;
  }
  return spans;
}

/** A whole PRD: the text of the planner, then the tasks. A task section in the text is replaced. */
export function renderPrd(body: string, tasks: readonly Task[]): string {
  const text = dropTasks(body).trimEnd();
  return `${text}\n\n${renderTasks(tasks)}`;
}

function dropTasks(markdown: string): string {
  const range = taskSection(markdown.split('\n'));
  if (!range) return markdown;
  const lines = markdown.split('\n');
  return [...lines.slice(0, range.start), ...lines.slice(range.end)].join('\n');
}

/** Line range of the section `## Tasks`, outside fenced code; end is exclusive. */
function taskSection(lines: readonly string[]): { start: number; end: number } | null {
  let start = -1;
  let fenced = false;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    if (/^\s{0,3}(```|~~~)/.test(line)) fenced = !fenced;
    if (fenced || !/^#{1,2} /.test(line)) continue;
    if (start >= 0) return { start, end: index };
    if (/^## tasks\s*$/i.test(line.trim())) start = index;
  }
  return start >= 0 ? { start, end: lines.length } : null;
}

/** Headings of tasks as people write them; the first is ours. */
const headings: readonly RegExp[] = [
  /^### +([A-Za-z0-9][A-Za-z0-9._-]{0,200}) {0,9}: *(\S.*)$/,
  // "### Task 1: Title", "### Step 2 - Title"
  /^### +(?:Task|Step) {1,9}(\d{1,4}) {0,9}[:.)–—-]? {0,9}(\S.*)$/i,
  // "### T4 Title", "### T4 - Title"
  /^### +(T\d{1,4}) {1,9}(?:[–—-] {1,9})?(\S.*)$/,
  // "### 1. Title", "### 1) Title"
  /^### +(\d{1,4})[.)] {1,9}(\S.*)$/,
];

/** Items of a numbered list, which are tasks where the section has no headings. */
const listItem = /^(\d{1,4})[.)] {1,9}(\S.*)$/;

/** What a PRD tells of its tasks. */
export interface TasksRead {
  readonly tasks: Task[];
  /** Lines that are to be tasks, and that were not understood; in words, with their numbers. */
  readonly problems: string[];
}

/**
 * Reads the tasks from a PRD. One without a task section, or with an empty one, has none. Fields it does not know
 * stay in the description; a heading that is no task's is named, never taken for a part of another task.
 */
export function readTasks(markdown: string): TasksRead {
  const lines = markdown.replace(/\r\n/g, '\n').split('\n');
  const range = taskSection(lines);
  if (!range) return { tasks: [], problems: [] };
  const section = lines.slice(range.start + 1, range.end);
  const isList = !section.some((line) => line.startsWith('### '));
  const tasks: Task[] = [];
  const problems: string[] = [];
  let body: string[] = [];
  let inFields = true;
  let fenced = false;
  /** What follows a heading that was not understood is nobody's. */
  let open: Task | null = null;
  const close = () => {
    if (open)
      open.description = body
        .join('\n')
        .replace(/^\\(#{1,3} )/gm, '$1')
        .trim();
    body = [];
    inFields = true;
  };
  for (let at = 0; at < section.length; at++) {
    const line = section[at] ?? '';
    if (line === '') {
      body.push(line);
      continue;
    }
    if (/^\s{0,3}(```|~~~)/.test(line)) fenced = !fenced;
    const heading = fenced ? null : headingOf(line, isList);
    if (heading) {
      close();
      const { id, title } = heading;
      open = { id, title, description: '', files: [], read: [], depends_on: [] };
      tasks.push(open);
      continue;
    }
    if (!fenced && line.startsWith('### ')) {
      close();
      open = null;
      const number = range.start + at + 2;
      problems.push(
        `line ${number}: "${line.slice(0, 80)}" is no heading of a task, write ### T1: Title`,
      );
      continue;
    }
    const task: Task | null = open;
    if (!task) continue;
    const given = isList ? line.trimStart() : line;
    const item = inFields ? /^[-*] {1,9}([A-Za-z][A-Za-z ]{0,40}):(.*)$/.exec(given) : null;
    const name = item ? fieldNames[(item[1] ?? '').trim().toLowerCase()] : undefined;
    if (item && name) {
      task[name] = [...(task[name] ?? []), ...values((item[2] ?? '').trim())];
    } else {
      if (line.trim() !== '') inFields = false;
      body.push(line);
    }
  }
  close();
  if (tasks.length === 0 && problems.length === 0 && section.some((line) => line.trim() !== '')) {
    problems.push(`line ${range.start + 1}: the section Tasks names no task, write ### T1: Title`);
  }
  return { tasks, problems };
}

/** The task that a line begins; null when it begins none. */
function headingOf(line: string, isList: boolean): { id: string; title: string } | null {
  const patterns = isList ? [listItem] : headings;
  for (const pattern of patterns) {
    const [, name, title] = pattern.exec(line) ?? [];
    if (name === undefined || title === undefined) continue;
    const id = /^\d+$/.test(name) && (isList || pattern !== headings[0]) ? `T${name}` : name;
    return { id, title: title.slice(0, 200) };
  }
  return null;
}

function values(text: string): string[] {
  const spans = codeSpans(text);
  if (spans.length > 0) return spans;
  return text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '' && !/^(none|-|—)$/i.test(value));
}
