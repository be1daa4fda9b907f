import { Box } from 'ink';
import { useState } from 'react';
import { waves } from '../../core/plan/group-edits.js';
import { dollars, dollarsIn } from '../../core/policy/budget.js';
import { outsideGlob } from '../../core/policy/paths.js';
import { unsignedWords } from '../../core/text/words.js';
import { type ActionsOf, useActions } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame, useNote } from '../components/screen-frame.js';
import { ScrollText } from '../components/scroll-text.js';
import type { Keymap } from '../keymap.js';
import type { RunWishes, WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import type { Wizard } from '../wizard.js';
import { useModelDialog } from './keys-and-models.js';

export interface StartScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  /** Gives why it could not be started; null when it was. */
  readonly onStart: () => Promise<string | null>;
  readonly onBack: () => void;
}

/** What lands, and by which key, in the order in which a person chooses. */
function landWords(keymap: Keymap): Readonly<Record<RunWishes['land'], string>> {
  const key = keymap.label('summary.land');
  return {
    all: 'when all agents succeed, the merged work lands',
    any: 'the merged work of the agents that succeed lands',
    ask: `when all agents succeed, the merged work waits for your look; ${key} lands it`,
    none: `nothing lands by itself; ${key} on the summary lands it`,
  };
}

/** Everything that will happen, on one screen, before it does. */
export function startFacts(
  port: WizardPort,
  wizard: Wizard,
  keymap: Keymap,
): (readonly [string, string])[] {
  const { facts } = port;
  const { wishes } = wizard;
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
    ['Model', wishes.model],
    [
      'Iterations',
      `at most ${wishes.maxIterations} for each agent, and ${minutesWords(wishes.timeoutMs)}`,
    ],
    [
      'Budget',
      wishes.budgetUsd === null
        ? 'no limit'
        : `${dollars(wishes.budgetUsd)}; a warning at 80 %, and no message is sent when it is spent`,
    ],
    ['PRD', wizard.draft?.prd ? (wizard.draft.prdPath ?? 'docs/prd/') : 'none'],
    ['Evidence', 'for each agent: a clean exit, whole answers, a diff in its own files'],
    ['Tests', testFacts(port, wizard, keymap)],
    [
      'Review',
      wishes.review
        ? `by ${facts.reviewModel ?? wizard.draft?.model ?? facts.geminiModel}: each agent's diff against the PRD, in the end the whole diff`
        : `none (${keymap.label('start.review')} turns it on)`,
    ],
    ['Set-up', wishes.setupCmd === '' ? 'none' : `${wishes.setupCmd}, in each worktree`],
    ['Copies', wishes.copy.length === 0 ? 'none' : `${wishes.copy.join(', ')}, to each worktree`],
    [
      'Worktrees',
      'one for each agent, outside your checkout, which stays as it is while they work',
    ],
    [
      'Results',
      '.aider_logs/ (logs, recordings, summary), branches aider/<run>/agent<N> and aider/<run>/merged',
    ],
    [
      'Landing',
      wishes.land === 'none'
        ? landWords(keymap).none
        : `${landWords(keymap)[wishes.land]} on ${where} by fast-forward`,
    ],
    ...(facts.signs ? [['Signing', unsignedWords] as const] : []),
  ];
}

/** What is done where the tests fail on the base, in the order in which `b` goes through them. */
const redBaseWords: Readonly<Record<RunWishes['redBase'], string>> = {
  ask: 'you are asked',
  fix: 'continue, and only green work lands',
  report: 'continue, and only report them',
  stop: 'stop',
};

function nextOf(redBase: RunWishes['redBase']): RunWishes['redBase'] {
  const all = Object.keys(redBaseWords) as RunWishes['redBase'][];
  return all[(all.indexOf(redBase) + 1) % all.length] as RunWishes['redBase'];
}

/** Which tests decide, and when. */
function testFacts({ facts }: WizardPort, { wishes }: Wizard, keymap: Keymap): string {
  const key = keymap.label('start.test');
  if (wishes.testCmd === '') {
    const { proposal } = facts;
    const how = proposal
      ? `${key} takes \`${proposal.command}\` (from ${proposal.from})`
      : `${key} sets a command`;
    return `no tests configured: the work lands untested (${how})`;
  }
  return `${wishes.testCmd}: on the base first, then on each agent's work and on the merged work. If they fail on the base: ${redBaseWords[wishes.redBase]} (${keymap.label('start.redBase')})`;
}

function minutesWords(ms: number): string {
  const minutes = ms / 60_000;
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/** One setting of a run: how it reads, and how a person gives another value. */
interface Setting {
  readonly name: string;
  readonly value: string;
  readonly change: () => void;
}

const mostCount = 1000;
const mostMinutes = 10_000;

function globsIn(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

/** Everything about a run that can be decided here. */
function useSettings(port: WizardPort, wizard: Wizard, say: (text: string) => void): Setting[] {
  const dialogs = useDialogs();
  const askModel = useModelDialog(port);
  const { keymap } = useEnvironment();
  const { wishes } = wizard;
  const field = (
    title: string,
    lines: readonly string[],
    initial: string,
    /** Why a value cannot be taken, a sentence; null when it can. */
    problem: (text: string) => string | null,
    take: (text: string) => void,
  ) =>
    dialogs.open({
      kind: 'field',
      title,
      lines,
      initial,
      problem: (text) => problem(text.trim()),
      onDone: (text) => {
        take(text.trim());
        say(`${title}: ${text.trim() === '' ? 'none' : text.trim()}.`);
      },
    });
  const choose = (
    title: string,
    items: readonly string[],
    now: number,
    take: (index: number) => void,
  ) =>
    dialogs.open({
      kind: 'choose',
      title,
      items,
      initial: now,
      onDone: (index) => {
        take(index);
        say(`${title}: ${items[index]}.`);
      },
    });
  const noWhole = (text: string): string | null => {
    const count = Number(text);
    const fits = text !== '' && Number.isInteger(count) && count >= 1 && count <= mostCount;
    return fits ? null : `Enter a whole number from 1 to ${mostCount}.`;
  };
  const anything = () => null;
  const landing = landWords(keymap);
  const lands = Object.keys(landing) as RunWishes['land'][];
  const ways = Object.keys(redBaseWords) as RunWishes['redBase'][];
  const minutes = wishes.timeoutMs / 60_000;
  return [
    {
      name: 'Model',
      value: wishes.model,
      change: () =>
        askModel(wishes.model, (model) => {
          wizard.wish({ model });
          say(`Model: ${model}.`);
        }),
    },
    {
      name: 'Agents at once',
      value: String(wizard.maxAgents),
      change: () =>
        field('Agents at once', [], String(wizard.maxAgents), noWhole, (text) =>
          wizard.setMaxAgents(Number(text)),
        ),
    },
    {
      name: 'Iterations',
      value: `at most ${wishes.maxIterations} for each agent`,
      change: () =>
        field('Iterations of each agent', [], String(wishes.maxIterations), noWhole, (text) =>
          wizard.wish({ maxIterations: Number(text) }),
        ),
    },
    {
      name: 'Time',
      value: `at most ${minutesWords(wishes.timeoutMs)} for each agent`,
      change: () =>
        field(
          'Minutes for each agent',
          [],
          String(minutes),
          (text) =>
            Number(text) > 0 && Number(text) <= mostMinutes
              ? null
              : `Enter a number of minutes, at most ${mostMinutes}.`,
          (text) => wizard.wish({ timeoutMs: Math.max(1000, Math.round(Number(text) * 60_000)) }),
        ),
    },
    {
      name: 'Budget',
      value: wishes.budgetUsd === null ? 'no limit' : dollars(wishes.budgetUsd),
      change: () =>
        field(
          'Budget',
          ['US dollars that all agents may cost together; empty for no limit.'],
          wishes.budgetUsd === null ? '' : String(wishes.budgetUsd),
          (text) => {
            const usd = dollarsIn(text);
            return usd === null || usd > 0 ? null : `${text} is not an amount of dollars.`;
          },
          (text) => wizard.wish({ budgetUsd: dollarsIn(text) }),
        ),
    },
    {
      name: 'Landing',
      value: landing[wishes.land],
      change: () =>
        choose(
          'Landing',
          lands.map((land) => landing[land]),
          lands.indexOf(wishes.land),
          (index) => wizard.wish({ land: lands[index] as RunWishes['land'] }),
        ),
    },
    {
      name: 'Tests',
      value: wishes.testCmd === '' ? 'none' : wishes.testCmd,
      change: () =>
        field(
          'Test command',
          ['It decides whether work counts; empty for no tests.'],
          wishes.testCmd || (port.facts.proposal?.command ?? ''),
          anything,
          (testCmd) => wizard.wish({ testCmd }),
        ),
    },
    {
      name: 'Red base',
      value: redBaseWords[wishes.redBase],
      change: () =>
        choose(
          'If the tests fail on the base',
          ways.map((way) => redBaseWords[way]),
          ways.indexOf(wishes.redBase),
          (index) => wizard.wish({ redBase: ways[index] as RunWishes['redBase'] }),
        ),
    },
    {
      name: 'Review',
      value: wishes.review ? 'on' : 'off',
      change: () => {
        wizard.wish({ review: !wishes.review });
        say(`Review: ${wishes.review ? 'off' : 'on'}.`);
      },
    },
    {
      name: 'Set-up',
      value: wishes.setupCmd === '' ? 'none' : wishes.setupCmd,
      change: () =>
        field(
          'Set-up command',
          ['It prepares each worktree, such as npm ci; empty for none.'],
          wishes.setupCmd,
          anything,
          (setupCmd) => wizard.wish({ setupCmd }),
        ),
    },
    {
      name: 'Copies',
      value: wishes.copy.length === 0 ? 'none' : wishes.copy.join(' '),
      change: () =>
        field(
          'Files that each worktree gets',
          ['Ignored files such as .env.test, as globs, with spaces between them; empty for none.'],
          wishes.copy.join(' '),
          (text) => {
            const outside = outsideGlob(globsIn(text));
            return outside === undefined ? null : `${outside} leads out of the repository.`;
          },
          (text) => wizard.wish({ copy: globsIn(text) }),
        ),
    },
  ];
}

/** Step 4: the last look. */
export function StartScreen({ port, wizard, onStart, onBack }: StartScreenProps) {
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const dialogs = useDialogs();
  const note = useNote();
  const { say } = note;
  const [starting, setStarting] = useState(false);
  const [searching, setSearching] = useState(false);
  const settings = useSettings(port, wizard, say);
  const setting = (name: string) => settings.find((one) => one.name === name)?.change ?? (() => {});
  const width = Math.max(...settings.map(({ name }) => name.length));
  const go = async () => {
    setStarting(true);
    say('Starting…');
    const problem = await onStart();
    if (problem === null) return;
    setStarting(false);
    say(problem);
  };
  const actions: ActionsOf<'start'> = {
    'start.go': { run: () => void go() },
    'start.back': { run: onBack },
    'start.change': {
      run: () =>
        void dialogs.open({
          kind: 'choose',
          title: 'Change a setting of this run',
          items: settings.map(({ name, value }) => `${name.padEnd(width)}  ${value}`),
          onDone: (index) => settings[index]?.change(),
        }),
    },
    'start.model': { run: setting('Model') },
    'start.test': { run: setting('Tests') },
    'start.review': { run: setting('Review') },
    'start.redBase': {
      run: () => {
        const redBase = nextOf(wizard.wishes.redBase);
        wizard.wish({ redBase });
        say(`If the tests fail on the base: ${redBaseWords[redBase]}.`);
      },
      refusal: wizard.wishes.testCmd === '' ? 'no tests are configured' : null,
    },
  };
  useActions({
    active: !dialogs.isOpen && !starting && !searching,
    context: 'start',
    actions,
    say,
  });
  const lines = startFacts(port, wizard, keymap).flatMap(([name, value]) =>
    proseLines(value, Math.max(8, cols - 15)).map(
      (text, row) => `\x1b[1m${fill(row === 0 ? name : '', 12)}\x1b[22m${text}`,
    ),
  );
  const body = Math.max(2, rows - 4 - note.height);
  return (
    <ScreenFrame
      context="start"
      note={note}
      actions={actions}
      hints={[
        'start.go',
        'start.back',
        'start.change',
        'start.test',
        'start.redBase',
        'start.model',
        'start.review',
      ]}
    >
      <Line bold>
        {fill(` This is what will happen. ${keymap.label('start.go')} starts it.`, cols)}
      </Line>
      <Line> </Line>
      <Box paddingX={1} height={body} overflow="hidden">
        <ScrollText
          lines={lines}
          width={cols - 2}
          height={body}
          active={!dialogs.isOpen && !starting}
          say={say}
          onSearching={setSearching}
        />
      </Box>
    </ScreenFrame>
  );
}
