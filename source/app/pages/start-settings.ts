import { dollars, dollarsIn } from '../../core/policy/budget.js';
import { outsideGlob } from '../../core/policy/paths.js';
import { useDialogs } from '../components/dialogs.js';
import type { RunChoices, WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import type { Wizard } from '../wizard.js';
import { useModelDialog } from './keys-and-models.js';
import { landWords, minutesWords, redBaseWords } from './start-facts.js';

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
export function useSettings(
  port: WizardPort,
  wizard: Wizard,
  say: (text: string) => void,
): Setting[] {
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
