import { readSync } from 'node:fs';
import { constants } from 'node:os';
import type { ReadStream } from 'node:tty';
import { type IPty, spawn } from 'node-pty';

export interface PtyRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cols: number;
  readonly rows: number;
}

export interface PtyExit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process in a pseudo-terminal of its own, leader of its own process group and session. */
export interface PtyProcess {
  readonly pid: number;
  onData(listener: (bytes: Buffer) => void): void;
  /** Called once, after the last byte was given to `onData`. */
  onExit(listener: (exit: PtyExit) => void): void;
  write(data: string): void;
  resize(cols: number, rows: number): void;
  /** To the whole process group. */
  signal(signal: NodeJS.Signals): void;
  pause(): void;
  resume(): void;
}

/** The parts of node-pty's terminal that its types hide. */
interface Internals {
  readonly _socket: ReadStream;
  readonly fd: number;
}

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

const readSize = 64 * 1024;

/** Process groups that were started here and have not ended. */
const alive = new Set<number>();

/** Ends all that was started here, at once; for the last moment of this program. */
export function killAllProcesses(): void {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
}

/**
 * Starts a process in a pseudo-terminal. Throws when the file cannot be executed at all.
 */
export function spawnPty(request: PtyRequest): PtyProcess {
  const pty: IPty = spawn(request.file, [...request.args], {
    cwd: request.cwd,
    env: { ...request.env },
    cols: request.cols,
    rows: request.rows,
    encoding: null,
    name: request.env.TERM ?? 'xterm-256color',
  });
  const listeners: ((bytes: Buffer) => void)[] = [];
  const emit = (bytes: Buffer) => {
    for (const listener of listeners) listener(bytes);
  };
  let exited = false;
  // With `encoding: null` node-pty gives buffers, whatever its types say.
  pty.onData((data) => emit(data as unknown as Buffer));
  keepTail(pty as unknown as Internals, emit);
  alive.add(pty.pid);
  pty.onExit(() => {
    exited = true;
    alive.delete(pty.pid);
    // What it left running in its group goes with it.
    signalGroup(pty.pid, 'SIGKILL');
  });
  return {
    pid: pty.pid,
    onData: (listener) => void listeners.push(listener),
    onExit: (listener) => {
      pty.onExit(({ exitCode, signal }) => {
        const name = signal ? (signalNames.get(signal) ?? `signal ${signal}`) : null;
        listener({ code: name === null ? exitCode : null, signal: name });
      });
    },
    write: (data) => {
      // The descriptor may be another file's by then.
      if (!exited) pty.write(data);
    },
    resize: (cols, rows) => {
      if (exited) return;
      try {
        pty.resize(cols, rows);
      } catch {
        // Its descriptor is closed a moment before its exit is told.
      }
    },
    signal: (signal) => {
      if (!exited) signalGroup(pty.pid, signal);
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
  };
}

/** Signals a process group; a group that is gone is fine (macOS says EPERM for one of zombies). */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/**
 * node-pty destroys the master when the child is gone, and with it what the kernel or the stream still
 * holds (upstream issues 85 and 726). So just before, everything is read synchronously: first what the
 * paused stream has buffered, then the descriptor until it says EIO (all slave ends closed) or EAGAIN
 * (a descendant still holds one and is silent).
 */
function keepTail({ _socket: socket, fd }: Internals, emit: (bytes: Buffer) => void): void {
  const destroy = socket.destroy.bind(socket);
  let drained = false;
  socket.destroy = (error?: Error) => {
    if (!drained) {
      drained = true;
      for (let held = socket.read(); held !== null; held = socket.read()) emit(held as Buffer);
      drain(fd, emit);
    }
    return destroy(error);
  };
}

function drain(fd: number, emit: (bytes: Buffer) => void): void {
  for (;;) {
    const chunk = Buffer.allocUnsafe(readSize);
    let length: number;
    try {
      length = readSync(fd, chunk, 0, readSize, null);
    } catch {
      return;
    }
    if (length === 0) return;
    emit(chunk.subarray(0, length));
  }
}
