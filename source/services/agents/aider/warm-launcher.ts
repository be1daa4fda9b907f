import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { packageFile } from '../../config/package-files.js';
import {
  type AdoptedProcess,
  canOpenPtys,
  type OpenPty,
  openPty,
  type PtyProcess,
} from '../../pty/pty-process.js';
import type { AiderLauncher, AiderRequest } from './launcher.js';

export interface WarmOptions {
  /** The script that starts Aider, absolute. */
  readonly script: string;
  /** The interpreter that runs it. */
  readonly python: string;
  /** What an agent's environment is, but for its secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts agents when none can be forked. */
  readonly plain: AiderLauncher;
}

/** What the server says, in JSON lines; its docstring has the protocol. */
interface Answer {
  readonly id?: number;
  readonly ready?: boolean;
  readonly ms?: number;
  readonly why?: string;
  readonly pid?: number;
  readonly error?: string;
  readonly code?: number;
  readonly signal?: number;
}

/** How the warm-up ended. */
export type Warmth =
  | { readonly warm: true; readonly ms: number }
  | { readonly warm: false; readonly why: string };

/** A process that was asked for, or runs. */
interface Order {
  readonly terminal: OpenPty;
  process: AdoptedProcess | null;
  readonly resolve: (process: PtyProcess) => void;
  readonly reject: (error: Error) => void;
}

/** Tells the end of a process or, when there never was one, why. */
function end(
  { terminal, process, reject }: Order,
  code: number,
  signal: number | undefined,
  error: string,
): void {
  if (process === null) {
    terminal.close();
    reject(new Error(error));
    return;
  }
  // Who asked for it may have been told of its start in this very moment, and listens in the next.
  setImmediate(() => process.ended(code, signal));
}

const serverFile = packageFile('source/services/agents/aider/fork_server.py');

/** A warm-up that takes longer has gone wrong, milliseconds. */
const longestWarmUpMs = 60_000;

/** Why agents cannot be forked here at all; null when they can. */
export function unforkable(): string | null {
  if (process.platform !== 'linux') return `forking is not safe on ${process.platform}`;
  return canOpenPtys ? null : 'node-pty cannot open a terminal without a process';
}

/**
 * Forks agents from one process that has imported Aider already, and falls back to plain starting
 * when it cannot. Warming up begins at once.
 */
export class WarmLauncher implements AiderLauncher {
  private readonly warmth: Promise<Warmth>;
  private settle: (warmth: Warmth) => void = () => {};
  private readonly server: ChildProcess | null;
  private readonly channel: Socket | null;
  private readonly orders = new Map<number, Order>();
  private readonly timer: NodeJS.Timeout;
  private rest = '';
  private count = 0;
  private closed = false;
  private settled = false;

  constructor(private readonly options: WarmOptions) {
    this.warmth = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.timer = setTimeout(() => this.give('it did not get ready in a minute'), longestWarmUpMs);
    this.timer.unref();
    const why = unforkable();
    if (why !== null) {
      this.server = null;
      this.channel = null;
      this.give(why);
      return;
    }
    const { python, script, env } = options;
    this.server = spawn(python, [serverFile, script, String(process.pid)], {
      // A folder that no import can come from.
      cwd: '/',
      env,
      // A session of its own: Ctrl-C on our terminal is not for it.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    this.channel = this.server.stdio[3] as Socket;
    this.server.on('error', (error) => this.give(error.message));
    this.server.on('exit', (code, signal) => this.lost(signal ?? `exit code ${code}`));
    this.channel.on('error', () => {});
    this.channel.setEncoding('utf8');
    this.channel.on('data', (text: string) => this.hear(text));
    // It must not keep this program alive; what waits for it does.
    this.server.unref();
    this.channel.unref();
  }

  /** Resolves when the warm-up has ended, well or not; never rejects. */
  async warmedUp(): Promise<Warmth> {
    this.channel?.ref();
    const warmth = await this.warmth;
    this.rests();
    return warmth;
  }

  async start(request: AiderRequest): Promise<PtyProcess> {
    const { warm } = await this.warmedUp();
    if (this.closed) throw new Error('it was closed');
    if (warm && this.channel?.writable) return this.fork(request, this.channel);
    return this.options.plain.start(request);
  }

  /** Whatever it still runs goes with it. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.give('it was closed');
    this.channel?.destroy();
    // While it imports it does not listen.
    if (this.orders.size === 0) this.server?.kill('SIGKILL');
  }

  private fork(request: AiderRequest, channel: Socket): Promise<PtyProcess> {
    const { cols, rows, args, cwd, env } = request;
    channel.ref();
    const terminal = openPty(cols, rows);
    this.count += 1;
    const id = this.count;
    const started = new Promise<PtyProcess>((resolve, reject) => {
      this.orders.set(id, { terminal, process: null, resolve, reject });
    });
    const order = {
      id,
      argv: [this.options.script, ...args],
      // As node-pty does it.
      env: { ...env, PWD: cwd, TERM: env['TERM'] ?? 'xterm-256color' },
      cwd,
      tty: terminal.path,
    };
    channel.write(`${JSON.stringify(order)}\n`);
    return started;
  }

  private hear(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() as string;
    for (const line of lines) this.take(JSON.parse(line) as Answer);
  }

  private take(answer: Answer): void {
    if (answer.ready !== undefined) {
      if (answer.ready) this.settleOnce({ warm: true, ms: answer.ms ?? 0 });
      else this.give(answer.why ?? 'it is not known why');
      return;
    }
    const id = answer.id as number;
    const order = this.orders.get(id);
    if (!order) return;
    if (answer.pid !== undefined) {
      order.process = order.terminal.adopt(answer.pid);
      order.resolve(order.process);
      return;
    }
    this.orders.delete(id);
    end(order, answer.code ?? 0, answer.signal, answer.error ?? 'it ended before it began');
    this.rests();
  }

  /** The server is gone, and with it all that it has forked. What comes next is started anew. */
  private lost(how: string): void {
    this.give(`the server that forks ended: ${how}`);
    this.channel?.destroy();
    for (const order of this.orders.values()) {
      end(order, 0, constants.signals.SIGKILL, `the server that forks ended: ${how}`);
    }
    this.orders.clear();
  }

  private rests(): void {
    if (this.orders.size === 0) this.channel?.unref();
  }

  /** There is nothing to fork from; no-op when there is. */
  private give(why: string): void {
    if (this.settled) return;
    this.settleOnce({ warm: false, why });
    this.server?.kill('SIGKILL');
  }

  private settleOnce(warmth: Warmth): void {
    this.settled = true;
    clearTimeout(this.timer);
    this.settle(warmth);
  }
}
