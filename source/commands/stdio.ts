import { describe, type Failure } from '../core/policy/failure.js';
import { printable, printableLines } from '../core/text/printable.js';
import { environment } from '../services/machine/environment.js';

/** What a command needs of the outside, so that tests and the demo can give their own. */
export interface Stdio {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** A person is there: standard input and output are a terminal. */
  readonly interactive: boolean;
  /** Columns of the output; 100 without a terminal. */
  readonly width: number;
}

export function processStdio(): Stdio {
  // A reader that goes away (`| head`) must not stop the agents.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // Whatever is said, and wherever it comes from: nothing of it steers the terminal.
  return {
    out: (text) => void process.stdout.write(printableLines(text)),
    error: (text) => void process.stderr.write(printableLines(text)),
    interactive:
      process.stdin.isTTY === true &&
      process.stdout.isTTY === true &&
      environment()['TERM'] !== 'dumb',
    // Asked anew each time: the window may have been resized meanwhile.
    get width() {
      return process.stdout.columns ?? 100;
    },
  };
}

/** Names a failure and the way out on standard error. */
export function reportFailure(stdio: Stdio, failure: Failure): void {
  const { message, hint } = describe(failure);
  stdio.error(`aider-orchestrator: ${printableLines(message)}\n`);
  for (const line of hint.split('\n').filter(Boolean)) stdio.error(`  ${printable(line)}\n`);
}

/** Says what went wrong without stopping the run. */
export function warner(stdio: Stdio): (text: string) => void {
  return (text) => stdio.error(`! ${printable(text)}\n`);
}

/** As shells tell SIGINT. */
const exitOfInterrupt = 130;

/** Asks one line on the terminal; null at its end (Ctrl-D). Ctrl-C ends the program: no answer was given. */
export async function askLine(question: string): Promise<string | null> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string | null>((resolve) => {
      lines.once('close', () => resolve(null));
      lines.once('SIGINT', () => {
        lines.close();
        process.stderr.write('\n');
        process.exit(exitOfInterrupt);
      });
      lines.question(printableLines(question)).then(resolve, () => resolve(null));
    });
  } finally {
    lines.close();
  }
}

export async function askYesNo(question: string, otherwise: boolean): Promise<boolean> {
  for (;;) {
    const answer = await askLine(`${question} ${otherwise ? '[Y/n]' : '[y/N]'} `);
    if (answer === null) return false;
    if (answer.trim() === '') return otherwise;
    if (/^y(es)?$/i.test(answer.trim())) return true;
    if (/^no?$/i.test(answer.trim())) return false;
  }
}

export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
