import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { faultOfError } from '../../core/policy/machine-fault.js';
import { socketsFolder } from '../../services/config/folders.js';
import {
  hasCode,
  makePrivateFolder,
  openPrivate,
  unreadable,
} from '../../services/files/private-files.js';
import { Channel } from '../../services/host/channel.js';
import { mostFrameBytes } from '../../services/host/contract.js';
import { environment } from '../../services/machine/environment.js';
import {
  hostArgument,
  hostDescriptors,
  type Order,
  type OrderAnswer,
  type Variables,
} from './orders.js';

/** The environment as it is now. */
export function variablesNow(): Variables {
  const known = Object.entries(environment()).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as Variables;
}

export interface SpawnedOptions {
  readonly warn: (text: string) => void;
  /** What a host says before its run has begun. */
  readonly say: (text: string, to: 'out' | 'error') => void;
  /** Where it reads what is piped in. */
  readonly input?: 'inherit';
}

/**
 * What many busy agents print is short-lived; Node would set 48 MB aside for it. An eighth of that is as fast, as
 * `panes/drain` and `panes/rest` measure.
 */
const youngSpace = '--max-semi-space-size=2';

/** A host's process, which goes on when this one ends. */
export class HostProcess {
  readonly run: Socket;
  private readonly exited: Promise<void>;
  private readonly child: ChildProcess;
  private readonly channel: Channel;
  private readonly log: string;
  private readonly waiting = new Map<number, (text: string) => void>();
  private begun: ((answer: OrderAnswer) => void) | null = null;
  private problem = '';

  constructor(private readonly options: SpawnedOptions) {
    const folder = socketsFolder();
    // What it says in its last moment, where that is one.
    this.log = path.join(folder, `host-${process.pid}-${randomBytes(4).toString('hex')}.log`);
    const log = openLog(folder, this.log);
    try {
      const [script = ''] = process.argv.slice(1);
      const args = [...process.execArgv, youngSpace, script, hostArgument, this.log];
      this.child = spawn(process.execPath, args, {
        // A folder that nobody moves.
        cwd: options.input ? process.cwd() : '/',
        env: environment() as NodeJS.ProcessEnv,
        // A session of its own: the end of our terminal is not its end.
        detached: true,
        stdio: [options.input ?? 'ignore', 'ignore', log ?? 'ignore', 'pipe', 'pipe'],
      });
    } finally {
      if (log !== null) closeSync(log);
    }
    const orders = this.child.stdio[hostDescriptors.orders] as Socket;
    this.run = this.child.stdio[hostDescriptors.run] as Socket;
    this.exited = new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', (error) => {
        this.problem = error.message;
        resolve();
      });
    });
    this.channel = new Channel(orders, mostFrameBytes.fromHost, {
      json: (value) => this.hear(value as OrderAnswer),
      bytes: () => {},
      drain: () => {},
      close: () => this.gone(),
    });
    this.child.unref();
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when it has ended, or could not be started. */
  ended(): Promise<void> {
    // Until here it does not keep this program alive.
    this.child.ref();
    return this.exited;
  }

  order(order: Order): void {
    this.channel.send(order);
  }

  /** Orders a run. @returns what came of it */
  async start(order: Order): Promise<OrderAnswer> {
    const answered = new Promise<OrderAnswer>((resolve) => {
      this.begun = resolve;
    });
    if (!this.channel.isOpen) this.gone();
    this.order(order);
    return answered;
  }

  digest(id: number, change: string, focus: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.order({ type: 'digest', id, change, focus });
      if (!this.channel.isOpen) this.gone();
    });
  }

  /** Nothing more is ordered: without a run it ends. */
  release(): void {
    this.channel.end();
  }

  /** What it has said in its last moment; '' where it ended in good order. */
  lastWords(): string {
    try {
      return readFileSync(this.log, 'utf8').trim() || this.problem;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.problem;
      throw error;
    } finally {
      rmSync(this.log, { force: true });
    }
  }

  private hear(answer: OrderAnswer): void {
    switch (answer.type) {
      case 'digest':
        this.waiting.get(answer.id)?.(answer.text);
        this.waiting.delete(answer.id);
        break;
      case 'said':
        this.options.say(answer.text, answer.to);
        break;
      case 'begun':
      case 'failed':
      case 'over':
        this.begun?.(answer);
        this.begun = null;
        break;
    }
  }

  private gone(): void {
    for (const answer of this.waiting.values()) answer('');
    this.waiting.clear();
    const { begun } = this;
    this.begun = null;
    if (begun) void this.ended().then(() => begun({ type: 'failed', failure: this.died() }));
  }

  private died(): Failure {
    // What went wrong is its first line; where, those after it.
    const words = this.lastWords().split('\n', 1)[0] ?? '';
    return {
      kind: 'usage',
      message: `The process that was to run it ended${words === '' ? '' : `: ${words}`}.`,
    };
  }
}

/** Null where there is no room for it: a run can do without. */
function openLog(folder: string, file: string): number | null {
  try {
    makePrivateFolder(folder);
    forgetOldLogs(folder);
    return openPrivate(file, 'new');
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, ...unreadable, 'EEXIST')) throw error;
    return null;
  }
}

/** What a process said in its last moment is of use for so long, milliseconds. */
const oldMs = 7 * 24 * 3_600_000;

/** Removes what hosts that died long ago have left. */
function forgetOldLogs(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/^host-\d+-[0-9a-f]{8}\.log$/.test(name)) continue;
    const file = path.join(folder, name);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > oldMs) rmSync(file, { force: true });
  }
}
