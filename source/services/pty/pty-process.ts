import { closeSync, openSync, readdirSync, readSync, write } from 'node:fs';
import { constants } from 'node:os';
import { ReadStream } from 'node:tty';
import * as nodePty from 'node-pty';
import { unless } from '../files/private-files.js';
import { alive, signalGroup } from './process-groups.js';

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

/** Milliseconds until a terminal whose process reads nothing is written to again. */
const writeAgainMs = 10;

/**
 * Starts a process in a pseudo-terminal. Throws when the file cannot be executed at all.
 */
export function spawnPty(request: PtyRequest): PtyProcess {
  const pty: nodePty.IPty = withoutGaps(() =>
    nodePty.spawn(request.file, [...request.args], {
      cwd: request.cwd,
      env: { ...request.env },
      cols: request.cols,
      rows: request.rows,
      encoding: null,
      name: request.env['TERM'] ?? 'xterm-256color',
    }),
  );
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
      pty.onExit(({ exitCode, signal }) => listener(exitOf(exitCode, signal)));
    },
    write: (data) => {
      // The descriptor may be another file's by then.
      if (!exited) pty.write(data);
    },
    resize: (cols, rows) => {
      if (exited) return;
      try {
        pty.resize(cols, rows);
      } catch (error) {
        // Its descriptor is closed a moment before its exit is told; node-pty says so in words.
        if (!/EBADF|ENOTTY|already exited|ioctl/.test((error as Error).message)) throw error;
      }
    },
    signal: (signal) => {
      if (!exited) signalGroup(pty.pid, signal);
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
  };
}

/**
 * A child closes what it would inherit, other agents' terminals above all; but node-pty, as it is built for
 * Linux, does so only up to the first descriptor above 15 that is not open. So there is none while it forks.
 */
function withoutGaps<T>(fork: () => T): T {
  if (process.platform !== 'linux') return fork();
  const fillers: number[] = [];
  try {
    const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
    // The lowest that is free is opened each time.
    do fillers.push(openSync('/dev/null', 'r'));
    while ((fillers.at(-1) as number) < highest);
    return fork();
  } finally {
    for (const fd of fillers) closeSync(fd);
  }
}

/** @param signal its number; none when it ended by itself */
function exitOf(code: number, signal: number | undefined): PtyExit {
  const name = signal ? (signalNames.get(signal) ?? `signal ${signal}`) : null;
  return { code: name === null ? code : null, signal: name };
}

/** What node-pty has beside its public functions; absent where it has no such thing. */
interface Native {
  open(cols: number, rows: number): { master: number; slave: number; pty: string };
  resize(fd: number, cols: number, rows: number, width: number, height: number): void;
}

const { native } = nodePty as unknown as { readonly native?: Native | null };

/** A pseudo-terminal for a process that something else starts. */
export interface OpenPty {
  /** The device that the process opens. */
  readonly path: string;
  /** The process has it open, and leads its session. */
  adopt(pid: number): AdoptedProcess;
  /** There will be no process. */
  close(): void;
}

export interface AdoptedProcess extends PtyProcess {
  /** To be called when it has ended: nobody here is its parent. */
  ended(code: number, signal: number | undefined): void;
}

export const canOpenPtys = typeof native?.open === 'function';

/** Opens a pseudo-terminal. Throws when there are no more. */
export function openPty(cols: number, rows: number): OpenPty {
  const own = native as Native;
  const { master, slave, pty } = own.open(cols, rows);
  return {
    path: pty,
    adopt: (pid) => {
      // As long as this end were open, the terminal would not end with its process.
      closeSync(slave);
      return adopted(own, master, pid);
    },
    close: () => {
      closeSync(slave);
      closeSync(master);
    },
  };
}

function adopted(own: Native, fd: number, pid: number): AdoptedProcess {
  const socket = new ReadStream(fd);
  const listeners: ((bytes: Buffer) => void)[] = [];
  const exits: ((exit: PtyExit) => void)[] = [];
  const emit = (bytes: Buffer) => {
    for (const listener of listeners) listener(bytes);
  };
  let over = false;
  socket.on('data', emit);
  // EIO is how the last slave end's closing is told; the end of the process comes by itself.
  socket.on('error', () => {});
  keepTail({ _socket: socket, fd }, emit);
  alive.add(pid);
  const written = writer(fd);
  return {
    pid,
    onData: (listener) => void listeners.push(listener),
    onExit: (listener) => void exits.push(listener),
    write: (data) => {
      if (!over && !socket.destroyed) written.write(data);
    },
    resize: (cols, rows) => {
      if (over || socket.destroyed) return;
      own.resize(fd, cols, rows, 0, 0);
    },
    signal: (signal) => {
      if (!over) signalGroup(pid, signal);
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    ended: (code, signal) => {
      over = true;
      written.stop();
      alive.delete(pid);
      // What it left running in its group goes with it, and then holds the terminal no more.
      signalGroup(pid, 'SIGKILL');
      socket.destroy();
      for (const listener of exits) listener(exitOf(code, signal));
    },
  };
}

/** Writes in order to a descriptor that does not block; what it does not take is given to it again. */
function writer(fd: number) {
  let queue: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const next = () => {
    const [first] = queue;
    if (!first || stopped) return;
    write(fd, first, (error, length) => {
      if (stopped) return;
      if (error && error.code !== 'EAGAIN') {
        queue = [];
        return;
      }
      const rest = first.subarray(error ? 0 : length);
      if (rest.length > 0) queue[0] = rest;
      else queue.shift();
      if (error) timer = setTimeout(next, writeAgainMs);
      else next();
    });
  };
  return {
    write: (data: string) => {
      if (data === '') return;
      queue.push(Buffer.from(data));
      if (queue.length === 1) next();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
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
    // EIO: all ends of the terminal are closed. EAGAIN: somebody holds one and is silent.
    const codes = ['EIO', 'EAGAIN', 'EBADF', 'ENXIO'];
    const length = unless(codes, 0, () => readSync(fd, chunk, 0, readSize, null));
    if (length === 0) return;
    emit(chunk.subarray(0, length));
  }
}
