import type { Duplex } from 'node:stream';
import type { Failure } from '../../core/policy/failure.js';
import { ok, type Result } from '../../core/result.js';
import type { Message, PersonMessage } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import { applyPatch } from '../../core/run/state-patch.js';
import { update } from '../../core/run/update.js';
import type { TerminalSize } from '../pty/terminals.js';
import { Channel } from './channel.js';
import {
  asHostMessage,
  type ClientMessage,
  contractVersion,
  type Hello,
  type HostMessage,
  mostFrameBytes,
  type questions,
  type RefusedBecause,
} from './contract.js';
import { MirroredEmulator } from './mirrored-emulator.js';

export interface RunClientOptions {
  readonly wants: Hello['wants'];
  /** The version of the program. */
  readonly program: string;
  readonly onWarning?: (text: string) => void;
  /** Each message with the states before and after it, where messages are wanted. */
  readonly onMessage?: (after: RunState, before: RunState | null, message: Message) => void;
}

/** That it is used, a client says not more often, milliseconds. */
const usedMs = 200;

/** Why a host has turned a client away. */
export interface Refused {
  readonly because: RefusedBecause;
  /** The version of the host's program. */
  readonly program: string;
}

/** A run that another process runs, as a client sees it. */
export class RunClient {
  /** Resolves when the host has answered; with null where it takes us, and where it was gone before it did. */
  readonly greeted: Promise<Refused | null>;
  /** Resolves when the connection is over, whoever has ended it. */
  readonly ended: Promise<void>;
  /** The run's stamp; '' before the host has told it. */
  run = '';
  pid = 0;
  summaryWritten = false;
  /** Why the host has turned us away, also after it had taken us; null where it has not. */
  refused: Refused | null = null;
  /** How many screens show it, this one among them. */
  watchers = 1;
  /** Variables with keys that the host's process has, by name. */
  keys: readonly string[] = [];
  /** The exit code of the run, each time it has come to an end. */
  finishedWith: number | null = null;
  /** The state as the host has told it. */
  private told: RunState | null = null;
  /** The same with what was dispatched here since: a key counts at once, also for the one right after it. */
  private current: RunState | null = null;
  private pending: readonly { readonly seq: number; readonly message: PersonMessage }[] = [];
  private seq = 0;
  private usedAt = -usedMs;
  /** The state before the last message. */
  private before: RunState | null = null;
  private readonly channel: Channel;
  private readonly listeners = new Set<() => void>();
  private readonly openListeners = new Set<() => void>();
  private readonly emulators = new Map<number, MirroredEmulator>();
  private readonly asking = new Map<number, (value: unknown) => void>();
  private lastQuestion = 0;
  private greet: (refused: Refused | null) => void = () => {};
  private over: () => void = () => {};
  /** Emulators of which rows were asked for in this turn. */
  private readonly drawnFrom = new Set<MirroredEmulator>();

  readonly terminals = {
    emulator: (agent: number) => this.emulators.get(agent) ?? null,
    onOpen: (listener: () => void) => {
      this.openListeners.add(listener);
      return () => void this.openListeners.delete(listener);
    },
    resize: (agent: number, { cols, rows }: TerminalSize) =>
      this.send({ type: 'resize', agent, cols, rows }),
    type: (agent: number, data: string) => this.channel.sendBytes(agent, Buffer.from(data)),
  };

  constructor(
    stream: Duplex,
    private readonly options: RunClientOptions,
  ) {
    this.greeted = new Promise((resolve) => {
      this.greet = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.over = resolve;
    });
    this.channel = new Channel(stream, mostFrameBytes.fromHost, {
      json: (value) => this.hear(value),
      bytes: () => {},
      drain: () => {},
      close: () => this.lost(),
    });
    const { wants, program } = options;
    this.channel.send({ type: 'hello', contract: contractVersion, program, wants });
  }

  get isOpen(): boolean {
    return this.channel.isOpen;
  }

  state(): RunState | null {
    return this.current;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  dispatch(message: PersonMessage): void {
    this.seq += 1;
    const { seq } = this;
    this.channel.send({ type: 'dispatch', seq, message });
    this.pending = [...this.pending, { seq, message }];
    this.foresee();
  }

  /** A person does something here. Said once in a while: others may be used meanwhile. */
  used(): void {
    const now = performance.now();
    if (this.watchers <= 1 || now - this.usedAt < usedMs) return;
    this.usedAt = now;
    this.send({ type: 'used' });
  }

  /** Gives the host an API key for what starts from now on. */
  setKey(variable: string, value: string): void {
    this.send({ type: 'key', variable, value });
  }

  async diff(agent: number): Promise<Result<string, Failure>> {
    return ((await this.ask('diff', agent)) ?? ok('')) as Result<string, Failure>;
  }

  async events(agent: number): Promise<string[]> {
    return ((await this.ask('events', agent)) ?? []) as string[];
  }

  async lastMessage(agent: number): Promise<string> {
    return ((await this.ask('lastMessage', agent)) ?? '') as string;
  }

  async prd(): Promise<string | null> {
    return (await this.ask('prd', 0)) as string | null;
  }

  /** Leaves the run to itself. */
  close(): void {
    this.channel.close();
  }

  /** Leaves it after what was sent has gone out. */
  async leave(): Promise<void> {
    this.channel.end();
    await this.ended;
  }

  /** What the host has not heard yet will lead there: it is the same program. */
  private foresee(): void {
    const at = Date.now();
    this.current = this.told;
    for (const { message } of this.told === null ? [] : this.pending) {
      this.current = update(this.current, { ...message, at })[0];
    }
    for (const listener of [...this.listeners]) listener();
  }

  private send(message: ClientMessage): void {
    this.channel.send(message);
  }

  private ask(what: (typeof questions)[number], agent: number, text = ''): Promise<unknown> {
    if (!this.isOpen) return Promise.resolve(null);
    this.lastQuestion += 1;
    const id = this.lastQuestion;
    this.send({ type: 'ask', id, what, agent, text });
    return new Promise((resolve) => this.asking.set(id, resolve));
  }

  private lost(): void {
    this.greet(null);
    // What was asked is not answered any more.
    for (const answer of this.asking.values()) answer(null);
    this.asking.clear();
    this.over();
  }

  private hear(value: unknown): void {
    const message = asHostMessage(value);
    if (message !== null) this.take(message);
  }

  private take(message: HostMessage): void {
    switch (message.type) {
      case 'welcome':
        this.run = message.run;
        this.pid = message.pid;
        this.greet(null);
        break;
      case 'refused':
        this.refused = { because: message.because, program: message.program };
        this.greet(this.refused);
        break;
      case 'state':
        this.before = this.told;
        this.told = applyPatch(this.told, message.patch);
        this.summaryWritten = message.written;
        this.pending = this.pending.filter(({ seq }) => seq > message.heard);
        this.foresee();
        break;
      case 'message':
        this.options.onMessage?.(this.told as RunState, this.before, message.message);
        this.before = this.told;
        break;
      case 'finished':
        this.finishedWith = message.code;
        for (const listener of [...this.listeners]) listener();
        break;
      case 'opened':
        for (const agent of message.agents) this.open(agent);
        for (const listener of [...this.openListeners]) listener();
        break;
      case 'screen':
        // For those that follow bytes.
        break;
      case 'picture':
        this.emulators.get(message.agent)?.show(message.picture);
        break;
      case 'answer':
        this.asking.get(message.id)?.(message.value);
        this.asking.delete(message.id);
        break;
      case 'watchers':
        this.watchers = message.count;
        break;
      case 'keys':
        this.keys = message.names;
        for (const listener of [...this.listeners]) listener();
        break;
      case 'warning':
        this.options.onWarning?.(message.text);
        break;
    }
  }

  private open(agent: number): void {
    if (this.emulators.has(agent)) return;
    this.emulators.set(
      agent,
      new MirroredEmulator({
        agent,
        send: (message) => this.send(message),
        ask: async (what, of, text) => (await this.ask(what, of, text)) ?? [],
        used: (emulator) => this.wasUsed(emulator),
      }),
    );
  }

  /** When all rows of this frame were asked for, the host is told what is shown. */
  private wasUsed(emulator: MirroredEmulator): void {
    if (this.drawnFrom.size === 0) setImmediate(() => this.tellSeen());
    this.drawnFrom.add(emulator);
  }

  private tellSeen(): void {
    const used = new Set(this.drawnFrom);
    this.drawnFrom.clear();
    const agents = [...this.emulators].flatMap(([agent, emulator]) =>
      used.has(emulator) && emulator.settle() ? [agent] : [],
    );
    if (agents.length > 0) this.send({ type: 'seen', agents });
  }
}
