/**
 * A terminal of 200x60 as a benchmark's person has it: takes what a program draws, types keys, and tells
 * when something came. While it is blind it only counts and searches bytes, so that it takes nothing of
 * the time that is measured.
 */
import { readFileSync } from 'node:fs';
import { Emulator } from '../../../source/services/pty/emulator.js';
import { spawnPty } from '../../../source/services/pty/pty-process.js';

export const size = { cols: 200, rows: 60 } as const;

/** How long a benchmark waits for what must come, milliseconds. */
const patience = 60_000;

export interface Client {
  readonly pid: number;
  /** Bytes drawn so far. */
  bytes(): number;
  type(keys: string): void;
  /** What is visible; nothing of what came while it was blind. */
  text(): string;
  shows(pattern: RegExp): Promise<void>;
  blind(on: boolean): void;
  /**
   * Waits for a text in what is drawn from now on.
   * @returns milliseconds until it came (`performance.now`)
   */
  draws(text: string): Promise<number>;
  /** When it ended, by `performance.now`. */
  readonly ended: Promise<{ readonly code: number | null; readonly at: number }>;
  kill(): void;
}

export function openClient(
  command: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Client {
  const [file, ...args] = command;
  const env = { ...options.env, TERM: 'xterm-256color' } as Record<string, string>;
  const pty = spawnPty({ file, args, cwd: options.cwd, env, ...size });
  const screen = new Emulator(size.cols, size.rows, 0);
  let count = 0;
  let isBlind = false;
  let tail = '';
  const waiting = new Set<(text: string) => void>();
  const lookers = new Set<() => void>();
  pty.onData((chunk) => {
    count += chunk.length;
    if (waiting.size > 0) {
      const text = tail + chunk.toString('latin1');
      for (const look of [...waiting]) look(text);
      tail = text.slice(-200);
    }
    if (!isBlind) screen.feed(chunk);
  });
  screen.onChange(() => {
    for (const look of [...lookers]) look();
  });
  const text = () => {
    const lines: string[] = [];
    for (let y = 0; y < screen.length; y++) lines.push(screen.rowText(y).trimEnd());
    return lines.join('\n');
  };
  const ended = new Promise<{ code: number | null; at: number }>((resolve) => {
    pty.onExit(({ code }) => resolve({ code, at: performance.now() }));
  });
  const orLate = <T>(what: string, work: (done: (value: T) => void) => () => void) =>
    new Promise<T>((resolve, reject) => {
      const stop = work((value) => {
        clearTimeout(timer);
        stop();
        resolve(value);
      });
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`not drawn in time: ${what}\n${text()}`));
      }, patience);
    });
  return {
    pid: pty.pid,
    bytes: () => count,
    type: (keys) => pty.write(keys),
    text,
    blind: (on) => {
      isBlind = on;
    },
    shows: (pattern) =>
      orLate<void>(String(pattern), (done) => {
        const look = () => {
          if (pattern.test(text())) done();
        };
        lookers.add(look);
        setImmediate(look);
        return () => lookers.delete(look);
      }),
    draws: (wanted) =>
      orLate<number>(wanted, (done) => {
        const bytes = Buffer.from(wanted).toString('latin1');
        if (waiting.size === 0) tail = '';
        const look = (seen: string) => {
          if (seen.includes(bytes)) done(performance.now());
        };
        waiting.add(look);
        return () => waiting.delete(look);
      }),
    ended,
    kill: () => pty.signal('SIGKILL'),
  };
}

/** Seconds of CPU that a process and the threads of it have taken. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory of a process, megabytes. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
