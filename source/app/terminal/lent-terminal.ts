import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { TerminalSession } from './session.js';

/** How long an editor has to end when it is told to, milliseconds. */
const programMs = 500;

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Lends the real terminal to programs: an editor, a pager, a shell. */
export class LentTerminal {
  private program: ChildProcess | null = null;
  /** Another program has the terminal. */
  isLent = false;

  constructor(private readonly session: TerminalSession) {}

  /** Runs a program on the real terminal; gives its exit code, or null when it could not be run. */
  async run(
    file: string,
    args: readonly string[],
    options: ProgramOptions,
  ): Promise<number | null> {
    this.isLent = true;
    try {
      return await this.session.lend(() => this.start(file, args, options));
    } finally {
      this.isLent = false;
    }
  }

  /** A program that has the terminal is asked to end, and made to. */
  async end(): Promise<void> {
    const { program } = this;
    if (!program) return;
    const ended = new Promise<void>((resolve) => program.once('exit', () => resolve()));
    this.session.giveUp();
    program.kill('SIGTERM');
    const harsher = setTimeout(() => program.kill('SIGKILL'), programMs);
    await ended;
    clearTimeout(harsher);
    this.session.repair();
  }

  private start(
    file: string,
    args: readonly string[],
    options: ProgramOptions,
  ): Promise<number | null> {
    return new Promise((resolve) => {
      const [first, ...rest] = holdingNothing(file, args);
      const child = spawn(first, rest, { ...options, stdio: 'inherit' });
      this.program = child;
      // Ctrl-C in an editor is the editor's.
      const ignore = () => {};
      process.on('SIGINT', ignore);
      const end = (code: number | null) => {
        process.off('SIGINT', ignore);
        this.program = null;
        resolve(code);
      };
      child.on('error', () => end(null));
      child.on('exit', (code) => end(code === notFound ? null : (code ?? 1)));
    });
  }
}

/** What a shell ends with when it cannot find what it is to become. */
const notFound = 127;

/** Closes what is open beyond the three standard streams, and becomes the program. */
const closing = `for fd in /proc/self/fd/*; do fd=\${fd##*/}; ((fd > 2)) && eval "exec $fd>&-"; done; exec "$@"`;

/** The agents' terminals are open here for whatever is started, and are none of an editor's business. */
function holdingNothing(file: string, args: readonly string[]): [string, ...string[]] {
  const bash = '/bin/bash';
  if (process.platform !== 'linux' || !existsSync(bash)) return [file, ...args];
  return [bash, '-c', closing, 'bash', file, ...args];
}
