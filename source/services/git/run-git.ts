import { spawn } from 'node:child_process';
import type { Failure } from '../../core/failure.js';
import { err, ok, type Result } from '../../core/result.js';

export interface GitOptions {
  readonly input?: string | Buffer;
  /** The output is bytes, one character each (latin1). */
  readonly bytes?: boolean;
  /** More variables, such as a private GIT_INDEX_FILE. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers, not failures; 0 is always one. */
  readonly answers?: readonly number[];
}

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
  return new Promise((resolve) => {
    // A group of its own: Ctrl-C in the terminal reaches us alone, and we end in good order.
    const child = spawn('git', full, {
      cwd,
      env: gitEnv(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', (error) => {
      resolve(err({ kind: 'git', doing, detail: error.message }));
    });
    child.on('close', (code, signal) => {
      const stdout = Buffer.concat(out).toString(options.bytes ? 'latin1' : 'utf8');
      const stderr = Buffer.concat(errors).toString('utf8').trim();
      if (code === 0 || (code !== null && options.answers?.includes(code))) {
        resolve(ok({ stdout, stderr, code: code ?? 0 }));
      } else if (/No space left on device/i.test(stderr)) {
        resolve(err({ kind: 'disk_full', doing }));
      } else {
        const detail = stderr || (signal ? `killed by ${signal}` : `exit code ${code}`);
        resolve(err({ kind: 'git', doing, detail }));
      }
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
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
