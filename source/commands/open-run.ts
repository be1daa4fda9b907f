// Longer than 300 lines: all that is read before a run, in its order.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { checkPlan } from '../core/plan/groups.js';
import { parsePlan, type Task } from '../core/plan/plan.js';
import type { Failure } from '../core/policy/failure.js';
import { geminiKeyVariables } from '../core/policy/providers.js';
import { err, ok, type Result } from '../core/result.js';
import type { PlanSource } from '../core/run/config.js';
import { refusedArguments } from '../services/agents/aider/invocation.js';
import {
  type HandedSettings,
  nothingHanded,
  readRepoAiderFiles,
  testCommandIn,
} from '../services/config/repo-aider-files.js';
import {
  readRepoSettings,
  readUserSettings,
  type SettingsFile,
} from '../services/config/settings.js';
import { isTrusted, recordTrust, trustLines } from '../services/config/trust.js';
import {
  openRepository,
  type Repository,
  resolveFocus,
  resolveTasks,
} from '../services/git/repository.js';
import { environment } from '../services/machine/environment.js';
import { type GivenPlan, tasksOfPrd } from '../store/make-plan.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import { type RunOptions, resolveOptions } from './options.js';
import { gitPrerequisite } from './prerequisites/git-version.js';
import { landingBranch } from './prerequisites/repository.js';
import { hearDotenv, hearRepository, personIsThere } from './repo-trust.js';
import { askYesNo, readStdin, type Stdio } from './stdio.js';

/** What was asked for, read and checked, and where. */
export interface OpenedRun {
  readonly repo: Repository;
  readonly options: RunOptions;
  /** What agents get of the repository's own settings for Aider. */
  readonly handed: HandedSettings;
  readonly focus: readonly string[];
  readonly source: PlanSource;
  readonly given: GivenPlan | null;
}

/**
 * Checks arguments, repository, settings, PRD and plan, one after the other. Nothing is written.
 * @param onScreen what is wrong with the tasks of a PRD or a plan is shown and mended there
 */
export async function openRun(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
  onScreen = false,
): Promise<Result<OpenedRun, Failure>> {
  const { flags } = args;
  if ([flags.change, flags.apiKey, flags.plan].filter((value) => value === '-').length > 1) {
    return err({
      kind: 'usage',
      message: 'Only one of --change, --plan and --api-key can be read from standard input.',
    });
  }
  const [git, opened] = await Promise.all([
    gitPrerequisite(),
    openRepository(path.resolve(flags.repo ?? '.')),
  ]);
  // Without git nothing can be looked at, so this one cannot wait for the others.
  if (git.state === 'missing') return err({ kind: 'prerequisites', missing: [git] });
  if (!opened.ok) return opened;
  const repo = opened.value;
  const options = await optionsFor(args, repo, stdio, overrides);
  if (!options.ok) return options;
  const { handed } = options.value;
  const refused = options.value.options.aiderArgs.find((argument) =>
    refusedArguments.test(argument),
  );
  if (refused) {
    return err({
      kind: 'usage',
      message: `${refused} cannot be passed to Aider: aider-orchestrator sets it, or judges agents by it.`,
      hint: 'Leave it out of what stands after -- and of aider_args.',
    });
  }
  const landing = landingBranch(repo, options.value.options);
  if (landing) return err({ kind: 'prerequisites', missing: [landing] });
  const focus = await resolveFocus(repo, flags.files ?? []);
  if (!focus.ok) return focus;
  const planned = await readPlanFiles(
    args,
    repo,
    focus.value,
    options.value.options.maxAgents,
    onScreen,
  );
  if (!planned.ok) return planned;
  return ok({
    repo,
    options: options.value.options,
    handed,
    focus: focus.value,
    ...planned.value,
  });
}

async function optionsFor(
  args: Arguments,
  repo: Repository,
  stdio: Stdio,
  overrides: Overrides,
): Promise<Result<{ options: RunOptions; handed: HandedSettings }, Failure>> {
  if (overrides.settings === false) {
    const options = resolveOptions(
      { flags: args.flags, env: environment(), repo: {}, user: {} },
      args.aiderArgs,
    );
    return options.ok ? ok({ options: options.value, handed: nothingHanded }) : options;
  }
  await hearDotenv(repo, args, stdio);
  return readOptions(args, repo, stdio);
}

async function readOptions(
  args: Arguments,
  repo: Repository,
  stdio: Stdio,
): Promise<Result<{ options: RunOptions; handed: HandedSettings }, Failure>> {
  const user = readUserSettings();
  if (!user.ok) return user;
  const file = readRepoSettings(repo.root);
  if (!file.ok) return file;
  if (file.value) {
    const trusted = await checkTrust(file.value, args, stdio);
    if (!trusted.ok) return trusted;
  }
  const repoSettings = file.value?.settings ?? {};
  const userSettings = user.value?.settings ?? {};
  const named = args.flags.testCmd ?? repoSettings.test_cmd ?? userSettings.test_cmd;
  const needsTests = named === undefined && !args.flags.withoutTest;
  const said = await hearRepository(repo, args, stdio, needsTests);
  const testCmd = said.testCmd ?? (needsTests ? await testCommandOfHome() : null);
  const { flags, aiderArgs } = args;
  const options = resolveOptions(
    { flags, env: environment(), repo: repoSettings, user: userSettings },
    aiderArgs,
    needsTests ? testCmd : null,
  );
  return options.ok ? ok({ options: options.value, handed: said.handed }) : options;
}

/** The test command of the user's own configuration of Aider. */
async function testCommandOfHome(): Promise<string | null> {
  const { conf } = await readRepoAiderFiles(homedir());
  return conf === null ? null : testCommandIn(conf.settings);
}

/** What a repository's settings decide beyond the harmless counts only when the user has trusted that content. */
async function checkTrust(
  file: SettingsFile,
  args: Arguments,
  stdio: Stdio,
): Promise<Result<void, Failure>> {
  const commands = trustLines(file);
  if (commands.length === 0 || isTrusted(file)) return ok(undefined);
  const person = personIsThere(args, stdio);
  if (!args.flags.trust && person) {
    stdio.error(`${file.path} wants:\n${commands.map((line) => `  ${line}\n`).join('')}`);
    if (!(await askYesNo('Trust this file?', false))) {
      return err({
        kind: 'usage',
        message: `${file.path} is not trusted.`,
        hint: 'Nothing was run.',
      });
    }
  } else if (!args.flags.trust) {
    return err({
      kind: 'usage',
      message: `${file.path} names commands, models or files to copy (${commands.join('; ')}) and is not trusted.`,
      hint: 'Look at it, then use --trust once, or start on a terminal to be asked.',
    });
  }
  recordTrust(file);
  return ok(undefined);
}

async function readPlanFiles(
  { flags }: Arguments,
  repo: Repository,
  focus: readonly string[],
  maxAgents: number,
  onScreen: boolean,
): Promise<Result<Pick<OpenedRun, 'source' | 'given'>, Failure>> {
  const prd = flags.prd === undefined ? null : await readText(flags.prd);
  if (prd && !prd.ok) return prd;
  if (prd && prd.value.trim() === '') {
    return err({
      kind: 'usage',
      message: `The PRD ${flags.prd} is empty.`,
      hint: '--no-prd goes without one.',
    });
  }
  const prdPath = flags.prd === undefined ? null : repoRelative(repo, path.resolve(flags.prd));
  if (flags.plan !== undefined) {
    const text = await (flags.plan === '-' ? readInput() : readText(flags.plan));
    if (!text.ok) return text;
    const plan = parsePlan(text.value, flags.plan);
    if (!plan.ok) return plan;
    const { tasks, problems } = await resolveTasks(repo, plan.value.tasks);
    const all = [...problems, ...checkPlan(tasks)];
    if (all.length > 0 && !onScreen) {
      return err({ kind: 'plan', source: flags.plan, problems: all });
    }
    return ok({
      source: { kind: 'plan', path: flags.plan, prdPath },
      given: { tasks, ...(prd ? { withPrd: prd.value } : {}) },
    });
  }
  if (prd && prdPath !== null) {
    const resolve = (tasks: readonly Task[], lenient: boolean) =>
      resolveTasks(repo, tasks, lenient);
    const checked = await tasksOfPrd(
      prd.value,
      prdPath,
      { files: focus, maxAgents, change: '' },
      resolve,
    );
    if (!checked.ok && !(onScreen && checked.failure.kind === 'plan')) return checked;
    return ok({ source: { kind: 'prd', path: prdPath }, given: { prd: prd.value } });
  }
  return ok({ source: { kind: flags.withoutPrd ? 'none' : 'planner' }, given: null });
}

/** Why something cannot be read, by the code of the error, with what would help. */
const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a folder; name a file',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'this is not text in UTF-8; save it as such',
};

/** A file's text, or why it cannot be read. */
export function readText(file: string): Promise<Result<string, Failure>> {
  return textOf(file, readFile(file));
}

function readInput(): Promise<Result<string, Failure>> {
  return textOf('standard input', readStdin());
}

async function textOf(source: string, bytes: Promise<Buffer>): Promise<Result<string, Failure>> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(await bytes));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return err({ kind: 'file', path: source, detail: unreadable[code] ?? message });
  }
}

/** Relative to the repository when inside of it, else absolute. */
export function repoRelative(repo: Repository, file: string): string {
  const relative = path.relative(repo.root, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

/** The change from the command line, standard input, or a plan that says it itself. */
export async function readChange(
  { flags }: Arguments,
  given: OpenedRun['given'],
): Promise<Result<string, Failure>> {
  if (flags.change === '-') {
    const text = await readInput();
    return text.ok ? checkChange(text.value) : text;
  }
  if (flags.change !== undefined) return checkChange(flags.change);
  // A plan says itself what is to be done.
  if (given && 'tasks' in given) return ok(given.tasks.map((task) => task.title).join('; '));
  if (given) return ok('Implement the PRD.');
  return err({
    kind: 'usage',
    message: 'No change is given.',
    hint: 'aider-orchestrator --change "what is to be done"; --change - reads it from standard input.',
  });
}

function checkChange(change: string): Result<string, Failure> {
  if (change.includes('\0')) {
    return err({ kind: 'usage', message: 'The change holds a NUL byte, so it is no text.' });
  }
  if (change.trim() !== '') return ok(change.trim());
  return err({
    kind: 'usage',
    message: 'The change is empty.',
    hint: 'Say what is to be done: --change "…"',
  });
}

/** The key for Gemini: from the flag, standard input or the environment. */
export async function readGeminiKey({ flags }: Arguments, stdio: Stdio): Promise<string | null> {
  if (flags.apiKey === '-') return (await readStdin()).toString().trim() || null;
  if (flags.apiKey !== undefined) {
    stdio.error(
      'Warning: --api-key can be seen by every user of this machine (ps). Better set GEMINI_API_KEY, or pipe it in with --api-key -.\n',
    );
    return flags.apiKey.trim() || null;
  }
  for (const name of geminiKeyVariables) {
    const value = environment()[name]?.trim();
    if (value) return value;
  }
  return null;
}
