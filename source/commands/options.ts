import { availableParallelism } from 'node:os';
import { type KeySettings, keyProblems } from '../app/keymap.js';
import type { CheckPlan } from '../core/policy/check.js';
import type { Failure } from '../core/policy/failure.js';
import { outsideGlob } from '../core/policy/paths.js';
import { type RedBase, redBases } from '../core/policy/test-report.js';
import { err, ok, type Result } from '../core/result.js';
import type { LandRule, ReviewPlan } from '../core/run/config.js';
import { repoSettingsName, type Settings } from '../services/config/settings.js';
import type { FlagValues } from './arguments.js';

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
  readonly check: CheckPlan | null;
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

/** The first value that is given, with the name of where it comes from. */
function first<T>(
  ...sources: readonly (readonly [T | undefined, string])[]
): readonly [T, string] | null {
  for (const [value, name] of sources) {
    if (value !== undefined && value !== '') return [value as T, name];
  }
  return null;
}

/**
 * Flags over environment over the repository's settings over the user's over defaults.
 * @param aiderArgs what stands after `--`; it comes after the settings' arguments
 * @param testCmd of Aider's own configuration, where it is trusted
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one option after the other, from all its sources.
export function resolveOptions(
  flags: FlagValues,
  env: Readonly<Record<string, string | undefined>>,
  repo: Settings,
  user: Settings,
  aiderArgs: readonly string[],
  testCmd: string | null = null,
): Result<RunOptions, Failure> {
  const problems: string[] = [];
  if (flags.claude && flags.model !== undefined)
    problems.push('--claude and --model exclude each other');
  if (flags.quiet && flags.verbose) problems.push('--quiet and --verbose exclude each other');
  if (flags.prd !== undefined && flags.withoutPrd)
    problems.push('--prd and --no-prd exclude each other');
  const whole = (given: readonly [string | number, string] | null, otherwise: number): number => {
    if (!given) return otherwise;
    const value = Number(given[0]);
    if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
    problems.push(`${given[1]} needs a whole number from 1 to 1000, not ${given[0]}`);
    return otherwise;
  };
  const maxAgents = whole(
    first<string | number>(
      [flags.maxAgents, '--max-agents'],
      [repo.max_agents, 'max_agents'],
      [user.max_agents, 'max_agents'],
    ),
    availableParallelism(),
  );
  const maxIterations = whole(
    first<string | number>(
      [flags.maxIterations, '--max-iterations'],
      [env['AIDER_MAX_ITERATIONS'], 'AIDER_MAX_ITERATIONS'],
      [repo.max_iterations, 'max_iterations'],
      [user.max_iterations, 'max_iterations'],
    ),
    10,
  );
  const minutes = first<string | number>(
    [flags.timeout, '--timeout'],
    [repo.timeout_minutes, 'timeout_minutes'],
    [user.timeout_minutes, 'timeout_minutes'],
  );
  const timeout = Number(minutes?.[0] ?? 30);
  // A timer of the system holds at most 2^31-1 ms, about 24.8 days.
  if (!(timeout > 0 && timeout <= 35_000)) {
    problems.push(`${minutes?.[1]} needs minutes above 0 and up to 35000, not ${minutes?.[0]}`);
  }
  const testMinutes = first<string | number>(
    [flags.testTimeout, '--test-timeout'],
    [repo.test_timeout_minutes, 'test_timeout_minutes'],
    [user.test_timeout_minutes, 'test_timeout_minutes'],
  );
  const testTimeout = Number(testMinutes?.[0] ?? 10);
  if (!(testTimeout > 0 && testTimeout <= 35_000)) {
    problems.push(
      `${testMinutes?.[1]} needs minutes above 0 and up to 35000, not ${testMinutes?.[0]}`,
    );
  }
  const reviewModel =
    first<string>([flags.reviewModel, ''], [repo.review_model, ''], [user.review_model, ''])?.[0] ??
    null;
  const reviews =
    flags.review || flags.reviewModel !== undefined || (repo.review ?? user.review ?? false);
  const budget = first<string | number>(
    [flags.budget?.replace(/^\$/, ''), '--budget'],
    [repo.budget_usd, 'budget_usd'],
    [user.budget_usd, 'budget_usd'],
  );
  if (budget && !(Number(budget[0]) > 0 && Number(budget[0]) < 1e9)) {
    problems.push(`${budget[1]} needs an amount of US dollars above 0, not ${budget[0]}`);
  }
  if (flags.testCmd !== undefined && flags.withoutTest)
    problems.push('--test-cmd and --no-test exclude each other');
  const test = flags.withoutTest
    ? null
    : first<string>(
        [flags.testCmd, '--test-cmd'],
        [repo.test_cmd, repoSettingsName],
        [user.test_cmd, 'your settings'],
        [testCmd ?? undefined, '.aider.conf.yml'],
      );
  const land =
    first<string>([flags.land, '--land'], [repo.land, 'land'], [user.land, 'land'])?.[0] ?? 'all';
  if (land !== 'all' && land !== 'any' && land !== 'ask' && land !== 'none') {
    problems.push(`--land is all, any, ask or none, not ${land}`);
  }
  const testReport =
    first<string>([flags.testReport, ''], [repo.test_report, ''], [user.test_report, ''])?.[0] ??
    null;
  const allowed = (given: boolean | undefined) => (given ? 'report' : undefined);
  const redBase = first<string>(
    [flags.redBase, ''],
    [allowed(flags.allowRedBase), ''],
    [repo.red_base ?? allowed(repo.allow_red_base), ''],
    [user.red_base ?? allowed(user.allow_red_base), ''],
  )?.[0];
  if (redBase !== undefined && !(redBases as readonly string[]).includes(redBase)) {
    problems.push(`--red-base is stop, fix or report, not ${redBase}`);
  }
  const agentCmd =
    first<string>([flags.agentCmd, ''], [repo.agent_cmd, ''], [user.agent_cmd, ''])?.[0] ?? null;
  if (agentCmd !== null) problems.push(...beside(agentCmd, flags, aiderArgs, budget?.[1] ?? null));
  const keys: KeySettings = { ...user.keys, ...repo.keys };
  problems.push(...keyProblems(keys));
  const copy = flags.copy?.length ? flags.copy : (repo.copy ?? user.copy ?? []);
  const outside = outsideGlob(copy);
  if (outside !== undefined) problems.push(`--copy: ${outside} leads out of the repository`);
  if (problems.length > 0) {
    return err({
      kind: 'usage',
      message: `${problems.join('; ')}.`,
      hint: 'aider-orchestrator --help lists all flags.',
    });
  }
  return ok({
    model: modelOf(flags, env, repo, user),
    geminiModel:
      first<string>(
        [flags.geminiModel, ''],
        [env['DEFAULT_GEMINI_MODEL'], ''],
        [repo.gemini_model, ''],
        [user.gemini_model, ''],
      )?.[0] ?? 'gemini-1.5-pro',
    maxAgents,
    maxIterations,
    timeoutMs: timeout * 60_000,
    land: land as LandRule,
    setupCmd:
      first<string>([flags.setupCmd, ''], [repo.setup_cmd, ''], [user.setup_cmd, ''])?.[0] ?? null,
    check: test && {
      command: test[0],
      from: test[1],
      timeoutMs: testTimeout * 60_000,
      report: testReport,
    },
    testReport,
    testTimeoutMs: testTimeout * 60_000,
    redBase: redBase === undefined ? null : (redBase as RedBase),
    copy,
    // Protection adds up: a repository cannot take away what its user wants.
    protect: [...(user.protect ?? []), ...(repo.protect ?? [])],
    maxFileBytes: (repo.max_file_mb ?? user.max_file_mb ?? 5) * 1024 * 1024,
    aider: first<string>([flags.aider, ''], [repo.aider, ''], [user.aider, ''])?.[0] ?? null,
    agentCmd,
    aiderArgs: [...(repo.aider_args ?? user.aider_args ?? []), ...aiderArgs],
    review: reviews ? { model: reviewModel } : null,
    reviewModel,
    direct: flags.direct ?? false,
    warm: !flags.withoutWarm && (repo.warm ?? user.warm ?? true),
    budgetUsd: budget === null ? null : Number(budget[0]),
    mouse: repo.mouse ?? user.mouse ?? true,
    notify: repo.notify ?? user.notify ?? 'bell',
    keys,
  });
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

function modelOf(
  flags: FlagValues,
  env: Readonly<Record<string, string | undefined>>,
  repo: Settings,
  user: Settings,
): string {
  // An alias of Aider's own, so that it follows Aider to newer Claude models.
  if (flags.claude) return env['DEFAULT_CLAUDE_MODEL'] || 'sonnet';
  const given = first<string>(
    [flags.model, ''],
    [env['DEFAULT_AIDER_MODEL'], ''],
    [repo.model, ''],
    [user.model, ''],
  );
  return given?.[0] ?? 'gpt-4o';
}
