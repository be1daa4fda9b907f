// Longer than 300 lines: one server, from the request to the answer.
import { randomBytes } from 'node:crypto';
import {
  type ClientRequest,
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { maskSecrets } from '../../core/policy/test-run.js';
import type { RateLimiter } from './rate-limiter.js';
import { retryHint } from './retry-hint.js';

/** An agent gives a request up after 120 s without a byte; before that it is told to come again. */
const longestHoldMs = 100_000;

/** Of an error's body so much is read for a hint, bytes. */
const mostBody = 64 * 1024;

/** The largest request that is passed on: kept until it is answered, as it may have to be sent again. Bytes. */
const mostRequest = 64 * 1024 * 1024;

/** A request whose headers, or whose body, have not come whole after so long is given up, milliseconds. */
const longestHeadersMs = 10_000;
const longestRequestMs = 30_000;

/** Headers that belong to one connection (RFC 9110 7.6.1). */
const ownHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
]);

export interface ProviderProxy {
  /** What agents are given as the provider's address. */
  readonly url: string;
  /** Requests that began and never came whole. */
  readonly abandoned: () => number;
  close(): Promise<void>;
}

/** Shorter than what agents and our own tests wait for; for tests. */
export interface ProxyLimits {
  readonly headersMs?: number;
  readonly requestMs?: number;
  readonly bodyBytes?: number;
}

/**
 * Stands between the agents and their provider, on the loopback: everything is passed on as it is, but
 * a request that is refused for the rate (429) is held and sent again when the rate limiter lets it, and a key
 * that the provider repeats in an error is masked.
 *
 * It holds no key. An address that cannot be guessed keeps others of the machine out, and it reaches nothing
 * but what lies below the provider's own address: no page of a browser, which it tells by host and origin.
 * @param upstream the provider's base address, such as `https://api.openai.com/v1`
 */
export async function startProviderProxy(
  upstream: string,
  rateLimiter: RateLimiter,
  limits: ProxyLimits = {},
): Promise<ProviderProxy> {
  const base = new URL(upstream);
  const prefix = `/${randomBytes(24).toString('hex')}`;
  const agent =
    base.protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true });
  const headersMs = limits.headersMs ?? longestHeadersMs;
  const requestMs = limits.requestMs ?? longestRequestMs;
  const most = limits.bodyBytes ?? mostRequest;
  let own = '';
  let abandoned = 0;
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1000, headersMs),
    },
    (incoming, outgoing) => {
      const target = targetOf(incoming, base, prefix, own);
      if (typeof target === 'number') {
        outgoing.writeHead(target, { connection: 'close' }).end();
        return;
      }
      const body = new SentBody(incoming, most);
      pass(incoming, body, outgoing, target, agent, rateLimiter).catch(() => outgoing.destroy());
    },
  );
  server.on('clientError', (_, socket) => {
    abandoned += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  own = `127.0.0.1:${port}`;
  return {
    url: `http://${own}${prefix}`,
    abandoned: () => abandoned,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Where a request goes, or the status it is refused with. */
function targetOf(
  { url = '', headers }: IncomingMessage,
  base: URL,
  prefix: string,
  own: string,
): URL | number {
  // Of a page in a browser, on this machine or by another name for it.
  if (headers.host !== own || headers.origin !== undefined) return 403;
  const [whole = '', query] = url.split('?', 2);
  if (whole !== prefix && !whole.startsWith(`${prefix}/`)) return 404;
  const rest = whole.slice(prefix.length);
  // Nothing that some server reads as a way up or out, also written with percent signs.
  if (/\/\/|\\|%2e|%2f|%5c|%00|(^|\/)\.\.?(\/|$)/i.test(rest)) return 400;
  const folder = base.pathname.replace(/\/+$/, '');
  const target = new URL(base);
  target.pathname = `${folder}${rest}`;
  target.search = query === undefined ? base.search : `?${query}`;
  const stays = target.origin === base.origin && `${target.pathname}/`.startsWith(`${folder}/`);
  return stays ? target : 400;
}

/** The body of a request: sent on while it comes, and kept, so that it can be sent again. */
class SentBody {
  private readonly chunks: Buffer[] = [];
  private readonly receivers = new Set<ClientRequest>();
  private size = 0;
  private state: 'coming' | 'whole' | 'broken' = 'coming';
  isTooLarge = false;

  constructor(incoming: IncomingMessage, most: number) {
    incoming.on('data', (chunk: Buffer) => {
      this.size += chunk.length;
      if (this.size > most) {
        this.isTooLarge = true;
        this.breakOff();
        incoming.resume();
        return;
      }
      if (this.state !== 'coming') return;
      this.chunks.push(chunk);
      for (const receiver of this.receivers) receiver.write(chunk);
    });
    incoming.on('end', () => {
      if (this.state !== 'coming') return;
      this.state = 'whole';
      for (const receiver of this.receivers) receiver.end();
      this.receivers.clear();
    });
    incoming.on('error', () => this.breakOff());
    incoming.on('close', () => {
      if (this.state === 'coming') this.breakOff();
    });
  }

  sendTo(request: ClientRequest): void {
    if (this.state === 'broken') {
      request.destroy(new Error('the request broke off'));
      return;
    }
    for (const chunk of this.chunks) request.write(chunk);
    if (this.state === 'whole') request.end();
    else {
      // A body without any byte yet would be sent as none.
      request.flushHeaders();
      this.receivers.add(request);
      request.on('close', () => this.receivers.delete(request));
    }
  }

  private breakOff(): void {
    this.state = 'broken';
    this.chunks.length = 0;
    for (const receiver of this.receivers) receiver.destroy(new Error('the request broke off'));
    this.receivers.clear();
  }
}

async function pass(
  incoming: IncomingMessage,
  body: SentBody,
  outgoing: ServerResponse,
  target: URL,
  agent: HttpAgent | HttpsAgent,
  rateLimiter: RateLimiter,
): Promise<void> {
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  const hold = AbortSignal.any([gone.signal, AbortSignal.timeout(longestHoldMs)]);
  let refusal: { headers: Record<string, string | string[]>; body: Buffer } | null = null;
  for (let round = 0; ; round++) {
    try {
      await rateLimiter.acquire(round > 0, hold);
    } catch (error) {
      if (!hold.aborted) throw error;
      // Given up: by the agent, or as it has waited long enough.
      if (gone.signal.aborted) return;
      const { headers, body: text } = refusal ?? heldBack;
      outgoing.writeHead(429, headers).end(text);
      return;
    }
    let answer: IncomingMessage;
    try {
      answer = await send(incoming, body, target, agent, gone.signal);
    } catch (error) {
      rateLimiter.release();
      if (gone.signal.aborted) return;
      if (body.isTooLarge) {
        outgoing.writeHead(413, { connection: 'close' }).end();
        return;
      }
      // Said in the form of the protocol, so that the agent names it as the provider's failure.
      const message = `${target.host} cannot be reached: ${(error as Error).message}`;
      outgoing.writeHead(502, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ error: { message, type: 'connection_error', code: 502 } }));
      return;
    }
    const secrets = secretsOf(incoming.headers);
    if (answer.statusCode !== 429) {
      rateLimiter.succeeded();
      return passOn(answer, outgoing, secrets);
    }
    const text = maskSecrets((await readSome(answer)).toString('utf8'), secrets);
    refusal = { headers: withoutLength(headersOf(answer)), body: Buffer.from(text) };
    rateLimiter.refused(retryHint(answer.headers, text, Date.now()));
    if (isQuota(text) || rateLimiter.isHopeless) {
      outgoing.writeHead(429, refusal.headers).end(refusal.body);
      return;
    }
  }
}

/** What a request is told that has waited for others to be let through. */
const heldBack = {
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(
    JSON.stringify({ error: { message: 'Rate limit: all agents wait', type: 'requests' } }),
  ),
};

/** A used-up quota is refused with the same status, and no wait cures it. */
function isQuota(body: string): boolean {
  return /insufficient_quota|exceeded your current quota|billing/i.test(body);
}

/** The keys that a request carries, which must not come back in words. */
function secretsOf(headers: IncomingHttpHeaders): string[] {
  const bearer = /^\S+\s+(\S+)/.exec(headers.authorization ?? '')?.[1];
  const keys = ['x-api-key', 'api-key', 'x-goog-api-key'].map((name) => headers[name]);
  return [bearer, ...keys].flatMap((key) => (typeof key === 'string' ? [key] : []));
}

function send(
  incoming: IncomingMessage,
  body: SentBody,
  target: URL,
  agent: HttpAgent | HttpsAgent,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = passedOn(incoming.headers);
  return new Promise((resolve, reject) => {
    const sent = request(
      target,
      { method: incoming.method, headers: { ...headers, host: target.host }, agent, signal },
      resolve,
    );
    sent.on('error', reject);
    body.sendTo(sent);
  });
}

/** All headers but those of one connection, by their names or by its own word. */
function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = String(headers.connection ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !ownHeaders.has(name) && !named.includes(name)) kept[name] = value;
  }
  return kept;
}

function headersOf(answer: IncomingMessage): Record<string, string | string[]> {
  return passedOn(answer.headers);
}

function withoutLength(
  headers: Record<string, string | string[]>,
): Record<string, string | string[]> {
  const { 'content-length': _, 'content-encoding': __, ...rest } = headers;
  return rest;
}

/**
 * Byte for byte, but for the keys in an error; a stream that breaks off there breaks off here too.
 */
function passOn(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  secrets: readonly string[],
): void {
  const status = answer.statusCode ?? 502;
  const masks = status >= 400 && answer.headers['content-encoding'] === undefined;
  const headers = headersOf(answer);
  outgoing.writeHead(status, masks ? withoutLength(headers) : headers);
  outgoing.flushHeaders();
  answer.on('aborted', () => outgoing.destroy());
  answer.on('error', () => outgoing.destroy());
  outgoing.on('close', () => answer.destroy());
  if (masks) answer.pipe(masking(secrets)).pipe(outgoing);
  else answer.pipe(outgoing);
}

/** Masks secrets in a short text, such as an error; of a longer one the rest passes as it is. */
function masking(secrets: readonly string[]): Transform {
  let held: Buffer[] = [];
  let size = 0;
  const masked = () => Buffer.from(maskSecrets(Buffer.concat(held).toString('utf8'), secrets));
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (size > mostBody) return done(null, chunk);
      held.push(chunk);
      size += chunk.length;
      if (size <= mostBody) return done();
      const text = masked();
      held = [];
      done(null, text);
    },
    flush(done) {
      done(null, size > mostBody ? undefined : masked());
    },
  });
}

async function readSome(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += (chunk as Buffer).length;
    if (size <= mostBody) chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
