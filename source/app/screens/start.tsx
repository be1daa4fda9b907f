// Longer than 300 lines: one screen, most of it the table of its settings.
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
import type { RunChoices, WizardPort } from '../ports.js';
import { useEnvironment, useNewLayer, useSize } from '../surface.js';
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
function landWords(keymap: Keymap): Readonly<Record<RunChoices['land'], string>> {
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
  const { choices } = wizard;
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
    ...(facts.agentCmd === null
      ? [['Model', choices.model] as const]
      : [['Run by', facts.agentCmd] as const]),
    [
      'Iterations',
      `at most ${choices.maxIterations} for each agent, and ${minutesWords(choices.timeoutMs)}`,
    ],
    [
      'Budget',
      choices.budgetUsd === null
        ? facts.agentCmd === null
          ? 'no limit'
          : 'none: the command tells no cost'
        : `${dollars(choices.budgetUsd)}; a warning at 80 %, and no message is sent when it is spent`,
    ],
    ['PRD', wizard.draft?.prd ? (wizard.draft.prdPath ?? 'docs/prd/') : 'none'],
    ['Evidence', 'for each agent: a clean exit, whole answers, a diff in its own files'],
    ['Tests', testFacts(port, wizard, keymap)],
    [
      'Review',
      choices.review
        ? `by ${facts.reviewModel ?? wizard.draft?.model ?? facts.geminiModel}: each agent's diff against the PRD, in the end the whole diff`
        : `none (${keymap.label('start.review')} turns it on)`,
    ],
    ['Set-up', choices.setupCmd === '' ? 'none' : `${choices.setupCmd}, in each worktree`],
    ['Copies', choices.copy.length === 0 ? 'none' : `${choices.copy.join(', ')}, to each worktree`],
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
      choices.land === 'none'
        ? landWords(keymap).none
        : `${landWords(keymap)[choices.land]} on ${where} by fast-forward`,
    ],
    ...(facts.signs ? [['Signing', unsignedWords] as const] : []),
  ];
}

/** What is done where the tests fail on the base, in the order in which `b` goes through them. */
const redBaseWords: Readonly<Record<RunChoices['redBase'], string>> = {
  ask: 'you are asked',
  fix: 'continue, and only green work lands',
  report: 'continue, and only report them',
  stop: 'stop',
};

function nextOf(redBase: RunChoices['redBase']): RunChoices['redBase'] {
  const all = Object.keys(redBaseWords) as RunChoices['redBase'][];
  return all[(all.indexOf(redBase) + 1) % all.length] as RunChoices['redBase'];
}

/** Which tests decide, and when. */
function testFacts({ facts }: WizardPort, { choices }: Wizard, keymap: Keymap): string {
  const key = keymap.label('start.test');
  if (choices.testCmd === '') {
    const { proposal } = facts;
    const how = proposal
      ? `${key} takes \`${proposal.command}\` (from ${proposal.from})`
      : `${key} sets a command`;
    return `no tests configured: the work lands untested (${how})`;
  }
  return `${choices.testCmd}: on the base first, then on each agent's work and on the merged work. If they fail on the base: ${redBaseWords[choices.redBase]} (${keymap.label('start.redBase')})`;
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
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one entry for each setting.
function useSettings(port: WizardPort, wizard: Wizard, say: (text: string) => void): Setting[] {
  const dialogs = useDialogs();
  const askModel = useModelDialog(port);
  const { keymap } = useEnvironment();
  const { choices } = wizard;
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
  const lands = Object.keys(landing) as RunChoices['land'][];
  const ways = Object.keys(redBaseWords) as RunChoices['redBase'][];
  const minutes = choices.timeoutMs / 60_000;
  const budget: Setting = {
    name: 'Budget',
    value: choices.budgetUsd === null ? 'no limit' : dollars(choices.budgetUsd),
    change: () =>
      field(
        'Budget',
        ['US dollars that all agents may cost together; empty for no limit.'],
        choices.budgetUsd === null ? '' : String(choices.budgetUsd),
        (text) => {
          const usd = dollarsIn(text);
          return usd === null || usd > 0 ? null : `${text} is not an amount of dollars.`;
        },
        (text) => wizard.choose({ budgetUsd: dollarsIn(text) }),
      ),
  };
  return [
    {
      name: 'Model',
      value: choices.model,
      change: () =>
        askModel(choices.model, (model) => {
          wizard.choose({ model });
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
      value: `at most ${choices.maxIterations} for each agent`,
      change: () =>
        field('Iterations of each agent', [], String(choices.maxIterations), noWhole, (text) =>
          wizard.choose({ maxIterations: Number(text) }),
        ),
    },
    {
      name: 'Time',
      value: `at most ${minutesWords(choices.timeoutMs)} for each agent`,
      change: () =>
        field(
          'Minutes for each agent',
          [],
          String(minutes),
          (text) =>
            Number(text) > 0 && Number(text) <= mostMinutes
              ? null
              : `Enter a number of minutes, at most ${mostMinutes}.`,
          (text) => wizard.choose({ timeoutMs: Math.max(1000, Math.round(Number(text) * 60_000)) }),
        ),
    },
    ...(port.facts.agentCmd === null ? [budget] : []),
    {
      name: 'Landing',
      value: landing[choices.land],
      change: () =>
        choose(
          'Landing',
          lands.map((land) => landing[land]),
          lands.indexOf(choices.land),
          (index) => wizard.choose({ land: lands[index] as RunChoices['land'] }),
        ),
    },
    {
      name: 'Tests',
      value: choices.testCmd === '' ? 'none' : choices.testCmd,
      change: () =>
        field(
          'Test command',
          ['It decides whether work counts; empty for no tests.'],
          choices.testCmd || (port.facts.proposal?.command ?? ''),
          anything,
          (testCmd) => wizard.choose({ testCmd }),
        ),
    },
    {
      name: 'Red base',
      value: redBaseWords[choices.redBase],
      change: () =>
        choose(
          'If the tests fail on the base',
          ways.map((way) => redBaseWords[way]),
          ways.indexOf(choices.redBase),
          (index) => wizard.choose({ redBase: ways[index] as RunChoices['redBase'] }),
        ),
    },
    {
      name: 'Review',
      value: choices.review ? 'on' : 'off',
      change: () => {
        wizard.choose({ review: !choices.review });
        say(`Review: ${choices.review ? 'off' : 'on'}.`);
      },
    },
    {
      name: 'Set-up',
      value: choices.setupCmd === '' ? 'none' : choices.setupCmd,
      change: () =>
        field(
          'Set-up command',
          ['It prepares each worktree, such as npm ci; empty for none.'],
          choices.setupCmd,
          anything,
          (setupCmd) => wizard.choose({ setupCmd }),
        ),
    },
    {
      name: 'Copies',
      value: choices.copy.length === 0 ? 'none' : choices.copy.join(' '),
      change: () =>
        field(
          'Files that each worktree gets',
          ['Ignored files such as .env.test, as globs, with spaces between them; empty for none.'],
          choices.copy.join(' '),
          (text) => {
            const outside = outsideGlob(globsIn(text));
            return outside === undefined ? null : `${outside} leads out of the repository.`;
          },
          (text) => wizard.choose({ copy: globsIn(text) }),
        ),
    },
  ];
}

/** Step 4: the last look. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function StartScreen({ port, wizard, onStart, onBack }: StartScreenProps) {
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const dialogs = useDialogs();
  const note = useNote();
  const { say } = note;
  const [starting, setStarting] = useState(false);
  // Meanwhile no key does anything here.
  useNewLayer(starting);
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
        const redBase = nextOf(wizard.choices.redBase);
        wizard.choose({ redBase });
        say(`If the tests fail on the base: ${redBaseWords[redBase]}.`);
      },
      refusal: wizard.choices.testCmd === '' ? 'no tests are configured' : null,
    },
  };
  useActions({
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
        <ScrollText lines={lines} width={cols - 2} height={body} say={say} />
      </Box>
    </ScreenFrame>
  );
}
