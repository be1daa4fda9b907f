import type { Duplex } from 'node:stream';
import type { Message } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import type { HostedRun } from './hosted-run.js';
import { type ClientHome, ServedClient } from './served-client.js';
import { DrawnRows } from './terminal-feed.js';

export interface RunServerOptions {
  /** The run's stamp. */
  readonly run: string;
  /** The version of the program. */
  readonly program: string;
  /** Told when somebody who looks at it has come or gone. */
  readonly onWatchers: (count: number) => void;
}

/** Gives a run to its clients, by the contract. */
export class RunServer implements ClientHome {
  private readonly clients = new Set<ServedClient>();
  private readonly drawn = new Map<number, DrawnRows>();
  private readonly ends: (() => void)[] = [];
  /** Clients in the order in which they were used, the last one last. */
  private used: ServedClient[] = [];
  private closed = false;

  constructor(
    readonly hosted: HostedRun,
    readonly options: RunServerOptions,
  ) {
    this.ends.push(hosted.subscribe(() => this.each((client) => client.stateChanged())));
    this.ends.push(
      hosted.terminals.onOpen(() => {
        this.watchTerminals();
        this.each((client) => client.terminalsOpened());
      }),
    );
    this.watchTerminals();
  }

  /** Speaks with a client. */
  accept(stream: Duplex): void {
    if (this.closed) {
      stream.destroy();
      return;
    }
    const client = new ServedClient(this, stream);
    this.clients.add(client);
  }

  /** Told of each message. */
  readonly observe = (_: RunState, __: RunState | null, message: Message): void =>
    this.each((client) => client.messageCame(message));

  /** The run has finished, and nothing of it is under way. */
  finished(): void {
    this.each((client) => client.tellFinished());
  }

  warn(text: string): void {
    this.each((client) => client.tell({ type: 'warning', text }));
  }

  /** Clients that show the run to somebody. */
  get watchers(): number {
    return [...this.clients].filter((client) => client.isWatching).length;
  }

  /** Lets all clients go, after what is still to be told. */
  close(): void {
    this.closed = true;
    for (const end of this.ends) end();
    for (const client of this.clients) client.end();
  }

  left(client: ServedClient): void {
    this.clients.delete(client);
    const wasLast = this.used.at(-1) === client;
    this.used = this.used.filter((one) => one !== client);
    if (wasLast) this.applySizes();
    this.tellWatchers();
  }

  keysChanged(): void {
    this.each((client) => client.tellKeys());
  }

  greeted(): void {
    this.tellWatchers();
  }

  private tellWatchers(): void {
    const count = this.watchers;
    this.each((client) => {
      if (client.isWatching) client.tell({ type: 'watchers', count });
    });
    this.options.onWatchers(count);
  }

  /** A person has done something there: its sizes count now. */
  use(client: ServedClient): void {
    if (this.used.at(-1) === client) return;
    this.used = [...this.used.filter((one) => one !== client), client];
    this.applySizes();
  }

  isLatest(client: ServedClient): boolean {
    return this.used.at(-1) === client;
  }

  /** Agents that have a terminal. */
  opened(): number[] {
    const count = this.hosted.state()?.agents.length ?? 0;
    return Array.from({ length: count }, (_, agent) => agent).filter(
      (agent) => this.hosted.terminals.emulator(agent) !== null,
    );
  }

  drawnOf(agent: number): DrawnRows | null {
    return this.drawn.get(agent) ?? null;
  }

  private each(work: (client: ServedClient) => void): void {
    for (const client of [...this.clients]) work(client);
  }

  private applySizes(): void {
    const latest = this.used.at(-1);
    for (const [agent, size] of latest?.sizes ?? []) this.hosted.terminals.resize(agent, size);
  }

  private watchTerminals(): void {
    for (const agent of this.opened()) {
      const emulator = this.hosted.terminals.emulator(agent);
      if (!emulator || this.drawn.has(agent)) continue;
      this.drawn.set(agent, new DrawnRows(emulator));
      this.ends.push(emulator.onChange(() => this.each((client) => client.terminalChanged(agent))));
    }
  }
}
