import { onTestFinished } from 'vitest';
import { Emulator } from '../source/services/pty/emulator.js';
import { spawnPty } from '../source/services/pty/pty-process.js';
import { patience } from './eventually.js';
import { cli } from './rig.js';

/** The built program in a terminal of its own: type keys, wait for what it shows, resize, read. */
export interface ScreenRun {
  readonly pid: number;
  type(keys: string): void;
  resize(cols: number, rows: number): void;
  /** What is visible now. */
  text(): string;
  /** Waits until the visible screen matches. */
  shows(pattern: RegExp): Promise<void>;
  /** Types, then waits. */
  press(keys: string, pattern: RegExp): Promise<void>;
  /** All bytes so far: for the modes that were set and reset. */
  bytes(): string;
  readonly exit: Promise<ScreenEnd>;
  /** Waits for the exit, but not for ever. */
  end(): Promise<ScreenEnd>;
}

export interface ScreenEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** All that stands in the terminal after it, scrollback included. */
  readonly text: string;
}

export function openScreen(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly cols?: number;
    readonly rows?: number;
    /** Another program than ours, such as a shell that runs it. */
    readonly command?: readonly [string, ...string[]];
  },
): ScreenRun {
  const { cols = 100, rows = 30 } = options;
  const [file, ...before] = options.command ?? [process.execPath, cli];
  const pty = spawnPty({
    file,
    args: [...before, ...args],
    cwd: options.cwd,
    env: { TERM: 'xterm-256color', ...(options.env as Record<string, string>) },
    cols,
    rows,
  });
  const screen = new Emulator(cols, rows);
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  const text = () => {
    const lines: string[] = [];
    for (let y = screen.length - screen.rows; y < screen.length; y++) {
      lines.push(screen.rowText(y).trimEnd());
    }
    return lines.join('\n').trimEnd();
  };
  // A frame comes in several pieces; it counts when it is whole, as a terminal would show it (mode 2026).
  let syncing = false;
  let tail = '';
  const whole: boolean[] = [];
  pty.onData((chunk) => {
    chunks.push(chunk);
    // A sequence may be cut between two chunks.
    const bytes = tail + chunk.toString('latin1');
    tail = bytes.slice(-7);
    const began = bytes.lastIndexOf('\x1b[?2026h');
    const ended = bytes.lastIndexOf('\x1b[?2026l');
    if (began !== ended) syncing = began > ended;
    whole.push(!syncing);
  });
  let settled = true;
  screen.attach(pty, () => {
    settled = whole.shift() ?? true;
    if (settled) for (const look of [...waiting]) look();
  });
  let ended = false;
  const exit = new Promise<ScreenEnd>((resolve) => {
    pty.onExit(async ({ code, signal }) => {
      ended = true;
      await screen.drawn();
      resolve({ code, signal, text: screen.lines().join('\n') });
    });
  });
  onTestFinished(() => {
    if (!ended) pty.signal('SIGKILL');
  });
  const shows = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const done = (work: () => void) => {
        waiting.delete(look);
        clearTimeout(timer);
        work();
      };
      const look = () => {
        if (settled && pattern.test(text())) done(resolve);
      };
      const timer = setTimeout(
        () => done(() => reject(new Error(`not shown in time: ${pattern}\n${text()}`))),
        patience,
      );
      waiting.add(look);
      look();
      void exit.then((end) =>
        done(() => reject(new Error(`ended (${end.code}) before ${pattern}\n${end.text}`))),
      );
    });
  return {
    pid: pty.pid,
    type: (keys) => pty.write(keys),
    resize: (width, height) => {
      screen.resize(width, height);
      pty.resize(width, height);
    },
    text,
    shows,
    press: (keys, pattern) => {
      pty.write(keys);
      return shows(pattern);
    },
    end: () =>
      new Promise((resolve, reject) => {
        const late = () => reject(new Error(`did not end in time\n${text()}`));
        const timer = setTimeout(late, patience);
        void exit.then((end) => {
          clearTimeout(timer);
          resolve(end);
        });
      }),
    bytes: () => Buffer.concat(chunks).toString('utf8'),
    exit,
  };
}

export const key = {
  enter: '\r',
  esc: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  leave: '\x1d',
  ctrl: (letter: string) => String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 31),
} as const;
