import { Box } from 'ink';
import { useState } from 'react';
import { dollars } from '../../core/budget.js';
import { waves } from '../../core/group-edits.js';
import { unsignedWords } from '../../core/words.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame } from '../components/screen-frame.js';
import { ScrollText } from '../components/scroll-text.js';
import type { RunWishes, WizardPort } from '../ports.js';
import { useActions, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import type { Wizard } from '../wizard.js';

export interface StartScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  /** Gives why it could not be started; null when it was. */
  readonly onStart: () => Promise<string | null>;
  readonly onBack: () => void;
}

const landWords = {
  all: 'when all agents succeed, the merged work lands',
  any: 'the merged work of those that succeed lands',
  none: 'nothing lands by itself',
} as const;

/** Everything that will happen, on one screen, before it does. */
export function startFacts(port: WizardPort, wizard: Wizard): (readonly [string, string])[] {
  const { facts } = port;
  const tasks = wizard.draft?.tasks ?? [];
  const plan = waves(tasks, wizard.maxAgents);
  const where = facts.branch ?? 'a detached HEAD';
  return [
    ['Change', wizard.change.text.trim().replace(/\s+/g, ' ')],
    ['Repository', facts.repo],
    ['Base', `${where} at ${facts.base.slice(0, 12)} ${facts.baseTitle}`],
    [
      'Agents',
      `${tasks.length}, at most ${wizard.maxAgents} at once, in ${plan.length === 1 ? '1 wave' : `${plan.length} waves`}${facts.simulated ? ' (SIMULATED)' : ''}`,
    ],
    ...tasks.map((task): readonly [string, string] => [
      `  ${task.id}`,
      `${task.title}: ${task.files.length === 0 ? 'the whole repository' : task.files.join(', ')}${task.depends_on.length > 0 ? ` (after ${task.depends_on.join(', ')})` : ''}`,
    ]),
    ['Model', facts.model],
    [
      'Iterations',
      `at most ${facts.maxIterations} for each agent, and ${facts.timeoutMs / 60_000} minutes`,
    ],
    [
      'Budget',
      facts.budgetUsd === null
        ? 'no limit'
        : `${dollars(facts.budgetUsd)}, a warning at 80 %; then no more messages`,
    ],
    ['PRD', wizard.draft?.prd ? (wizard.draft.prdPath ?? 'docs/prd/') : 'none'],
    ['Evidence', 'of each agent: a clean exit, whole answers, a diff in its own files'],
    ['Tests', testFacts(port, wizard)],
    [
      'Review',
      wizard.wishes.review
        ? `by ${facts.reviewModel ?? wizard.draft?.model ?? facts.geminiModel}: each agent's diff against the PRD, in the end the whole`
        : 'none; v has the work reviewed',
    ],
    ['Set-up', facts.setupCmd ?? 'none'],
    [
      'Worktrees',
      'one for each agent, outside of your checkout, which stays as it is while they work',
    ],
    [
      'Results',
      '.aider_logs/ (logs, recordings, summary), branches aider/<run>/agent<N> and aider/<run>/merged',
    ],
    [
      'Landing',
      facts.land === 'none'
        ? landWords.none
        : `${landWords[facts.land]} on ${where} by fast-forward`,
    ],
    ...(facts.signs ? [['Signing', unsignedWords] as const] : []),
  ];
}

/** What is done where the tests fail on the base, in the order in which `b` goes through them. */
const redBaseWords: Readonly<Record<RunWishes['redBase'], string>> = {
  ask: 'you are asked',
  fix: 'go on, and only green work lands',
  report: 'go on, and only report them',
  stop: 'stop',
};

function nextOf(redBase: RunWishes['redBase']): RunWishes['redBase'] {
  const all = Object.keys(redBaseWords) as RunWishes['redBase'][];
  return all[(all.indexOf(redBase) + 1) % all.length] as RunWishes['redBase'];
}

/** Which tests decide, and when. */
function testFacts({ facts }: WizardPort, { wishes }: Wizard): string {
  if (wishes.testCmd === '') {
    const { proposal } = facts;
    const how = proposal
      ? `t takes \`${proposal.command}\` (${proposal.from})`
      : 't names a command';
    return `none: the work lands untested; ${how}`;
  }
  return `${wishes.testCmd} (on the base first; then on each agent's work, and on what is merged). Where they fail on the base: ${redBaseWords[wishes.redBase]} (b)`;
}

/** Step 4: the last look. */
export function StartScreen({ port, wizard, onStart, onBack }: StartScreenProps) {
  const { cols, rows } = useSize();
  const dialogs = useDialogs();
  const [note, setNote] = useState('');
  const [starting, setStarting] = useState(false);
  const [searching, setSearching] = useState(false);
  useActions(!dialogs.isOpen && !starting && !searching, 'start', {
    'start.go': () => {
      setStarting(true);
      setNote('Starting…');
      void onStart().then((problem) => {
        if (problem === null) return;
        setStarting(false);
        setNote(problem);
      });
    },
    'start.back': onBack,
    'start.test': () =>
      dialogs.open({
        kind: 'field',
        title: 'The tests',
        lines: ['The command that tells whether all is well; empty goes without.'],
        initial: wizard.wishes.testCmd || (port.facts.proposal?.command ?? ''),
        onDone: (command) => wizard.wish({ testCmd: command.trim() }),
      }),
    'start.review': () => wizard.wish({ review: !wizard.wishes.review }),
    'start.redBase': () => {
      if (wizard.wishes.testCmd === '') setNote('No tests are run.');
      else wizard.wish({ redBase: nextOf(wizard.wishes.redBase) });
    },
  });
  const lines = startFacts(port, wizard).flatMap(([name, value]) =>
    proseLines(value, Math.max(8, cols - 15)).map(
      (text, row) => `\x1b[1m${fill(row === 0 ? name : '', 12)}\x1b[22m${text}`,
    ),
  );
  const body = Math.max(2, rows - 5);
  return (
    <ScreenFrame
      context="start"
      note={note}
      hints={[
        ['start.go', 'start the agents'],
        ['start.test', 'tests'],
        ...(wizard.wishes.testCmd === '' ? [] : ([['start.redBase', 'red base']] as const)),
        ['start.review', 'review'],
        ['start.back', 'back'],
      ]}
    >
      <Line bold>{fill(' This will happen. Enter starts it.', cols)}</Line>
      <Line> </Line>
      <Box paddingX={1} height={body} overflow="hidden">
        <ScrollText
          lines={lines}
          width={cols - 2}
          height={body}
          active={!dialogs.isOpen && !starting}
          onSearching={setSearching}
        />
      </Box>
    </ScreenFrame>
  );
}
