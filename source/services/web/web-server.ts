import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { faultOfError } from '../../core/policy/machine-fault.js';
import type { ListedRun } from '../../core/run/page-contract.js';
import { hasCode, unreadable } from '../files/private-files.js';
import type { KnownRun } from '../records/run-records.js';
import { cannotNow, end, linkUsed, notLetIn, pathOf, safeHeaders, sendJson } from './answers.js';
import { showsToken } from './metrics-token.js';
import { contentPolicy, entryHtml, noteHtml, type PageFile, pageHtml } from './page-files.js';
import { doAsAsked, mostFromPage } from './page-requests.js';
import { RunFeed } from './run-feed.js';
import type { RunFigures } from './run-figures.js';
import { originRefusal } from './same-origin.js';
import { type Rights, Sessions } from './sessions.js';

/** What the page shows. */
export interface WebRuns {
  /** @param only these; null for all */
  list(only: readonly KnownRun[] | null): Promise<readonly ListedRun[]>;
  /** @param id repository and stamp; null where there is no such run of this user */
  find(id: string): KnownRun | null;
  /**
   * Its whole change, as a patch; '' where it has none, null where git cannot tell.
   * @param agent one agent's; null for what was merged
   */
  patch(run: KnownRun, agent: number | null): Promise<string | null>;
  /** The PRD that its agents refer to, as it is on the disk; null where it cannot be read. */
  prd(run: KnownRun): Buffer | null;
  /** What an agent's terminal showed; null where nothing was recorded. */
  recording(run: KnownRun, agent: number): Buffer | 'too_large' | null;
}

export interface WebServerOptions {
  readonly files: ReadonlyMap<string, PageFile>;
  readonly runs: WebRuns;
  /** The version of this program. */
  readonly program: string;
  /** What Prometheus reads, by whom; null where nobody reads it here. */
  readonly metrics: { readonly figures: RunFigures; readonly token: string } | null;
}

const runPath =
  /^\/api\/runs\/([0-9a-f]{1,64}\/\d{8}_\d{6})\/(live|patch|prd|recording)(?:\/(\d{1,5}))?$/;

/** A browser that has not answered for so long is gone, milliseconds. */
const silentMs = 30_000;

/** So long a browser may take to go, milliseconds. */
const patienceMs = 1000;

/** Why a connection is closed, by the number of RFC 6455. */
const goingAway = 1001;

/** So much may wait for a browser before more is read for it, bytes. */
const fullAt = 4 * 1024 * 1024;

/** A fault of the machine, or a file that cannot be read: not of ours. */
function isOfMachine(error: unknown): boolean {
  return faultOfError(error) !== null || hasCode(error, ...unreadable);
}

/** The page on loopback, for who was given an address. */
export class WebServer {
  private readonly sessions = new Sessions();
  private readonly server: Server;
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: mostFromPage });
  private readonly timer: NodeJS.Timeout;
  private readonly silent = new WeakSet<WebSocket>();
  private readonly feeds = new Set<RunFeed>();

  constructor(private readonly options: WebServerOptions) {
    this.server = createServer((request, response) => {
      // A fault of the machine, such as too many open files, is this answer's alone.
      this.answer(request, response).catch((error: unknown) => {
        if (!isOfMachine(error)) throw error;
        end(response, 500, noteHtml(cannotNow));
      });
    });
    // One browser that cannot be taken is not the end of the others.
    this.server.on('error', () => {});
    this.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      try {
        this.upgrade(request, socket, head);
      } catch (error) {
        if (!isOfMachine(error)) throw error;
        socket.destroy();
      }
    });
    this.timer = setInterval(() => this.dropSilent(), silentMs);
    this.timer.unref();
  }

  /** Listens on loopback alone. @param port 0 for one that is free @returns the port; throws like `net` */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => resolve());
    });
    return this.port;
  }

  /** An address that is good for one browser. */
  address(rights: Rights): string {
    return `http://127.0.0.1:${this.port}/enter/${this.sessions.invite(rights)}`;
  }

  /** Browsers that are there. */
  get browsers(): number {
    return this.sockets.clients.size;
  }

  /** Tells the browsers what there is still to tell, and lets them go. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const feed of this.feeds) feed.flush();
    for (const client of this.sockets.clients) client.close(goingAway);
    await this.emptied();
    for (const client of this.sockets.clients) client.terminate();
    this.options.metrics?.figures.close();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** Resolves when all browsers have gone, or have had time to. */
  private async emptied(): Promise<void> {
    const until = performance.now() + patienceMs;
    while (this.sockets.clients.size > 0 && performance.now() < until) await pause(10);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Cookies do not tell ports apart. */
  private get cookie(): string {
    return `aider_orchestrator_${this.port}`;
  }

  private rightsOf({ headers }: IncomingMessage): Rights | null {
    const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
    const session = pairs.find(([name]) => name === this.cookie)?.[1];
    return session === undefined ? null : this.sessions.rightsOf(session);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pathname = pathOf(request);
    const entry = /^\/enter\/([\w-]{1,100})$/.exec(pathname)?.[1];
    const nonce = randomBytes(16).toString('base64');
    for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value);
    response.setHeader('Content-Security-Policy', contentPolicy(nonce));
    const wrong = originRefusal(request.headers, { isEntry: entry !== undefined });
    if (wrong !== null) return end(response, 403, noteHtml(wrong));
    if (request.method !== 'GET') return end(response, 405, noteHtml('Only GET is answered.'));
    if (entry !== undefined) return this.enter(entry, response);
    const asset = /^\/assets\/([\w.-]{1,100})$/.exec(pathname)?.[1];
    if (asset !== undefined) return this.sendFile(asset, response);
    if (pathname === '/metrics') return this.sendMetrics(request, response);
    const rights = this.rightsOf(request);
    if (rights === null) return end(response, 403, noteHtml(notLetIn));
    if (pathname === '/') return end(response, 200, pageHtml(nonce));
    if (pathname === '/api/runs') return this.sendRuns(rights, response);
    return this.sendOfRun(pathname, rights, response);
  }

  private enter(secret: string, response: ServerResponse): void {
    const entered = this.sessions.enter(secret);
    if (entered === null) {
      end(response, 403, noteHtml(linkUsed));
      return;
    }
    const flags = 'HttpOnly; SameSite=Strict; Path=/';
    response.setHeader('Set-Cookie', `${this.cookie}=${entered.session}; ${flags}`);
    const { run } = entered.rights;
    end(response, 200, entryHtml(run === null ? '/' : `/#${run}`));
  }

  private sendFile(name: string, response: ServerResponse): void {
    const file = this.options.files.get(name);
    response.statusCode = file ? 200 : 404;
    response.setHeader('Content-Type', file?.type ?? 'text/plain');
    response.end(file?.bytes);
  }

  /** By a token, as Prometheus is no browser. */
  private async sendMetrics({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics } = this.options;
    if (metrics === null) return end(response, 404, noteHtml('There is no such page.'));
    if (!showsToken(headers.authorization, metrics.token)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      return end(response, 401, noteHtml('Figures are told to who shows the token.'));
    }
    const text = await metrics.figures.text();
    response.setHeader('Content-Type', metrics.figures.type);
    response.end(text);
  }

  private async sendRuns(rights: Rights, response: ServerResponse): Promise<void> {
    const { runs } = this.options;
    const one = rights.run === null ? null : runs.find(rights.run);
    // To tell of a run may take the reading of its journal: of those that are seen alone.
    return sendJson(response, await runs.list(rights.run === null ? null : one ? [one] : []));
  }

  private async sendOfRun(
    pathname: string,
    rights: Rights,
    response: ServerResponse,
  ): Promise<void> {
    const [, id = '', what, agent] = runPath.exec(pathname) ?? [];
    const run = this.find(id, rights);
    const index = agent === undefined ? null : Number(agent);
    const found = run && (await this.lookUp(run, what, index));
    if (found === null) {
      end(response, 404, noteHtml('There is no such page.'));
    } else if (found === 'too_large') {
      end(response, 413, noteHtml('It is too large to be shown.'));
    } else {
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end(found);
    }
  }

  private async lookUp(run: KnownRun, what: string | undefined, agent: number | null) {
    const { runs } = this.options;
    if (what === 'prd') return runs.prd(run);
    if (what === 'recording') return agent === null ? null : runs.recording(run, agent);
    if (what !== 'patch') return null;
    const patch = await runs.patch(run, agent);
    return patch === null ? null : Buffer.from(patch);
  }

  private find(id: string, rights: Rights): KnownRun | null {
    if (id === '' || (rights.run !== null && rights.run !== id)) return null;
    return this.options.runs.find(id);
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const pathname = pathOf(request);
    const wrong = originRefusal(request.headers, { needsOrigin: true });
    const rights = this.rightsOf(request);
    const [, id = '', what] = runPath.exec(pathname) ?? [];
    const run = rights && what === 'live' ? this.find(id, rights) : null;
    if (wrong !== null || rights === null || run === null) {
      const status = wrong !== null || rights === null ? '403 Forbidden' : '404 Not Found';
      // One that keeps its own side open does not keep us.
      socket.once('finish', () => socket.destroy());
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (client) =>
      this.serve(client, run, id, rights),
    );
  }

  private serve(client: WebSocket, run: KnownRun, id: string, rights: Rights): void {
    const send = (message: object) => client.send(JSON.stringify(message));
    send({ type: 'rights', acts: rights.acts });
    const { runs, program } = this.options;
    const browser = {
      send,
      sendBytes: (agent: number, bytes: Buffer) => {
        const frame = Buffer.allocUnsafe(4 + bytes.length);
        frame.writeUInt32BE(agent);
        bytes.copy(frame, 4);
        client.send(frame);
      },
      get isFull() {
        return client.bufferedAmount > fullAt;
      },
    };
    const feed = new RunFeed(run, () => runs.find(id), browser, program);
    client.on('message', (data) => {
      const why = doAsAsked(data, feed, rights.acts);
      if (why !== null) send({ type: 'refused', why });
    });
    client.on('pong', () => this.silent.delete(client));
    // Why it went does not matter: it is gone.
    client.on('error', () => client.terminate());
    this.feeds.add(feed);
    client.on('close', () => {
      this.feeds.delete(feed);
      feed.close();
    });
  }

  private dropSilent(): void {
    for (const client of this.sockets.clients) {
      if (this.silent.has(client)) client.terminate();
      else {
        this.silent.add(client);
        client.ping();
      }
    }
  }
}
