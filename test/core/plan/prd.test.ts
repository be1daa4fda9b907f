import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Task } from '../../../source/core/plan/plan.js';
import { readTasks, renderPrd, renderTasks } from '../../../source/core/plan/prd.js';

const tasksOf = (text: string) => readTasks(text).tasks;

const name = fc
  .stringMatching(/^[A-Za-z0-9 `._/ä-]{1,30}$/)
  .filter((text) => text.trim() === text && text !== '');
const line = fc.stringMatching(/^[A-Za-z0-9#`*:, .-]{0,40}$/);
const anyTask: fc.Arbitrary<Task> = fc.record({
  id: fc.stringMatching(/^T[0-9]{1,3}$/),
  title: fc
    .stringMatching(/^[A-Za-z0-9][A-Za-z0-9 `:,.]{0,40}$/)
    .map((text) => text.replace(/\s+/g, ' ').trim()),
  description: fc
    .array(
      line.filter((text) => !/^\s*(```|~~~)|^\\|^#{1,3}\s*$|^[-*] /.test(text)),
      { maxLength: 5 },
    )
    .map((lines) => lines.join('\n').trim()),
  files: fc.uniqueArray(name, { maxLength: 4 }),
  read: fc.uniqueArray(name, { maxLength: 3 }),
  depends_on: fc.uniqueArray(fc.stringMatching(/^T[0-9]{1,3}$/), { maxLength: 3 }),
});

test('tasks that are written are read again as they were', () => {
  fc.assert(
    fc.property(fc.array(anyTask, { minLength: 1, maxLength: 4 }), (tasks) => {
      expect(tasksOf(renderTasks(tasks))).toEqual(tasks);
      expect(tasksOf(renderPrd('# Title\n\n## Risks\n\nNone.\n', tasks))).toEqual(tasks);
    }),
    { numRuns: 1000 },
  );
});

test('a section that a person edited: CRLF, stars, plain names, other sections around', () => {
  const text =
    '# P\r\n\r\n## Tasks\r\n\r\n### T1: Do it\r\n\r\n* files: a.ts, b.ts\r\n- New files: `c d.ts`\r\n- Depends on: none\r\n\r\nText\r\n\r\n## Notes\r\n\r\n### T9: not a task\r\n';
  expect(tasksOf(text)).toEqual([
    {
      id: 'T1',
      title: 'Do it',
      description: 'Text',
      files: ['a.ts', 'b.ts', 'c d.ts'],
      read: [],
      depends_on: [],
    },
  ]);
});

test.each([
  ['### Task 1: Do it', 'T1'],
  ['### Step 2 - Do it', 'T2'],
  ['### task 3 Do it', 'T3'],
  ['### T4 Do it', 'T4'],
  ['### T5 – Do it', 'T5'],
  ['### 6. Do it', 'T6'],
  ['### 7: Do it', '7'],
  ['8. Do it', 'T8'],
  ['9) Do it', 'T9'],
])('forms that people write: %s', (heading, id) => {
  const { tasks, problems } = readTasks(
    `# P\n\n## Tasks\n\n${heading}\n\n- Files: \`a.ts\`\n\nText\n`,
  );
  expect(problems).toEqual([]);
  expect(tasks).toMatchObject([{ id, title: 'Do it', files: ['a.ts'], description: 'Text' }]);
});

test('a heading that was not understood is named with its line, and never a part of another task', () => {
  const text = '# P\n\n## Tasks\n\n### T1: One\n\nText\n\n### Export it\n\nMore\n';
  const { tasks, problems } = readTasks(text);
  expect(problems).toEqual([
    'line 9: "### Export it" is no heading of a task, write ### T1: Title',
  ]);
  expect(tasks).toMatchObject([{ id: 'T1', description: 'Text' }]);
  const fenced = '## Tasks\n\n### T1: One\n\n```\n### no heading\n```\n';
  expect(readTasks(fenced)).toMatchObject({ problems: [], tasks: [{ id: 'T1' }] });
  const prose = '# P\n\n## Tasks\n\nSomebody does it.\n';
  expect(readTasks(prose).problems).toEqual([
    'line 3: the section Tasks names no task, write ### T1: Title',
  ]);
  expect(readTasks('# P\n\n## Tasks\n\n')).toEqual({ tasks: [], problems: [] });
});

test('a PRD without tasks has none; a fenced example is no section', () => {
  expect(tasksOf('# P\n\nText\n')).toEqual([]);
  expect(tasksOf('# P\n\n```\n## Tasks\n\n### T1: x\n```\n')).toEqual([]);
});

test('a task section of the planner is replaced, not doubled', () => {
  const task: Task = {
    id: 'T1',
    title: 'New',
    description: '',
    files: ['a'],
    read: [],
    depends_on: [],
  };
  const text = renderPrd('# P\n\n## Tasks\n\n### T1: Old\n\n## Risks\n\nSome.', [task]);
  expect(text).not.toContain('Old');
  expect(text).toContain('## Risks');
  expect(text.match(/## Tasks/g)?.length).toBe(1);
});
