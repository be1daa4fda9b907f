// Longer than 300 lines: one screen, not divided yet.
import { Box } from 'ink';
import { useEffect, useMemo, useState } from 'react';
import { editGroups, waves } from '../../core/plan/group-edits.js';
import { checkPlan } from '../../core/plan/groups.js';
import type { Task } from '../../core/plan/plan.js';
import { type PathFacts, refusePath } from '../../core/policy/paths.js';
import { type Action, type ActionsOf, type NameOf, useActions } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { Rows } from '../components/rows.js';
import { ScreenFrame, useNote } from '../components/screen-frame.js';
import { useEditor } from '../editor.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill, fillLeft } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import type { Wizard } from '../wizard.js';

export interface GroupsScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onBack: () => void;
}

/** What keeps the groups from being started, in words; empty when nothing does, null while that is looked up. */
function useProblems(port: WizardPort, tasks: readonly Task[]): readonly string[] {
  const pure = useMemo(
    () => (tasks.length === 0 ? ['There is no group.'] : checkPlan(tasks)),
    [tasks],
  );
  const [looked, setLooked] = useState<{
    readonly tasks: readonly Task[];
    readonly problems: readonly string[];
  } | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void port.problemsOf(tasks).then((problems) => {
      if (isCurrent) setLooked({ tasks, problems });
    });
    return () => {
      isCurrent = false;
    };
  }, [port, tasks]);
  const more = looked?.tasks === tasks ? looked.problems : [];
  return useMemo(() => {
    // Both look at all of it, and one ends its sentences.
    const bySentence = new Map([...pure, ...more].map((one) => [one.replace(/\.$/, ''), one]));
    return [...bySentence.values()];
  }, [pure, more]);
}

/** Step 3: who changes which files, what runs at once and what waits. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function GroupsScreen({ port, wizard, onNext, onBack }: GroupsScreenProps) {
  const { cols, rows } = useSize();
  const { theme, keymap } = useEnvironment();
  const [chosen, setChosen] = useState(0);
  const [row, setRow] = useState(0);
  const note = useNote();
  const tasks = wizard.draft?.tasks ?? noTasks;
  const group = Math.min(chosen, Math.max(0, tasks.length - 1));
  const task = tasks[group];
  const fileRow = Math.min(row, Math.max(0, (task?.files.length ?? 1) - 1));
  const file = task?.files[fileRow];
  const problems = useProblems(port, tasks);
  const plan = waves(tasks, wizard.maxAgents);

  const choose = (to: number, fileAt = 0) => {
    // A group that is just being added is there with the next frame.
    setChosen(Math.max(0, to));
    setRow(Math.max(0, fileAt));
  };
  const edits = useGroupEdits({ port, wizard, task, file, group, problems, choose, say: note.say });
  const noGroup = task ? null : 'there is no group';
  const actions: ActionsOf<'groups'> = {
    ...edits,
    'groups.next': {
      run: onNext,
      refusal: problems.length === 0 ? null : 'the problems above have to be solved first',
    },
    'groups.back': { run: onBack },
    'groups.left': {
      run: () => choose(group - 1),
      refusal: noGroup ?? (group === 0 ? 'this is the first group' : null),
    },
    'groups.right': {
      run: (key) => choose(key === 'tab' ? (group + 1) % Math.max(1, tasks.length) : group + 1),
      refusal: noGroup ?? (tasks.length === 1 ? 'there is only one group' : null),
    },
    'groups.up': {
      run: () => setRow(fileRow - 1),
      refusal: noGroup ?? (fileRow === 0 ? 'this is the first file' : null),
    },
    'groups.down': {
      run: () => setRow(fileRow + 1),
      refusal:
        noGroup ?? (fileRow >= (task?.files.length ?? 0) - 1 ? 'this is the last file' : null),
    },
  };
  useActions({ context: 'groups', actions, say: note.say });

  // The way out stands at the end of the sentence, so none is cut off.
  const most = Math.max(4, Math.floor(rows / 3));
  const all = problems.flatMap((text) =>
    proseLines(text, Math.max(8, cols - 4)).map((line, at) => ({ line, first: at === 0 })),
  );
  const shown = all.length <= most ? all : all.slice(0, most - 1);
  const glyphs = glyphsOf(theme);
  const waveText = plan
    .map((ids, index) => `${index + 1}: ${ids.join(' ')}`)
    .join(`  ${glyphs.bar}  `);
  const waveLines = proseLines(
    `Waves with ${wizard.maxAgents} at once  ${waveText}`,
    Math.max(8, cols - 2),
  ).slice(0, 3);
  const left = all.length - shown.length;
  const below = waveLines.length + shown.length + (left > 0 ? 1 : 0);
  const height = Math.max(3, rows - 3 - below - note.height);
  return (
    <ScreenFrame
      context="groups"
      note={note}
      actions={actions}
      hints={[
        'groups.next',
        ...(tasks.length === 0 ? (['groups.add'] as const) : []),
        'groups.back',
        'groups.show',
        'groups.moveRight',
        'groups.files',
        'groups.newFile',
        'groups.leaveOut',
        'groups.rename',
        'groups.edit',
        'groups.wait',
        'groups.split',
        'groups.merge',
        'groups.add',
        'groups.undo',
      ]}
    >
      <Line> </Line>
      <Columns
        tasks={tasks}
        group={group}
        fileRow={fileRow}
        width={cols}
        height={height}
        plan={plan}
        port={port}
      />
      <Rows
        width={cols}
        rows={[
          ...waveLines.map((line) => ({ text: ` ${line}`, bold: true })),
          ...shown.map(({ line, first }) => ({
            text: ` ${first ? glyphs.bad : ' '} ${line}`,
            colour: 'red' as const,
          })),
        ]}
      />
      {left > 0 && (
        <Line colour="red">
          {fill(
            `   ${left} lines more: ${keymap.label('groups.show')} shows all that is wrong`,
            cols,
          )}
        </Line>
      )}
    </ScreenFrame>
  );
}

const noTasks: readonly Task[] = [];
const nothingKnown: PathFacts = {
  tracked: new Set(),
  folders: new Set(),
  byLowerCase: new Map(),
  links: new Set(),
  untracked: new Set(),
  submodules: [],
  ignored: new Set(),
};

interface EditFacts {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly task: Task | undefined;
  readonly file: string | undefined;
  readonly group: number;
  readonly problems: readonly string[];
  readonly choose: (group: number, file?: number) => void;
  readonly say: (note: string) => void;
}

type Edits = Exclude<
  NameOf<'groups'>,
  'groups.next' | 'groups.back' | 'groups.left' | 'groups.right' | 'groups.up' | 'groups.down'
>;

/** All of a group, to be read: what does not fit into its column, and what is wrong with the plan. */
function wholeGroup(task: Task, problems: readonly string[]): string {
  const list = (items: readonly string[], none: string) =>
    items.length === 0 ? [`  ${none}`] : items.map((item) => `  ${item}`);
  return [
    `${task.id} ${task.title}`,
    '',
    ...(problems.length > 0 ? ['Problems of the plan', ...list(problems, ''), ''] : []),
    task.description.trim(),
    '',
    'Files it changes',
    ...list(task.files, 'no file named: the whole repository'),
    '',
    'Files it only reads',
    ...list(task.read, 'none'),
    '',
    `Waits for ${task.depends_on.length === 0 ? 'no other group' : task.depends_on.join(', ')}`,
    ...(task.requirements && task.requirements.length > 0
      ? [`Serves ${task.requirements.join(', ')}`]
      : []),
  ].join('\n');
}

/** Why a group cannot have a new file of that name, a sentence; null when it can. */
function newFileProblem(task: Task, name: string): string | null {
  if (name === '') return 'A file needs a name.';
  if (task.files.includes(name)) return `${name} is in ${task.id} already.`;
  // What exists there is looked up with the whole plan; a name that is wrong by itself is told at once.
  const wrong = refusePath(name, nothingKnown);
  return wrong === null ? null : `${wrong}.`;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
function useGroupEdits(facts: EditFacts): { readonly [Name in Edits]: Action } {
  const { port, wizard, task, file, group, problems, choose, say } = facts;
  const openEditor = useEditor(port, say);
  const dialogs = useDialogs();
  const { keymap } = useEnvironment();
  const tasks = wizard.draft?.tasks ?? noTasks;
  const others = tasks.filter((one) => one !== task);
  const noGroup = task ? null : 'there is no group';
  const noFile = noGroup ?? (file ? null : 'this group names no file');
  // A group without files is about the whole repository: taking the last one away would widen it.
  const onlyFile =
    task?.files.length === 1
      ? `it is the only file of this group, and a group without files may change all of them; merge (${keymap.label('groups.merge')}) or delete (${keymap.label('groups.delete')}) the group instead`
      : null;
  const move = (step: 1 | -1): Action => {
    const to = tasks[group + step];
    const side = step === 1 ? 'after' : 'before';
    return {
      run: () => {
        if (!task || !file || !to) return;
        const edit = { type: 'move_file', file, from: task.id, to: to.id } as const;
        const after = editGroups(tasks, edit)[group + step];
        wizard.edit(edit);
        choose(group + step, after?.files.indexOf(file));
        say(`${file} moved to ${to.id}.`);
      },
      refusal: noFile ?? (to ? onlyFile : `there is no group ${side} this one`),
    };
  };
  const editText = async (of: Task) => {
    const after = await openEditor('task.md', `${of.title}\n\n${of.description}\n`);
    if (after === null) return;
    const [title = '', ...rest] = after.split('\n');
    const description = rest.join('\n').trim();
    if (title.trim() !== of.title) wizard.edit({ type: 'rename', id: of.id, title });
    if (description !== of.description.trim()) {
      wizard.edit({ type: 'describe', id: of.id, description });
    }
  };
  const withTask = (run: (task: Task) => void, refusal: string | null = null): Action => ({
    run: () => task && run(task),
    refusal: noGroup ?? refusal,
  });
  const next = tasks[group + 1];
  return {
    'groups.more': { run: () => wizard.setMaxAgents(wizard.maxAgents + 1) },
    'groups.fewer': {
      run: () => wizard.setMaxAgents(wizard.maxAgents - 1),
      refusal: wizard.maxAgents <= 1 ? 'at least one agent works' : null,
    },
    'groups.undo': {
      run: () => {
        wizard.undoEdit();
        say('Undone.');
      },
      refusal: wizard.undo.length === 0 ? 'there is nothing to undo' : null,
    },
    'groups.add': {
      run: () =>
        void dialogs.open({
          kind: 'field',
          title: 'New group',
          lines: ['What is it to do?'],
          problem: (title) => (title.trim() === '' ? 'A group needs a title.' : null),
          onDone: (title) => {
            wizard.edit({ type: 'add', title });
            choose(tasks.length);
          },
        }),
    },
    'groups.show': withTask((of) =>
      dialogs.open({
        kind: 'viewer',
        title: `${of.id} ${of.title}`,
        source: (width) => proseLines(wholeGroup(of, problems), width),
      }),
    ),
    'groups.moveRight': move(1),
    'groups.moveLeft': move(-1),
    'groups.rename': withTask((of) =>
      dialogs.open({
        kind: 'field',
        title: `Rename ${of.id}`,
        initial: of.title,
        onDone: (title) => wizard.edit({ type: 'rename', id: of.id, title }),
      }),
    ),
    'groups.split': withTask(
      (of) => wizard.edit({ type: 'split', id: of.id }),
      (task?.files.length ?? 0) < 2 ? 'a group with fewer than two files cannot be split' : null,
    ),
    'groups.merge': withTask(
      (of) => next && wizard.edit({ type: 'merge', id: next.id, into: of.id }),
      next ? null : 'there is no group after this one',
    ),
    'groups.delete': withTask((of) => {
      wizard.edit({ type: 'delete', id: of.id });
      say(`${of.id} is deleted; ${keymap.label('groups.undo')} brings it back.`);
    }),
    'groups.files': withTask((of) =>
      dialogs.open({
        kind: 'find',
        title: `Files for ${of.id}`,
        none: `No file matches. Esc, then ${keymap.label('groups.newFile')} names one that does not exist yet.`,
        items: port.trackedFiles().filter((one) => !of.files.includes(one)),
        onDone: (files) => wizard.edit({ type: 'add_files', id: of.id, files }),
      }),
    ),
    'groups.newFile': withTask((of) =>
      dialogs.open({
        kind: 'field',
        title: `New file for ${of.id}`,
        lines: ['A path relative to the repository, of a file that the agent is to create.'],
        problem: (name) => newFileProblem(of, name.trim()),
        onDone: (name) => {
          wizard.edit({ type: 'add_files', id: of.id, files: [name.trim()] });
        },
      }),
    ),
    'groups.leaveOut': {
      run: () => {
        if (task && file) wizard.edit({ type: 'leave_out', id: task.id, file });
      },
      refusal: noFile ?? onlyFile,
    },
    'groups.edit': withTask((of) => void editText(of)),
    'groups.wait': withTask(
      (of) =>
        dialogs.open({
          kind: 'choose',
          title: `What does ${of.id} wait for?`,
          lines: ['Enter adds a group that it waits for, or takes it away.'],
          items: others.map(
            (one) => `${of.depends_on.includes(one.id) ? '[x]' : '[ ]'} ${one.id} ${one.title}`,
          ),
          onDone: (index) =>
            wizard.edit({ type: 'depend', id: of.id, on: (others[index] as Task).id }),
        }),
      others.length === 0 ? 'there is no other group' : null,
    ),
  };
}

const leastColumn = 26;

interface ColumnsProps {
  readonly tasks: readonly Task[];
  readonly group: number;
  readonly fileRow: number;
  readonly width: number;
  readonly height: number;
  readonly plan: readonly (readonly string[])[];
  readonly port: WizardPort;
}

/** The groups side by side; as many as fit, the chosen one among them. */
function Columns(props: ColumnsProps) {
  const { tasks, group, fileRow, width, height, plan, port } = props;
  const count = Math.max(1, Math.min(tasks.length, Math.floor(width / leastColumn)));
  const first = Math.max(0, Math.min(group - Math.floor(count / 2), tasks.length - count));
  const column = Math.floor(width / count);
  return (
    <Box height={height} width={width} overflow="hidden">
      {tasks.slice(first, first + count).map((task, index) => (
        <Column
          key={task.id}
          task={task}
          wave={plan.findIndex((ids) => ids.includes(task.id)) + 1}
          own={first + index === group}
          fileRow={fileRow}
          width={column}
          height={height}
          port={port}
          more={count < tasks.length ? `group ${first + index + 1} of ${tasks.length}` : ''}
        />
      ))}
    </Box>
  );
}

interface ColumnProps {
  readonly task: Task;
  /** From 1; 0 when it never runs. */
  readonly wave: number;
  readonly own: boolean;
  readonly fileRow: number;
  readonly width: number;
  readonly height: number;
  readonly port: WizardPort;
  /** Which of how many it is, where not all are seen; '' where all are. */
  readonly more: string;
}

function Column({ task, wave, own, fileRow, width, height, port, more }: ColumnProps) {
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const inner = Math.max(1, width - 4);
  const border = own ? 'cyan' : null;
  const edge = (left: string, right: string) =>
    `${left}${glyphs.line.repeat(Math.max(0, width - 2))}${right}`;
  const waits =
    task.depends_on.length > 0 ? `waits for ${task.depends_on.join(', ')}` : 'waits for none';
  // A title takes further rows as long as two of the files can be seen.
  const titles = proseLines(task.title, inner).slice(0, Math.max(1, height - 8));
  const isTight = height - 2 - titles.length - 3 < 2;
  const facts = [
    { text: `${own ? glyphs.arrow : ' '}${task.id}${more === '' ? '' : ` (${more})`}`, bold: true },
    ...titles.map((text) => ({ text, bold: own })),
    // The waves stand below too: where there is little room, files come first.
    ...(isTight ? [] : [{ text: `wave ${wave || '-'}, ${waits}`, dim: true }, { text: '' }]),
  ];
  const body = Math.max(1, height - 2 - facts.length);
  const top = own ? Math.max(0, Math.min(fileRow - body + 2, task.files.length - body)) : 0;
  const files = task.files.slice(top, top + body).map((file, index) => {
    const size = port.fileSize(file);
    const words = size === null ? 'new' : sizeWords(size);
    const name = shortPath(file, inner - words.length - 1);
    return {
      text: fill(name, inner - words.length - 1) + fillLeft(words, words.length + 1),
      inverse: own && top + index === fileRow,
    };
  });
  const none = task.files.length === 0 ? [{ text: 'the whole repository', dim: true }] : [];
  const lines: { text: string; bold?: boolean; dim?: boolean; inverse?: boolean }[] = [
    ...facts,
    ...files,
    ...none,
  ];
  const padded = Array.from(
    { length: Math.max(0, height - 2) },
    (_, index) => lines[index] ?? { text: '' },
  );
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      <Line colour={border}>{edge(glyphs.topLeft, glyphs.topRight)}</Line>
      {padded.map(({ text, bold, dim, inverse }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Box key={index}>
          <Line colour={border}>{`${glyphs.bar} `}</Line>
          <Line bold={bold} dim={dim} inverse={inverse}>
            {fill(text, inner)}
          </Line>
          <Line colour={border}>{` ${glyphs.bar}`}</Line>
        </Box>
      ))}
      <Line colour={border}>{edge(glyphs.bottomLeft, glyphs.bottomRight)}</Line>
    </Box>
  );
}

/** A path whose end, which tells most, stays. */
function shortPath(file: string, width: number): string {
  const chars = [...file];
  return chars.length <= width
    ? file
    : `…${chars.slice(chars.length - Math.max(0, width - 1)).join('')}`;
}

/** Bytes for a person. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
