import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { faultOfError, type MachineFault } from '../../core/policy/machine-fault.js';
import { err, ok, type Result } from '../../core/result.js';
import { debugNote } from '../logs/debug-log.js';
import { faultOfGit } from '../machine/confirm-fault.js';
import { environment } from '../machine/environment.js';
import { lookingElsewhere } from '../machine/own-environment.js';
import { Shells } from './git-shells.js';
import { objectVariables } from './object-folder.js';

export interface GitOptions {
  readonly input?: string | Buffer;
  /** The output is bytes, one character each (latin1). */
  readonly bytes?: boolean;
  /** More variables, such as a private GIT_INDEX_FILE. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers, not failures; 0 is always one. */
  readonly answers?: readonly number[];
}

/**
 * Variables for commands that compare trees. Git would read the whole index before that, ten milliseconds
 * in a repository of 100,000 files; an index that is not there is an empty one.
 */
export const withoutIndex: Readonly<Record<string, string>> = {
  GIT_INDEX_FILE: path.join(tmpdir(), `no-index-${randomUUID()}`),
};

export interface GitAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/**
 * Variables of the caller that git may keep: who commits, how a server is reached, whose settings are read.
 * All others change what our commands mean (`GIT_DIR`, `GIT_LITERAL_PATHSPECS`, `GIT_EXTERNAL_DIFF` …).
 */
const keptVariables =
  /^GIT_(AUTHOR_|COMMITTER_|SSH|ASKPASS$|SSL_|HTTP_|PROXY_|LFS_|ATTR_NOSYSTEM$|ALLOW_PROTOCOL$|PROTOCOL_FROM_USER$|NO_LAZY_FETCH$|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_|VALUE_|PARAMETERS)|EXEC_PATH$|CEILING_DIRECTORIES$|DISCOVERY_ACROSS_FILESYSTEM$)/;

/** An environment without those variables of git that would lead it elsewhere. */
export function withoutGitVariables(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || keptVariables.test(name)),
  );
}

/** The environment for our own git calls: none of the caller's repository, no questions, plain words. */
function gitEnv(
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | undefined>> {
  const env = lookingElsewhere(withoutGitVariables(environment()));
  return {
    ...env,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    // By `trace2.*` settings git would write into what failures are told by.
    GIT_TRACE2: '0',
    GIT_TRACE2_PERF: '0',
    ...more,
  };
}

/**
 * What every command is protected from: settings that run something, ask for something, or change what our
 * commands mean or print. What says how a project keeps its files (`core.autocrlf`, filters) stays.
 */
const protectedSettings: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=false',
  'core.safecrlf=false',
  'core.ignoreStat=false',
  'core.splitIndex=false',
  'commit.gpgSign=false',
  'log.showSignature=false',
  'merge.verifySignatures=false',
  'merge.autoStash=false',
  'merge.conflictStyle=merge',
  'merge.directoryRenames=conflict',
  // What was committed with other line ends than it would be now conflicts with nothing.
  'merge.renormalize=true',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.graftFileDeprecated=false',
  'submodule.recurse=false',
  'color.ui=never',
  'status.showUntrackedFiles=normal',
  'status.relativePaths=true',
  'status.renames=false',
  'diff.noprefix=false',
  'diff.mnemonicPrefix=false',
  'diff.relative=false',
  'diff.orderFile=/dev/null',
  'diff.ignoreSubmodules=none',
  'diff.submodule=short',
  'diff.context=3',
  'diff.interHunkContext=0',
  'diff.renames=true',
  'diff.suppressBlankEmpty=false',
  'i18n.commitEncoding=UTF-8',
  'i18n.logOutputEncoding=UTF-8',
  'worktree.guessRemote=false',
  'worktree.useRelativePaths=false',
  'branch.autoSetupMerge=false',
];

const protection = protectedSettings.flatMap((setting) => ['-c', setting]);

/** The command in words, without the settings before it: `git add`. */
function commandOf(args: readonly string[]): string {
  let at = 0;
  while (args[at] === '-c') at += 2;
  return `git ${args[at] ?? ''}`.trim();
}

/**
 * Runs git in `cwd` and gives its output. Hooks, signing and path quoting are off: what we do in the
 * background must not run the project's scripts or ask for a passphrase.
 * @returns a `git` failure with git's own words, or a fault of the machine
 */
export async function git(
  cwd: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<GitAnswer, Failure>> {
  const full = [...protection, ...args];
  const { input } = options;
  const env = { ...objectVariables(), ...options.env };
  const began = performance.now();
  try {
    const led = shells?.run({ cwd, args: ['git', ...full], env, input });
    const ended = await (led ?? start(cwd, full, { ...options, env }));
    debugNote('git', { cwd, args, code: ended.code }, performance.now() - began);
    return answerOf(cwd, args, options, ended);
  } catch (error) {
    return err(failureOf(cwd, args, (error as Error).message, faultOfError(error)));
  }
}

/** Says why a command failed: by the machine, where that is what it is. */
function failureOf(
  cwd: string,
  args: readonly string[],
  detail: string,
  fault: MachineFault | null,
): Failure {
  const doing = commandOf(args);
  if (!existsSync(cwd))
    return { kind: 'machine', fault: 'folder_gone', doing: `${doing} in ${cwd}` };
  if (fault !== null) return { kind: 'machine', fault, doing };
  return { kind: 'git', doing, detail };
}

interface Ended {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal?: NodeJS.Signals | null;
}

function start(cwd: string, args: readonly string[], options: GitOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // A group of its own: Ctrl-C in the terminal reaches us alone, and we end in good order.
    const child = spawn('git', args, {
      cwd,
      env: gitEnv(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(errors), code, signal });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
}

function answerOf(
  cwd: string,
  args: readonly string[],
  options: GitOptions,
  { stdout, stderr: errors, code, signal }: Ended,
): Result<GitAnswer, Failure> {
  const stderr = errors.toString('utf8').trim();
  if (code === 0 || (code !== null && options.answers?.includes(code))) {
    return ok({ stdout: stdout.toString(options.bytes ? 'latin1' : 'utf8'), stderr, code });
  }
  const detail = stderr || (signal ? `killed by ${signal}` : `exit code ${code}`);
  return err(failureOf(cwd, args, detail, faultOfGit(stderr, cwd)));
}

/** Of all runs that go in this process, and there as long as one of them does. */
let shells: Shells | null = null;
let users = 0;

/** Removes folders with all that is in them; goes on when this program ends. Null where it has to be started. */
export function removeFromShell(folders: readonly string[]): Promise<unknown> | null {
  const args = ['rm', '-rf', '--', ...folders];
  return shells?.run({ cwd: '/', args, env: {}, input: undefined }) ?? null;
}

/** From now on git is started from small processes, as long as a run goes. @returns ends that */
export function startFromShells(): () => void {
  shells ??= new Shells(gitEnv());
  users += 1;
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    users -= 1;
    if (users > 0) return;
    shells?.close();
    shells = null;
  };
}

/** Like `git`, but only its standard output, without the line end. */
export async function gitText(
  cwd: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<string, Failure>> {
  const answer = await git(cwd, args, options);
  return answer.ok ? ok(answer.value.stdout.replace(/\n$/, '')) : answer;
}

/** Splits the output of a `-z` command. */
export function splitNul(text: string): string[] {
  return text.split('\0').filter((part) => part !== '');
}
