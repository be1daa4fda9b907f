import { faultOfError } from '../../core/policy/machine-fault.js';
import { JournalReader } from '../../core/run/journal.js';
import type { Message } from '../../core/run/message.js';
import type { FromServer } from '../../core/run/page-contract.js';
import { hasCode, unreadable } from '../files/private-files.js';
import { Channel } from '../host/channel.js';
import {
  asHostMessage,
  type ClientMessage,
  contractVersion,
  type HostMessage,
  mostFrameBytes,
} from '../host/contract.js';
import { connectTo, socketOf } from '../host/socket.js';
import { FollowedFile } from '../logs/followed-file.js';
import { journalFile, type KnownRun } from '../records/run-records.js';

/** How often the journal is looked at, milliseconds. */
const lookMs = 100;

/** So many messages go in one piece. */
const mostMessages = 500;

/** So often the run's program is looked for where it is not there, milliseconds. */
const againMs = 1000;

/** Where a browser gets what it is shown. */
export interface Browser {
  send(message: FromServer): void;
  sendBytes(agent: number, bytes: Buffer): void;
  /** More is not to be sent now. */
  readonly isFull: boolean;
}

/** Does what may fail for now: a file that cannot be read, or a machine that has no more files to open. */
function unlessMachine(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, ...unreadable)) throw error;
  }
}

/** Why no program runs a run, a clause. @param run null where nothing is known of it any more */
function whyGone(run: KnownRun | null): string {
  if (run === null) return 'it was cleaned up';
  if (run.liveness === 'unknown') return `it may be running on ${run.host} or in a container`;
  if (run.closed !== null) return 'the run has ended';
  return `it was cut off; aider-orchestrator resume ${run.stamp} goes on with it`;
}

/** One run for one browser: its journal as it is written and, while its program is there, that. */
export class RunFeed {
  private readonly file: FollowedFile;
  private readonly reader: JournalReader;
  private read: Message[] = [];
  private isCurrent = false;
  private isBroken = false;
  private readonly timer: NodeJS.Timeout;
  private host: Channel | null = null;
  /** What was told last of whether the program is there. */
  private told: string | null = null;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private isConnecting = false;
  /** The host has turned us away, and said why. */
  private isRefused = false;
  private closed = false;
  private seq = 0;

  /**
   * @param again the run as it is known at that moment
   * @param program the version of this program
   */
  constructor(
    private readonly run: KnownRun,
    private readonly again: () => KnownRun | null,
    private readonly browser: Browser,
    private readonly program: string,
  ) {
    this.file = new FollowedFile(journalFile(run.file));
    this.reader = new JournalReader(run.stamp, (_, __, message) => void this.read.push(message));
    this.timer = setInterval(() => this.look(), lookMs);
    this.look();
  }

  /** Has the run's program do something, or show a terminal. @returns why it cannot, a sentence; null when it can */
  ask(message: ClientMessage): string | null {
    if (!this.host) return 'The program of the run is not there any more.';
    this.host.send(message);
    return null;
  }

  dispatch(message: (ClientMessage & { type: 'dispatch' })['message']): string | null {
    this.seq += 1;
    return this.ask({ type: 'dispatch', seq: this.seq, message });
  }

  type(agent: number, text: string): string | null {
    if (!this.host) return 'The program of the run is not there any more.';
    this.host.sendBytes(agent, Buffer.from(text));
    return null;
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.file.close();
    this.host?.close();
  }

  /** Tells what there is to tell now. */
  flush(): void {
    if (!this.closed) this.readJournal();
  }

  private look(): void {
    if (!this.browser.isFull) this.readJournal();
    const now = performance.now();
    if (this.host || this.isConnecting || now - this.lookedAt < againMs) return;
    this.lookedAt = now;
    this.connect().catch((error: unknown) => {
      this.isConnecting = false;
      this.tell(false, `it cannot be reached now (${(error as Error).message})`);
    });
  }

  private readJournal(): void {
    if (this.isBroken) return;
    // One that cannot be read (yet) is read again.
    unlessMachine(() => {
      for (const line of this.file.lines()) {
        const why = this.reader.read(line);
        if (why !== null) {
          this.isBroken = true;
          this.browser.send({
            type: 'unreadable',
            why: `The run's journal cannot be read: ${why}.`,
          });
          break;
        }
      }
    });
    const messages = this.read;
    this.read = [];
    for (let at = 0; at < messages.length; at += mostMessages) {
      this.browser.send({ type: 'journal', messages: messages.slice(at, at + mostMessages) });
    }
    if (this.isCurrent) return;
    this.isCurrent = true;
    this.browser.send({ type: 'current' });
  }

  private async connect(): Promise<void> {
    const now = this.again();
    if (now?.liveness !== 'alive') {
      this.tell(false, whyGone(now));
      return;
    }
    this.isConnecting = true;
    const stream = await connectTo(socketOf(this.run.file));
    this.isConnecting = false;
    if (!stream.ok) {
      this.tell(false, stream.failure);
      return;
    }
    if (this.closed) {
      stream.value.destroy();
      return;
    }
    const host = new Channel(stream.value, mostFrameBytes.fromHost, {
      json: (value) => this.hear(asHostMessage(value)),
      bytes: (agent, bytes) => this.browser.sendBytes(agent, bytes),
      drain: () => {},
      close: () => {
        this.host = null;
        // Why it has turned us away is known better.
        if (!this.closed && !this.isRefused) this.tell(false, 'its program has gone');
      },
    });
    this.host = host;
    const { program } = this;
    host.send({ type: 'hello', contract: contractVersion, program, wants: 'bytes' });
  }

  private hear(message: HostMessage | null): void {
    switch (message?.type) {
      case 'welcome':
        this.isRefused = false;
        this.tell(true, '');
        break;
      case 'refused':
        this.isRefused = true;
        this.tell(
          false,
          `it is run by version ${message.program} of aider-orchestrator, and this is ${this.program}`,
        );
        break;
      case 'opened':
      case 'screen':
      case 'answer':
      case 'warning':
      case 'watchers':
        this.browser.send(message);
        break;
      default:
        break;
    }
  }

  /** Said once, until it changes. */
  private tell(isThere: boolean, why: string): void {
    if (this.told === why) return;
    this.told = why;
    this.browser.send({ type: 'host', isThere, why });
  }
}
