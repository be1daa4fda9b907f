import { editGroups } from '../../core/plan/group-edits.js';
import type { Task } from '../../core/plan/plan.js';
import { type PathFacts, refusePath } from '../../core/policy/paths.js';
import type { Action, NameOf } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { useEditor } from '../editor.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import type { Wizard } from '../wizard.js';

/** One list for all of them, so that what depends on it is not done again. */
export const noTasks: readonly Task[] = [];
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
export function useGroupEdits(facts: EditFacts): { readonly [Name in Edits]: Action } {
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
