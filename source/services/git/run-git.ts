import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Failure } from '../../core/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { Shells } from './git-shells.js';

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

/** The environment for our own git calls: none of the caller's repository, no questions, plain words. */
function gitEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(env)) {
    if (
      /^GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE|PREFIX)$/.test(name)
    ) {
      delete env[name];
    }
  }
  return { ...env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', ...more };
}

/**
 * Runs git in `cwd` and gives its output. Hooks, signing and path quoting are off: what we do in the
 * background must not run the project's scripts or ask for a passphrase.
 * @returns a `git` failure with git's own words, or `disk_full`
 */
export async function git(
  cwd: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<GitAnswer, Failure>> {
  const full = [
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'core.quotePath=false',
    '-c',
    'commit.gpgSign=false',
    '-c',
    'core.fsmonitor=false',
    '-c',
    'gc.auto=0',
    '-c',
    'core.safecrlf=false',
    '-c',
    'advice.graftFileDeprecated=false',
    ...args,
  ];
  const doing = `git ${args.find((arg) => !arg.startsWith('-')) ?? ''}`.trim();
  const { input, env = {} } = options;
  const led = shells?.run({ cwd, args: ['git', ...full], env, input });
  try {
    return answerOf(doing, options, await (led ?? start(cwd, full, options)));
  } catch (error) {
    return err({ kind: 'git', doing, detail: (error as Error).message });
  }
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
  doing: string,
  options: GitOptions,
  { stdout, stderr: errors, code, signal }: Ended,
): Result<GitAnswer, Failure> {
  const stderr = errors.toString('utf8').trim();
  if (code === 0 || (code !== null && options.answers?.includes(code))) {
    return ok({ stdout: stdout.toString(options.bytes ? 'latin1' : 'utf8'), stderr, code });
  }
  if (/No space left on device/i.test(stderr)) return err({ kind: 'disk_full', doing });
  const detail = stderr || (signal ? `killed by ${signal}` : `exit code ${code}`);
  return err({ kind: 'git', doing, detail });
}

let shells: Shells | null = null;

/** Removes folders with all that is in them; goes on when this program ends. Null where it has to be started. */
export function removeFromShell(folders: readonly string[]): Promise<unknown> | null {
  const args = ['rm', '-rf', '--', ...folders];
  return shells?.run({ cwd: '/', args, env: {}, input: undefined }) ?? null;
}

/** From now on git is started from small processes, as long as a run goes. @returns ends that */
export function startFromShells(): () => void {
  const own = new Shells(gitEnv());
  shells = own;
  return () => {
    own.close();
    if (shells === own) shells = null;
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
