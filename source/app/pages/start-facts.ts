import { waves } from '../../core/plan/group-edits.js';
import { dollars } from '../../core/policy/budget.js';
import { unsignedWords } from '../../core/text/words.js';
import type { Keymap } from '../keymap.js';
import type { RunChoices, WizardPort } from '../ports.js';
import type { Wizard } from '../wizard.js';

/** What lands, and by which key, in the order in which a person chooses. */
export function landWords(keymap: Keymap): Readonly<Record<RunChoices['land'], string>> {
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

export function minutesWords(ms: number): string {
  const minutes = ms / 60_000;
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/** What is done where the tests fail on the base, in the order in which `b` goes through them. */
export const redBaseWords: Readonly<Record<RunChoices['redBase'], string>> = {
  ask: 'you are asked',
  fix: 'continue, and only green work lands',
  report: 'continue, and only report them',
  stop: 'stop',
};
