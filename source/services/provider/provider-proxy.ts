import { randomBytes } from 'node:crypto';
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Governor } from './governor.js';
import { retryHint } from './retry-hint.js';

/** An agent gives a request up after 120 s without a byte; before that it is told to come again. */
const longestHoldMs = 100_000;

/** Of an error's body so much is read for a hint, bytes. */
const mostBody = 64 * 1024;

/** Headers that belong to one connection (RFC 9110 7.6.1). */
const ownHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
]);

export interface ProviderProxy {
  /** What agents are given as the provider's address. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Stands between the agents and their provider, on the loopback: everything is passed on as it is, but
 * a request that is refused for the rate (429) is held and sent again when the governor lets it.
 * It holds no key; an address that cannot be guessed keeps others of the machine out.
 * @param upstream the provider's base address, such as `https://api.openai.com/v1`
 */
export async function startProviderProxy(
  upstream: string,
  governor: Governor,
): Promise<ProviderProxy> {
  const base = new URL(upstream);
  const prefix = `/${randomBytes(12).toString('hex')}`;
  const agent =
    base.protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith(prefix)) {
      outgoing.writeHead(404).end();
      return;
    }
    const rest = incoming.url.slice(prefix.length);
    const target = new URL(base);
    const [path = '', query] = rest.split('?', 2);
    target.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`;
    target.search = query === undefined ? base.search : `?${query}`;
    pass(incoming, outgoing, target, agent, governor).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: URL,
  agent: HttpAgent | HttpsAgent,
  governor: Governor,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  const hold = AbortSignal.any([gone.signal, AbortSignal.timeout(longestHoldMs)]);
  let refusal: { headers: Record<string, string | string[]>; body: Buffer } | null = null;
  for (let round = 0; ; round++) {
    try {
      await governor.acquire(round > 0, hold);
    } catch {
      if (gone.signal.aborted) return;
      const { headers, body: text } = refusal ?? heldBack;
      outgoing.writeHead(429, headers).end(text);
      return;
    }
    let answer: IncomingMessage;
    try {
      answer = await send(incoming, body, target, agent, gone.signal);
    } catch (error) {
      governor.release();
      if (gone.signal.aborted) return;
      // Said in the form of the protocol, so that the agent names it as the provider's failure.
      const message = `${target.host} cannot be reached: ${(error as Error).message}`;
      outgoing.writeHead(502, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ error: { message, type: 'connection_error', code: 502 } }));
      return;
    }
    if (answer.statusCode !== 429) {
      governor.succeeded();
      return passOn(answer, outgoing);
    }
    refusal = { headers: headersOf(answer), body: await readSome(answer) };
    const text = refusal.body.toString('utf8');
    governor.refused(retryHint(answer.headers, text, Date.now()));
    if (isQuota(text) || governor.isHopeless) {
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

function send(
  incoming: IncomingMessage,
  body: Buffer,
  target: URL,
  agent: HttpAgent | HttpsAgent,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).filter(([name]) => !ownHeaders.has(name)),
  );
  return new Promise((resolve, reject) => {
    const sent = request(
      target,
      { method: incoming.method, headers: { ...headers, host: target.host }, agent, signal },
      resolve,
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function headersOf(answer: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !ownHeaders.has(name)) headers[name] = value;
  }
  return headers;
}

/** Byte for byte; a stream that breaks off there breaks off here too. */
function passOn(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, headersOf(answer));
  outgoing.flushHeaders();
  answer.on('aborted', () => outgoing.destroy());
  answer.on('error', () => outgoing.destroy());
  outgoing.on('close', () => answer.destroy());
  answer.pipe(outgoing);
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
