import { availableParallelism } from 'node:os';
import { type KeySettings, keyProblems } from '../app/keymap.js';
import type { Failure } from '../core/policy/failure.js';
import { outsideGlob } from '../core/policy/paths.js';
import { type RedBase, redBases } from '../core/policy/test-report.js';
import type { TestCommand } from '../core/policy/test-run.js';
import { err, ok, type Result } from '../core/result.js';
import { type LandRule, landRules, type ReviewPlan } from '../core/run/config.js';
import { type FlagValues, flagOption, optionTable } from '../services/config/option-table.js';
import { repoSettingsName, type Settings } from '../services/config/settings.js';
import { flagValue, OptionReader, type Sources } from './option-reader.js';

/** What a run was asked for, from all sources together. */
export interface RunOptions {
  readonly model: string;
  readonly geminiModel: string;
  readonly maxAgents: number;
  readonly maxIterations: number;
  readonly timeoutMs: number;
  readonly land: LandRule;
  readonly setupCmd: string | null;
  /** How the work is checked; null lands it untested. */
  readonly testCommand: TestCommand | null;
  /** What is done where the tests fail on the base; null where nobody has said it. */
  readonly redBase: RedBase | null;
  /** Glob of the JUnit reports that the tests write; null where none was named. */
  readonly testReport: string | null;
  /** The longest one run of the tests may take, milliseconds. */
  readonly testTimeoutMs: number;
  readonly copy: readonly string[];
  /** Globs of files that stop an agent at once when it changes them. */
  readonly protect: readonly string[];
  readonly maxFileBytes: number;
  readonly aider: string | null;
  /** Run for each attempt of an agent instead of Aider; null for Aider. */
  readonly agentCmd: string | null;
  readonly aiderArgs: readonly string[];
  /** Who reads the work before it counts; null for nobody. */
  readonly review: ReviewPlan | null;
  /** A model of Aider's that reviews; null for Gemini. */
  readonly reviewModel: string | null;
  /** Agents talk to their provider themselves. */
  readonly direct: boolean;
  /** Agents are forked from one Aider that is loaded once, where that is possible. */
  readonly warm: boolean;
  /** US dollars; null for no limit. */
  readonly budgetUsd: number | null;
  /** Of the screen. */
  readonly mouse: boolean;
  readonly notify: 'bell' | 'osc9' | 'off';
  readonly keys: KeySettings;
}

/** Flags that say the opposite of each other. */
const excluding = [
  ['claude', 'model'],
  ['quiet', 'verbose'],
  ['prd', 'withoutPrd'],
  ['testCmd', 'withoutTest'],
] as const;

/**
 * Flags over environment over the repository's settings over the user's over defaults.
 * @param aiderArgs what stands after `--`; it comes after the settings' arguments
 * @param testCmd of Aider's own configuration, where it is trusted
 */
export function resolveOptions(
  sources: Sources,
  aiderArgs: readonly string[],
  testCmd: string | null = null,
): Result<RunOptions, Failure> {
  const { flags, repo, user } = sources;
  const read = new OptionReader(sources);
  for (const [one, other] of excluding) {
    if (flagValue(flags, one) !== undefined && flagValue(flags, other) !== undefined)
      read.problems.push(`${flagOption(one)} and ${flagOption(other)} exclude each other`);
  }
  const agentCmd = read.text('agentCmd');
  const keys: KeySettings = { ...user.keys, ...repo.keys };
  const copy = read.list('copy');
  const options: RunOptions = {
    model: modelOf(sources, read),
    geminiModel: read.text('geminiModel') ?? optionTable.geminiModel.default,
    maxAgents: read.whole('maxAgents', availableParallelism()),
    maxIterations: read.whole('maxIterations', Number(optionTable.maxIterations.default)),
    timeoutMs: read.minutes('timeout', Number(optionTable.timeout.default)),
    land: read.choice('land', landRules) ?? optionTable.land.default,
    setupCmd: read.text('setupCmd'),
    ...testsOf(sources, read, testCmd),
    copy,
    // Protection adds up: a repository cannot take away what its user wants.
    protect: [...(user.protect ?? []), ...(repo.protect ?? [])],
    maxFileBytes: Number(read.text('maxFileMb') ?? optionTable.maxFileMb.default) * 1024 * 1024,
    aider: read.text('aider'),
    agentCmd,
    aiderArgs: [...read.list('aiderArgs'), ...aiderArgs],
    direct: flags.direct ?? false,
    warm: !flags.withoutWarm && read.isOn('warm', true),
    budgetUsd: read.dollars('budget'),
    mouse: read.isOn('mouse', true),
    notify: read.choice('notify', optionTable.notify.choices) ?? optionTable.notify.default,
    keys,
  };
  if (agentCmd !== null)
    read.problems.push(...beside(agentCmd, flags, aiderArgs, read.source('budget')));
  read.problems.push(...keyProblems(keys));
  const outside = outsideGlob(copy);
  if (outside !== undefined) read.problems.push(`--copy: ${outside} leads out of the repository`);
  if (read.problems.length === 0) return ok(options);
  return err({
    kind: 'usage',
    message: `${read.problems.join('; ')}.`,
    hint: 'aider-orchestrator --help lists all flags.',
  });
}

type TestOptions = Pick<
  RunOptions,
  'testCommand' | 'redBase' | 'testReport' | 'testTimeoutMs' | 'review' | 'reviewModel'
>;

/** What decides whether the work is good. */
function testsOf(sources: Sources, read: OptionReader, aiders: string | null): TestOptions {
  const { flags, repo, user } = sources;
  const testTimeoutMs = read.minutes('testTimeout', Number(optionTable.testTimeout.default));
  const testReport = read.text('testReport');
  const reviewModel = read.text('reviewModel');
  const reviews = flags.reviewModel !== undefined || read.isOn('review');
  const own = read.text('testCmd');
  const command = flags.withoutTest ? null : (own ?? aiders);
  return {
    testCommand:
      command === null
        ? null
        : {
            command,
            from: own === null ? '.aider.conf.yml' : whoseTests(sources),
            timeoutMs: testTimeoutMs,
            report: testReport,
          },
    testReport,
    testTimeoutMs,
    redBase: redBaseOf([flags.redBase, flags.allowRedBase], repo, user, read),
    review: reviews ? { model: reviewModel } : null,
    reviewModel,
  };
}

function whoseTests({ flags, repo }: Sources): string {
  if (flags.testCmd) return flagOption('testCmd');
  return repo.test_cmd ? repoSettingsName : 'your settings';
}

/** `--allow-red-base` is an older word for one of them: each source is asked for both before the next one. */
function redBaseOf(
  [how, isAllowed]: readonly [string | undefined, boolean | undefined],
  repo: Settings,
  user: Settings,
  read: OptionReader,
): RedBase | null {
  if (how) return read.choice('redBase', redBases);
  const allowed = (is: boolean | undefined) => (is ? 'report' : undefined);
  return (
    allowed(isAllowed) ??
    repo.red_base ??
    allowed(repo.allow_red_base) ??
    user.red_base ??
    allowed(user.allow_red_base) ??
    null
  );
}

/** What goes with Aider alone, and not with a command. */
function beside(
  command: string,
  flags: FlagValues,
  aiderArgs: readonly string[],
  budget: string | null,
): string[] {
  const problems: string[] = [];
  if (command.trim() === '') problems.push('--agent-cmd is blank');
  if (command.includes('\0')) problems.push('--agent-cmd holds a NUL byte');
  if (flags.aider !== undefined) problems.push('--agent-cmd and --aider exclude each other');
  if (aiderArgs.length > 0) problems.push('--agent-cmd takes no arguments for Aider (after --)');
  if (budget !== null) {
    problems.push(`--agent-cmd tells no cost, so a budget cannot be kept; leave ${budget} out`);
  }
  return problems;
}

function modelOf({ flags, env }: Sources, read: OptionReader): string {
  // An alias of Aider's own, so that it follows Aider to newer Claude models.
  if (flags.claude) return env['DEFAULT_CLAUDE_MODEL'] || 'sonnet';
  return read.text('model') ?? optionTable.model.default;
}
