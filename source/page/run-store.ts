import type { Message, PersonMessage } from '../core/run/message.js';
import type { FromPage, FromServer } from '../core/run/page-contract.js';
import type { RunState } from '../core/run/run.js';
import { update } from '../core/run/update.js';

/** Every so many messages the state is kept, so that any moment is near one. */
const keepEvery = 200;

/** So long until a lost connection is tried again, milliseconds. */
const againMs = 1000;

/** Why nothing is heard, a clause. */
const unreachable = 'the server of this page cannot be reached, and is tried again';

/** So long a notice stays, milliseconds. */
const noticeMs = 8000;

/** What shows one terminal. */
export interface TerminalSink {
  screen(output: string, cols: number, rows: number): void;
  bytes(bytes: Uint8Array): void;
}

/** A run as the page knows it. A new object with each change. */
export interface RunView {
  /** Null until it is known. */
  readonly state: RunState | null;
  readonly messages: readonly Message[];
  /** Goes up with each message. */
  readonly count: number;
  /** All that has happened by now is known. */
  readonly isCurrent: boolean;
  readonly isConnected: boolean;
  readonly acts: boolean;
  readonly isThere: boolean;
  /** Why its program is not there, a clause. */
  readonly why: string;
  /** Agents that have a terminal. */
  readonly opened: ReadonlySet<number>;
  readonly watchers: number;
  /** Why its journal cannot be read, a sentence; '' where it can. */
  readonly problem: string;
  /** What is to be said now, a sentence; '' for nothing. */
  readonly notice: string;
}

const nothing: RunView = {
  state: null,
  messages: [],
  count: 0,
  isCurrent: false,
  isConnected: false,
  acts: false,
  isThere: false,
  why: '',
  opened: new Set(),
  watchers: 0,
  problem: '',
  notice: '',
};

/** The connection to one run, made again whenever it is lost. */
export class RunStore {
  private view = nothing;
  private socket: WebSocket | null = null;
  private messages: Message[] = [];
  private state: RunState | null = null;
  private kept: (RunState | null)[] = [null];
  private readonly listeners = new Set<() => void>();
  private readonly sinks = new Map<number, Map<TerminalSink, number>>();
  private readonly asking = new Map<number, (value: unknown) => void>();
  private questions = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private noticeTimer: ReturnType<typeof setTimeout> | null = null;
  private willTell = false;
  private closed = false;

  /** @param id repository and stamp */
  constructor(readonly id: string) {
    this.connect();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): RunView => this.view;

  /** The state after so many messages. */
  stateAt(count: number): RunState | null {
    const near = Math.min(Math.floor(count / keepEvery), this.kept.length - 1);
    let state = this.kept[near] ?? null;
    for (const message of this.messages.slice(near * keepEvery, count)) {
      state = update(state, message)[0];
    }
    return state;
  }

  dispatch(message: PersonMessage): void {
    this.send({ type: 'dispatch', message });
  }

  type(agent: number, text: string): void {
    this.send({ type: 'type', agent, text });
  }

  resize(agent: number, cols: number, rows: number): void {
    this.send({ type: 'resize', agent, cols, rows });
  }

  taken(agent: number, bytes: number): void {
    this.send({ type: 'taken', agent, bytes });
  }

  ask(what: 'diff' | 'lastMessage', agent: number): Promise<unknown> {
    this.questions += 1;
    const id = this.questions;
    this.send({ type: 'ask', id, what, agent, text: '' });
    return new Promise((resolve) => this.asking.set(id, resolve));
  }

  /** Shows a terminal there from now on. @param scrolled rows above its screen that are wanted @returns ends it */
  show(agent: number, scrolled: number, sink: TerminalSink): () => void {
    const all = this.sinks.get(agent) ?? new Map<TerminalSink, number>();
    this.sinks.set(agent, all);
    all.set(sink, scrolled);
    // All of it is sent anew, for the new one.
    this.send({ type: 'unfollow', agent });
    this.follow(agent);
    return () => {
      all.delete(sink);
      if (all.size > 0) return;
      this.sinks.delete(agent);
      this.send({ type: 'unfollow', agent });
    };
  }

  /** Says something for a while. */
  notify(notice: string): void {
    if (this.noticeTimer) clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => this.set({ notice: '' }), noticeMs);
    this.set({ notice });
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    if (this.noticeTimer) clearTimeout(this.noticeTimer);
    this.socket?.close();
  }

  private connect(): void {
    const socket = new WebSocket(`ws://${location.host}/api/runs/${this.id}/live`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      // It is told from its beginning.
      this.messages = [];
      this.state = null;
      this.kept = [null];
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') this.hear(JSON.parse(data) as FromServer);
      else this.hearBytes(data as ArrayBuffer);
    };
    socket.onclose = () => {
      this.socket = null;
      for (const answer of this.asking.values()) answer(null);
      this.asking.clear();
      if (this.closed) return;
      this.set({ isConnected: false, isThere: false, why: unreachable });
      this.timer = setTimeout(() => this.connect(), againMs);
    };
  }

  private follow(agent: number): void {
    const wanted = this.sinks.get(agent)?.values();
    if (wanted) this.send({ type: 'follow', agent, scrolled: Math.max(0, ...wanted) });
  }

  private send(message: FromPage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private hearBytes(data: ArrayBuffer): void {
    const agent = new DataView(data).getUint32(0);
    const bytes = new Uint8Array(data, 4);
    for (const sink of this.sinks.get(agent)?.keys() ?? []) sink.bytes(bytes);
  }

  private hear(message: FromServer): void {
    switch (message.type) {
      case 'rights':
        this.set({
          acts: message.acts,
          isConnected: true,
          opened: new Set(),
          isCurrent: false,
          problem: '',
        });
        break;
      case 'journal':
        for (const one of message.messages) this.happened(one);
        this.tellSoon();
        break;
      case 'current':
        this.tellState();
        this.set({ isCurrent: true });
        break;
      case 'unreadable':
        this.set({ problem: message.why });
        break;
      case 'host':
        this.set({ isThere: message.isThere, why: message.why });
        break;
      case 'opened':
        this.set({ opened: new Set([...this.view.opened, ...message.agents]) });
        for (const agent of message.agents) {
          this.follow(agent);
        }
        break;
      case 'screen':
        for (const sink of this.sinks.get(message.agent)?.keys() ?? []) {
          sink.screen(message.output, message.cols, message.rows);
        }
        break;
      case 'answer':
        this.asking.get(message.id)?.(message.value);
        this.asking.delete(message.id);
        break;
      case 'warning':
        this.notify(message.text);
        break;
      case 'watchers':
        this.set({ watchers: message.count });
        break;
      case 'refused':
        this.notify(message.why);
        break;
    }
  }

  private happened(message: Message): void {
    this.messages.push(message);
    this.state = update(this.state, message)[0];
    if (this.messages.length % keepEvery === 0) this.kept.push(this.state);
  }

  /** Many messages come at once: they are shown together. */
  private tellSoon(): void {
    if (this.willTell || !this.view.isCurrent) return;
    this.willTell = true;
    requestAnimationFrame(() => {
      this.willTell = false;
      this.tellState();
    });
  }

  private tellState(): void {
    const { state, messages } = this;
    this.set({ state, messages, count: messages.length });
  }

  private set(change: Partial<RunView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}
