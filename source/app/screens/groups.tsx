import { Box } from 'ink';
import { useState } from 'react';
import { waves } from '../../core/group-edits.js';
import { checkPlan } from '../../core/groups.js';
import type { Task } from '../../core/plan.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame } from '../components/screen-frame.js';
import { useEditor } from '../editor.js';
import type { WizardPort } from '../ports.js';
import {
  type ActionHandlers,
  afterClearing,
  useActions,
  useEnvironment,
  useSize,
} from '../surface.js';
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

/** What keeps the groups from being started, in words; empty when nothing does. */
function groupProblems(tasks: readonly Task[]): string[] {
  return tasks.length === 0 ? ['there is no group'] : checkPlan(tasks);
}

/** Step 3: who changes which files, what runs at once and what waits. */
export function GroupsScreen({ port, wizard, onNext, onBack }: GroupsScreenProps) {
  const { cols, rows } = useSize();
  const { theme } = useEnvironment();
  const dialogs = useDialogs();
  const [chosen, setChosen] = useState(0);
  const [row, setRow] = useState(0);
  const [note, setNote] = useState('');
  const tasks = wizard.draft?.tasks ?? [];
  const group = Math.min(chosen, Math.max(0, tasks.length - 1));
  const task = tasks[group];
  const fileRow = Math.min(row, Math.max(0, (task?.files.length ?? 1) - 1));
  const file = task?.files[fileRow];
  const problems = groupProblems(tasks);
  const plan = waves(tasks, wizard.maxAgents);

  const choose = (to: number) => {
    // A group that is just being added is there with the next frame.
    setChosen(Math.max(0, to));
    setRow(0);
    setNote('');
  };
  const edits = useGroupEdits({ port, wizard, task, file, group, choose, setNote });
  const handlers: ActionHandlers = {
    ...edits,
    'groups.next': () => {
      if (problems.length === 0) onNext();
      else setNote('This plan cannot be started: see above.');
    },
    'groups.back': onBack,
    'groups.left': () => choose(group - 1),
    'groups.right': (key) =>
      choose(key === 'tab' ? (group + 1) % Math.max(1, tasks.length) : group + 1),
    'groups.up': () => setRow(Math.max(0, fileRow - 1)),
    'groups.down': () => setRow(Math.min((task?.files.length ?? 1) - 1, fileRow + 1)),
  };
  useActions(!dialogs.isOpen, 'groups', afterClearing(setNote, handlers));

  // The way out stands at the end of the sentence, so it must not be cut off.
  const problemLines = problems.flatMap((text) => proseLines(text, cols - 3)).slice(0, 4);
  const height = Math.max(3, rows - 6 - problemLines.length);
  const glyphs = glyphsOf(theme);
  const waveText = plan
    .map((ids, index) => `${index + 1}: ${ids.join(' ')}`)
    .join(`  ${glyphs.bar}  `);
  return (
    <ScreenFrame
      context="groups"
      note={note}
      hints={[
        ['groups.next', 'go on'],
        ['groups.back', 'back'],
        ['groups.moveRight', 'move file'],
        ['groups.files', 'add files'],
        ['groups.leaveOut', 'leave out'],
        ['groups.rename', 'rename'],
        ['groups.edit', 'text'],
        ['groups.wait', 'wait for'],
        ['groups.split', 'split'],
        ['groups.merge', 'merge'],
        ['groups.undo', 'undo'],
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
      <Line bold>{fill(` Waves with ${wizard.maxAgents} at once  ${waveText}`, cols)}</Line>
      {problemLines.map((problem, line) => (
        <Line key={problem} colour="red">
          {fill(` ${line === 0 ? glyphs.bad : ' '} ${problem}`, cols)}
        </Line>
      ))}
    </ScreenFrame>
  );
}

interface EditFacts {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly task: Task | undefined;
  readonly file: string | undefined;
  readonly group: number;
  readonly choose: (group: number) => void;
  readonly setNote: (note: string) => void;
}

function useGroupEdits(facts: EditFacts): ActionHandlers {
  const { port, wizard, task, file, group, choose, setNote } = facts;
  const openEditor = useEditor(port, setNote);
  const dialogs = useDialogs();
  const tasks = wizard.draft?.tasks ?? [];
  const neighbourOf = (step: 1 | -1) => tasks[group + step];
  const move = (step: 1 | -1) => () => {
    const to = neighbourOf(step);
    if (!task || !file || !to) return setNote('there is no group on that side');
    wizard.edit({ type: 'move_file', file, from: task.id, to: to.id });
    setNote(`${file} is ${to.id}'s now`);
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
  const agents: ActionHandlers = {
    'groups.more': () => wizard.setMaxAgents(wizard.maxAgents + 1),
    'groups.fewer': () => wizard.setMaxAgents(wizard.maxAgents - 1),
    'groups.undo': () => setNote(wizard.undoEdit() ? 'Undone.' : 'Nothing to undo.'),
    'groups.add': () =>
      dialogs.open({
        kind: 'field',
        title: 'New group',
        lines: ['What is it to do?'],
        onDone: (title) => {
          if (title.trim() === '') return;
          wizard.edit({ type: 'add', title });
          choose(tasks.length);
        },
      }),
  };
  if (!task) return agents;
  const others = tasks.filter((one) => one !== task);
  return {
    ...agents,
    'groups.moveRight': move(1),
    'groups.moveLeft': move(-1),
    'groups.rename': () =>
      dialogs.open({
        kind: 'field',
        title: `Rename ${task.id}`,
        initial: task.title,
        onDone: (title) => wizard.edit({ type: 'rename', id: task.id, title }),
      }),
    'groups.split': () => {
      if (task.files.length < 2) setNote('A group with one file cannot be split.');
      else wizard.edit({ type: 'split', id: task.id });
    },
    'groups.merge': () => {
      const next = neighbourOf(1);
      if (next) wizard.edit({ type: 'merge', id: next.id, into: task.id });
      else setNote('There is no next group to merge with.');
    },
    'groups.delete': () => wizard.edit({ type: 'delete', id: task.id }),
    'groups.files': () =>
      dialogs.open({
        kind: 'find',
        title: `Files for ${task.id}`,
        items: port.trackedFiles().filter((one) => !task.files.includes(one)),
        onDone: (files) => wizard.edit({ type: 'add_files', id: task.id, files }),
      }),
    'groups.leaveOut': () => {
      if (file) wizard.edit({ type: 'leave_out', id: task.id, file });
    },
    'groups.edit': () => void editText(task),
    'groups.wait': () => {
      if (others.length === 0) return setNote('There is no other group.');
      dialogs.open({
        kind: 'choose',
        title: `${task.id} waits for (again: no more)`,
        items: others.map(
          (one) => `${task.depends_on.includes(one.id) ? '[x]' : '[ ]'} ${one.id} ${one.title}`,
        ),
        onDone: (index) =>
          wizard.edit({ type: 'depend', id: task.id, on: (others[index] as Task).id }),
      });
    },
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
          more={(index === 0 && first > 0) || (index === count - 1 && first + count < tasks.length)}
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
  /** There are further groups on this side. */
  readonly more: boolean;
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
  const facts = [
    { text: `${own ? glyphs.arrow : ' '}${task.id}${more ? ` ${glyphs.more}` : ''}`, bold: true },
    { text: task.title, bold: own },
    { text: `wave ${wave || '-'}, ${waits}`, dim: true },
    { text: '' },
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
  const none = task.files.length === 0 ? [{ text: 'no files: all of them', dim: true }] : [];
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
