// Longer than 300 lines: two protocols on one server.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reply, Rule, Script } from './script.js';

/** A request as the server saw it, for tests that look at what was sent. */
export interface SeenRequest {
  readonly kind: 'chat' | 'gemini' | 'models' | 'refused';
  readonly model: string;
  /** All text of all messages, in order. */
  readonly text: string;
  readonly stream: boolean;
  readonly headers: IncomingMessage['headers'];
  readonly at: number;
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

/** Starts a scripted model server on a loopback port of its own. */
export async function startModelServer(script: Script): Promise<ModelServer> {
  const requests: SeenRequest[] = [];
  const used = new Map<Rule, number>();
  const pick = (rules: readonly Rule[], text: string): Reply | null => {
    const rule = rules.find(({ when }) => when === undefined || new RegExp(when).test(text));
    if (!rule) return null;
    const turn = used.get(rule) ?? 0;
    used.set(rule, turn + 1);
    return rule.replies[Math.min(turn, rule.replies.length - 1)] ?? null;
  };
  const server = createServer((request, response) => {
    answer(script, pick, requests, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  script: Script,
  pick: (rules: readonly Rule[], text: string) => Reply | null,
  requests: SeenRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  const note = (kind: SeenRequest['kind'], model: string, text: string, stream: boolean) => {
    requests.push({ kind, model, text, stream, headers: request.headers, at: Date.now() });
  };
  if (script.keys && !script.keys.includes(keyOf(request, url))) {
    note('refused', '', '', false);
    const message = /\/chat\/completions$/.test(url.pathname)
      ? 'Incorrect API key provided'
      : 'API key not valid. Please pass a valid API key.';
    const status = /\/chat\/completions$/.test(url.pathname) ? 401 : 400;
    return sendJson(response, status, {
      error: { code: status, message, status: 'INVALID_ARGUMENT' },
    });
  }
  if (request.method === 'GET' && /\/v1(beta)?\/models$/.test(url.pathname)) {
    note('models', '', '', false);
    return sendJson(response, 200, modelList(script));
  }
  const gemini = /\/models\/([^/:]+):(streamGenerateContent|generateContent)$/.exec(url.pathname);
  if (request.method === 'POST' && gemini) {
    const model = decodeURIComponent(gemini[1] ?? '');
    const text = geminiText(body);
    const stream = gemini[2] === 'streamGenerateContent';
    note('gemini', model, text, stream);
    const gone = script.geminiModels && !script.geminiModels.includes(model);
    const reply: Reply = gone
      ? { status: 404, text: `models/${model} is not found for API version v1beta` }
      : (pick(script.gemini, text) ?? { status: 500, text: 'no rule of the script fits' });
    return sendGemini(response, reply, stream);
  }
  if (request.method === 'POST' && url.pathname.endsWith('/chat/completions')) {
    const { model, stream } = body as { model?: string; stream?: boolean };
    const text = chatText(body);
    const wait = limitWait(script, requests);
    if (wait !== null) {
      note('refused', model ?? '', text, stream === true);
      const message = 'Rate limit reached for requests';
      const headers = {
        'retry-after-ms': String(wait),
        'retry-after': `${Math.ceil(wait / 1000)}`,
      };
      return sendJson(response, 429, { error: { message, type: 'requests' } }, headers);
    }
    note('chat', model ?? '', text, stream === true);
    const reply = pick(script.chat, text) ?? { status: 500, text: 'no rule of the script fits' };
    return sendChat(response, reply, model ?? 'scripted', stream === true);
  }
  sendJson(response, 404, { error: { message: `no such path: ${url.pathname}` } });
}

/** The key of a request, wherever its protocol has it. */
function keyOf({ headers }: IncomingMessage, url: URL): string {
  const google = headers['x-goog-api-key'] ?? url.searchParams.get('key');
  return String(google ?? headers.authorization?.replace(/^Bearer /, '') ?? '');
}

/** Milliseconds until one more chat request is within the limit; null when it is now. */
function limitWait({ limit }: Script, requests: readonly SeenRequest[]): number | null {
  if (!limit) return null;
  const now = Date.now();
  const recent = requests.filter(({ kind, at }) => kind === 'chat' && at > now - limit.spanMs);
  if (recent.length < limit.requests) return null;
  return (recent.at(-limit.requests)?.at ?? now) + limit.spanMs - now;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (chunks.length === 0) return {};
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

function chatText(body: unknown): string {
  const { messages } = body as { messages?: { content?: unknown }[] };
  return (messages ?? [])
    .map(({ content }) =>
      Array.isArray(content)
        ? content.map((part: { text?: string }) => part.text ?? '').join('\n')
        : String(content ?? ''),
    )
    .join('\n');
}

function geminiText(body: unknown): string {
  const { contents } = body as { contents?: { parts?: { text?: string }[] }[] };
  return (contents ?? [])
    .flatMap((content) => (content.parts ?? []).map((part) => part.text ?? ''))
    .join('\n');
}

function chunksOf(reply: Reply): string[] {
  const text = reply.text ?? '';
  const end = Math.min(text.length, reply.breakAfter ?? text.length);
  const size = reply.chunkSize ?? 40;
  const chunks: string[] = [];
  for (let at = 0; at < end; ) {
    let next = Math.min(end, at + size);
    // A character outside the basic plane is not cut in two.
    if (/[\uD800-\uDBFF]/.test(text[next - 1] ?? '') && next < end) next += 1;
    chunks.push(text.slice(at, next));
    at = next;
  }
  return chunks;
}

/** Resolves when more may be written, or nobody listens any more. */
function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/** Sends server-sent events; true when the reply came to its regular end. */
async function streamChunks(
  response: ServerResponse,
  reply: Reply,
  event: (chunk: string) => unknown,
): Promise<boolean> {
  response.writeHead(200, { 'content-type': 'text/event-stream', ...reply.headers });
  response.flushHeaders();
  for (const chunk of chunksOf(reply)) {
    if (response.destroyed) return false;
    const encoding = reply.bytes ? 'latin1' : 'utf8';
    const written = response.write(`data: ${JSON.stringify(event(chunk))}\r\n\r\n`, encoding);
    if (!written) await writable(response);
    if (reply.chunkDelayMs) await sleep(reply.chunkDelayMs);
  }
  if (reply.breakAfter !== undefined) {
    response.destroy();
    return false;
  }
  return !reply.hang;
}

async function sendChat(
  response: ServerResponse,
  reply: Reply,
  model: string,
  stream: boolean,
): Promise<void> {
  if (reply.delayMs) await sleep(reply.delayMs);
  const status = reply.status ?? 200;
  if (status !== 200) {
    const error = { message: reply.text ?? 'error', type: 'scripted', code: status };
    return sendJson(response, status, { error }, reply.headers);
  }
  const id = 'chatcmpl-scripted';
  const created = Math.floor(Date.now() / 1000);
  const usage = usageOf(reply);
  const finish = reply.finish ?? 'stop';
  if (!stream) {
    const message = { role: 'assistant', content: reply.text ?? '' };
    const choices = [{ index: 0, message, finish_reason: finish }];
    return sendJson(response, 200, {
      id,
      object: 'chat.completion',
      created,
      model,
      choices,
      usage,
    });
  }
  const event = (delta: object, finish_reason: string | null, more: object = {}) => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index: 0, delta, finish_reason }],
    ...more,
  });
  const whole = await streamChunks(response, reply, (content) =>
    event({ role: 'assistant', content }, null),
  );
  if (!whole) return;
  response.write(`data: ${JSON.stringify(event({}, finish, { usage }))}\r\n\r\n`);
  response.end('data: [DONE]\r\n\r\n');
}

function usageOf(reply: Reply) {
  const prompt_tokens = reply.promptTokens ?? 1000;
  const completion_tokens = reply.completionTokens ?? Math.ceil((reply.text ?? '').length / 4);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

const rpcStatus: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

async function sendGemini(response: ServerResponse, reply: Reply, stream: boolean): Promise<void> {
  if (reply.delayMs) await sleep(reply.delayMs);
  const code = reply.status ?? 200;
  if (code !== 200) {
    const status = rpcStatus[code] ?? 'UNKNOWN';
    const error = { code, message: reply.text ?? 'error', status, details: reply.details ?? [] };
    return sendJson(response, code, { error }, reply.headers);
  }
  if (reply.blockReason) {
    const blocked = { promptFeedback: { blockReason: reply.blockReason } };
    if (!stream) return sendJson(response, 200, blocked);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify(blocked)}\r\n\r\n`);
    return;
  }
  const part = (text: string, finishReason?: string) => ({
    candidates: [
      {
        index: 0,
        content: { role: 'model', parts: [{ text }] },
        ...(finishReason ? { finishReason } : {}),
      },
    ],
  });
  const finish = reply.finish ?? 'STOP';
  if (!stream) return sendJson(response, 200, part(reply.text ?? '', finish));
  const whole = await streamChunks(response, { chunkSize: 200, ...reply }, (text) => part(text));
  if (whole) response.end(`data: ${JSON.stringify(part('', finish))}\r\n\r\n`);
}

function modelList(script: Script): unknown {
  return {
    models: (script.geminiModels ?? ['gemini-2.5-pro']).map((name) => ({
      name: `models/${name}`,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    })),
  };
}
