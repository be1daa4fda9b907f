import { useEffect, useMemo, useState } from 'react';
import { waves } from '../../core/plan/group-edits.js';
import { checkPlan } from '../../core/plan/groups.js';
import type { Task } from '../../core/plan/plan.js';
import { type ActionsOf, useActions } from '../actions.js';
import { Columns } from '../components/group-columns.js';
import { Line } from '../components/line.js';
import { PageFrame, useNote } from '../components/page-frame.js';
import { Rows } from '../components/rows.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import type { Wizard } from '../wizard.js';
import { noTasks, useGroupEdits } from './group-actions.js';

export interface GroupsPageProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onBack: () => void;
}

/** What keeps the groups from being started, in words; empty when nothing does, or while it is looked up. */
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
export function GroupsPage({ port, wizard, onNext, onBack }: GroupsPageProps) {
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
    <PageFrame
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
    </PageFrame>
  );
}
