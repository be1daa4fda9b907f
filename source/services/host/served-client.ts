// Longer than 300 lines: one client, and all that it may say.
import type { Duplex } from 'node:stream';
import type { Message } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import { isEmptyPatch, patchOf } from '../../core/run/state-patch.js';
import { exitCode } from '../../core/run/summary.js';
import type { TerminalSize } from '../pty/terminals.js';
import { Channel } from './channel.js';
import {
  type ClientMessage,
  clientMessageSchema,
  clientTypes,
  contractVersion,
  type Hello,
  type HostMessage,
  helloSchema,
  mostFrameBytes,
  type RefusedBecause,
} from './contract.js';
import type { HostedRun } from './hosted-run.js';
import { lookUp } from './look-up.js';
import { PictureSchedule } from './picture-schedule.js';
import { type DrawnRows, TerminalFeed } from './terminal-feed.js';
import { type Screen, TerminalStream } from './terminal-stream.js';

/** A client that wants each message and lets so many bytes of them pile up is let go. */
const mostUnreadBytes = 64e6;

/** A client that does not say what it is for so long is let go, milliseconds. */
const helloMs = 10_000;

/** So long may a client take to read what it was told last, milliseconds. */
const patienceMs = 1000;

/** What a client needs of the server and of all its clients. */
export interface ClientHome {
  readonly hosted: HostedRun;
  /** The run's stamp, and the version of the program. */
  readonly options: { readonly run: string; readonly program: string };
  /** Agents that have a terminal. */
  opened(): number[];
  drawnOf(agent: number): DrawnRows | null;
  /** A person has done something there: its sizes count now. */
  use(client: ServedClient): void;
  isLatest(client: ServedClient): boolean;
  greeted(): void;
  keysChanged(): void;
  left(client: ServedClient): void;
}

/** One client of a run. */
export class ServedClient {
  /** The sizes of the terminals that it shows. */
  readonly sizes = new Map<number, TerminalSize>();
  private hello: Hello | null = null;
  /** The state that it has. */
  private sent: {
    readonly state: RunState | null;
    readonly written: boolean;
    readonly heard: number;
  } = { state: null, written: false, heard: 0 };
  /** The last of its messages that was dispatched. */
  private heard = 0;
  private readonly feeds = new Map<number, TerminalFeed>();
  /** Terminals whose bytes it gets. */
  private readonly streams = new Map<number, TerminalStream>();
  private readonly opened = new Set<number>();
  private willFlush = false;
  private readonly channel: Channel;
  private readonly pictures: PictureSchedule;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly server: ClientHome,
    stream: Duplex,
  ) {
    this.channel = new Channel(stream, mostFrameBytes.fromClient, {
      json: (value) => this.hear(value),
      bytes: (agent, bytes) => this.typed(agent, bytes),
      drain: () => this.drained(),
      close: () => this.left(),
    });
    this.pictures = new PictureSchedule(this.channel, () => this.server.isLatest(this));
    this.timer = setTimeout(() => this.channel.close(), helloMs);
  }

  get isWatching(): boolean {
    return this.showsTerminals;
  }

  private get showsTerminals(): boolean {
    return this.hello?.wants === 'screen' || this.hello?.wants === 'bytes';
  }

  private get wantsState(): boolean {
    return this.hello?.wants === 'screen' || this.hello?.wants === 'messages';
  }

  tellKeys(): void {
    if (this.isWatching) this.tell({ type: 'keys', names: this.server.hosted.keys() });
  }

  tellFinished(): void {
    const state = this.server.hosted.state();
    if (state?.phase !== 'finished') return;
    this.sendState(true);
    this.tell({ type: 'finished', code: exitCode(state) });
  }

  tell(message: HostMessage): void {
    if (this.hello) this.channel.send(message);
  }

  /** At the end of what is being worked on now: a key may lead to several messages. */
  stateChanged(): void {
    if (this.willFlush || !this.wantsState) return;
    this.willFlush = true;
    queueMicrotask(() => {
      this.willFlush = false;
      this.sendState();
    });
  }

  messageCame(message: Message): void {
    if (this.hello?.wants !== 'messages') return;
    // The state that it led to comes first.
    this.sendState(true);
    this.channel.send({ type: 'message', message });
    if (this.channel.waiting > mostUnreadBytes) this.refuse('too_slow');
  }

  terminalsOpened(): void {
    if (!this.showsTerminals) return;
    const now = this.server.opened().filter((agent) => !this.opened.has(agent));
    if (now.length === 0) return;
    // Its agents are told of first.
    this.sendState(true);
    for (const agent of now) this.opened.add(agent);
    this.channel.send({ type: 'opened', agents: now });
    if (this.hello?.wants === 'bytes') return;
    for (const agent of now) {
      // What has given its memory back takes it again only for who looks at it.
      const drawn = this.server.drawnOf(agent);
      if (drawn && !drawn.emulator.isPacked) this.feedOf(agent)?.push();
    }
  }

  /** One picture after the other, so that many busy agents do not wake the client for each line. */
  terminalChanged(agent: number): void {
    const feed = this.feeds.get(agent);
    if (feed && !this.channel.isFull) this.pictures.changed(agent, feed);
  }

  end(): void {
    this.sendState(true);
    this.channel.end();
    // One that does not read does not hold us up.
    setTimeout(() => this.channel.close(), patienceMs).unref();
  }

  private sendState(now = false): void {
    const { server } = this;
    const state = server.hosted.state();
    if (!this.wantsState || state === null) return;
    if (this.channel.isFull && !now) return;
    const written = server.hosted.summaryWritten();
    const { heard, sent } = this;
    const patch = patchOf(sent.state, state);
    const isSame = written === sent.written && heard === sent.heard;
    if (isSame && isEmptyPatch(patch, sent.state)) return;
    this.sent = { state, written, heard };
    this.channel.send({ type: 'state', patch, written, heard });
  }

  private drained(): void {
    this.sendState();
    for (const feed of this.feeds.values()) feed.push();
  }

  private left(): void {
    clearTimeout(this.timer);
    this.pictures.close();
    for (const feed of this.feeds.values()) feed.close();
    for (const stream of this.streams.values()) stream.close();
    this.server.left(this);
  }

  private refuse(because: RefusedBecause): void {
    const { program } = this.server.options;
    this.channel.send({ type: 'refused', contract: contractVersion, program, because });
    this.hello = null;
    this.channel.end();
  }

  private hear(value: unknown): void {
    if (!this.hello) {
      this.greet(value);
      return;
    }
    if (!clientTypes.has((value as { type?: unknown } | null)?.type)) return;
    const read = clientMessageSchema.safeParse(value);
    if (read.success) this.take(read.data);
    else this.refuse('form');
  }

  private greet(value: unknown): void {
    clearTimeout(this.timer);
    const read = helloSchema.safeParse(value);
    const { options } = this.server;
    const because = read.success ? refusal(read.data, options.program) : 'form';
    if (!read.success || because !== null) {
      this.refuse(because ?? 'form');
      return;
    }
    this.hello = read.data;
    const own = { contract: contractVersion, program: options.program, run: options.run };
    this.channel.send({ type: 'welcome', ...own, pid: process.pid });
    this.sendState(true);
    this.tellKeys();
    this.terminalsOpened();
    this.tellFinished();
    this.server.greeted();
  }

  private typed(agent: number, bytes: Buffer): void {
    if (!this.hello) {
      this.channel.close();
      return;
    }
    this.server.use(this);
    this.pictures.typed(agent);
    this.server.hosted.terminals.type(agent, bytes.toString('utf8'));
  }

  private take(message: ClientMessage): void {
    switch (message.type) {
      case 'dispatch':
        this.server.use(this);
        this.heard = message.seq;
        this.server.hosted.dispatch(message.message);
        // Also where it has changed nothing.
        this.stateChanged();
        break;
      case 'used':
        this.server.use(this);
        break;
      case 'resize': {
        const { agent, cols, rows } = message;
        this.sizes.set(agent, { cols, rows });
        // One that comes shows what it has room for; afterwards, who is used decides.
        if (this.server.isLatest(this)) this.server.hosted.terminals.resize(agent, { cols, rows });
        else this.server.use(this);
        break;
      }
      case 'look':
        this.feedOf(message.agent)?.lookAt(message);
        break;
      case 'seen':
        for (const agent of message.agents) {
          this.feeds.get(agent)?.seen();
          this.terminalChanged(agent);
        }
        break;
      case 'hold':
        this.feedOf(message.agent)?.hold(message.id, message.row);
        break;
      case 'release':
        this.feeds.get(message.agent)?.release(message.id);
        break;
      case 'follow':
        this.follow(message.agent, message.scrolled);
        break;
      case 'unfollow':
        this.streams.get(message.agent)?.close();
        this.streams.delete(message.agent);
        break;
      case 'taken':
        this.streams.get(message.agent)?.taken(message.bytes);
        break;
      case 'key':
        this.server.hosted.setKey(message.variable, message.value);
        this.server.keysChanged();
        break;
      case 'ask':
        void this.answer(message);
        break;
    }
  }

  private follow(agent: number, scrolled: number): void {
    const emulator = this.server.drawnOf(agent)?.emulator;
    if (!emulator || this.hello?.wants !== 'bytes' || this.streams.has(agent)) return;
    const sink = {
      screen: (screen: Screen) => this.channel.send({ type: 'screen', agent, ...screen }),
      bytes: (bytes: Buffer) => this.channel.sendBytes(agent, bytes),
    };
    const stream = new TerminalStream(emulator, sink, scrolled, () => this.streams.size);
    this.streams.set(agent, stream);
  }

  private feedOf(agent: number): TerminalFeed | null {
    const known = this.feeds.get(agent);
    if (known) return known;
    const drawn = this.server.drawnOf(agent);
    if (!drawn || this.hello?.wants !== 'screen') return null;
    const feed = new TerminalFeed(drawn, (picture) =>
      this.channel.send({ type: 'picture', agent, picture }),
    );
    this.feeds.set(agent, feed);
    return feed;
  }

  private async answer(question: ClientMessage & { type: 'ask' }): Promise<void> {
    const { id } = question;
    this.tell({ type: 'answer', id, value: await lookUp(this.server.hosted, question) });
  }
}

/** Why a client cannot be understood; null when it can. */
function refusal({ contract, program, wants }: Hello, own: string): RefusedBecause | null {
  if (contract !== contractVersion) return 'contract';
  return wants !== 'nothing' && program !== own ? 'program' : null;
}
