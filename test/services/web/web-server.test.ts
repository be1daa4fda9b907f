import { request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { KnownRun } from '../../../source/services/records/run-records.js';
import { metricsToken } from '../../../source/services/web/metrics-token.js';
import { RunFigures } from '../../../source/services/web/run-figures.js';
import {
  type WebRuns,
  WebServer,
  type WebServerOptions,
} from '../../../source/services/web/web-server.js';
import { tempFolder } from '../../rig.js';

const ids = ['aa11/20260102_030405', 'bb22/20260102_030406'] as const;
const servers: WebServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A server with two runs that have ended. @param more what is different */
async function started(
  more: Partial<WebRuns> = {},
  known: Partial<KnownRun> = {},
  metrics: WebServerOptions['metrics'] = null,
) {
  const folder = tempFolder();
  const runOf = (id: string) => {
    const [, stamp = ''] = id.split('/');
    const file = path.join(folder, `${stamp}.jsonl`);
    return { stamp, file, liveness: 'dead', closed: 'finished', ...known } as KnownRun;
  };
  const server = new WebServer({
    files: new Map([['page.js', { type: 'text/javascript', bytes: Buffer.from('code') }]]),
    program: '1.0.0',
    metrics,
    runs: {
      list: async (only) =>
        ids
          .filter((id) => only === null || only.some(({ stamp }) => id.endsWith(stamp)))
          .map((id) => ({ id, run: id, repo: '/repo', isAlive: false, words: 'ended' })),
      find: (id) => ((ids as readonly string[]).includes(id) ? runOf(id) : null),
      patch: async () => 'diff --git a/x b/x\n',
      prd: () => Buffer.from('# PRD'),
      recording: () => Buffer.from('{}'),
      ...more,
    },
  });
  servers.push(server);
  return { server, port: await server.listen(0) };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

function get(
  port: number,
  pathname: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const own = { Host: `127.0.0.1:${port}`, ...headers };
    const sent = request({ port, host: '127.0.0.1', path: pathname, method, headers: own });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      let body = '';
      answer.on('data', (text) => {
        body += text;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }),
      );
    });
    sent.end();
  });
}

/** Opens an address as a browser does; gives its cookie. */
async function enter(port: number, address: string): Promise<string> {
  const { status, headers } = await get(port, new URL(address).pathname);
  expect(status).toBe(200);
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
}

/** What comes of a connection: its status where it is refused, else its messages up to the one of that type. */
function live(
  port: number,
  id: string,
  headers: Record<string, string>,
  send: object[] = [],
  last = send.length === 0 ? 'current' : 'refused',
) {
  return new Promise<number | { type: string; [key: string]: unknown }[]>((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/runs/${id}/live`, { headers });
    const heard: { type: string }[] = [];
    socket.on('unexpected-response', (_, answer) => resolve(answer.statusCode ?? 0));
    socket.on('error', () => {});
    socket.on('open', () => {
      for (const one of send) socket.send(JSON.stringify(one));
    });
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      heard.push(message);
      if (message.type !== last) return;
      socket.close();
      resolve(heard);
    });
  });
}

const everything = { acts: true, run: null };

test('an address is good for one browser, which gets a cookie that scripts and other pages cannot use', async () => {
  const { server, port } = await started();
  const { pathname } = new URL(server.address(everything));
  const first = await get(port, pathname);
  expect(first.status).toBe(200);
  expect(first.body).toContain('content="0;url=/"');
  expect(first.headers['set-cookie']).toEqual([
    expect.stringMatching(/^aider_orchestrator_\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/),
  ]);
  const second = await get(port, pathname);
  expect(second.status).toBe(403);
  expect(second.headers['set-cookie']).toBeUndefined();
  expect(second.body).toContain('This address was used already');
  expect((await get(port, '/enter/guessed')).status).toBe(403);
});

test('nothing is told to a browser that was not let in, nor by a cookie that is forged', async () => {
  const { server, port } = await started();
  const cookie = await enter(port, server.address(everything));
  const forged = cookie.replace(/=.*/, `=${'A'.repeat(43)}`);
  const closed = [
    '/',
    '/api/runs',
    `/api/runs/${ids[0]}/patch`,
    `/api/runs/${ids[0]}/prd`,
    `/api/runs/${ids[0]}/recording/0`,
  ];
  for (const pathname of closed) {
    expect((await get(port, pathname)).status, pathname).toBe(403);
    expect((await get(port, pathname, { Cookie: forged })).status, pathname).toBe(403);
    expect((await get(port, pathname, { Cookie: cookie })).status, pathname).toBe(200);
  }
  const Origin = `http://127.0.0.1:${port}`;
  expect(await live(port, ids[0], { Origin })).toBe(403);
  expect(await live(port, ids[0], { Origin, Cookie: forged })).toBe(403);
  const heard = await live(port, ids[0], { Origin, Cookie: cookie });
  expect(heard).toContainEqual({ type: 'rights', acts: true });
  expect(heard).toContainEqual({ type: 'current' });
});

test('a page of another origin, or another name that leads here, gets nothing with the cookie', async () => {
  const { server, port } = await started();
  const Cookie = await enter(port, server.address(everything));
  const own = `http://127.0.0.1:${port}`;
  const refused: Record<string, string>[] = [
    { Host: 'evil.example' },
    { Host: `evil.example:${port}` },
    { Host: `127.0.0.1.evil.example:${port}` },
    { Host: `0.0.0.0:${port}` },
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: `http://127.0.0.1:${port + 1}` },
    { Origin: `https://127.0.0.1:${port}` },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ];
  for (const headers of refused) {
    const answer = await get(port, '/api/runs', { Cookie, ...headers });
    expect(answer.status, JSON.stringify(headers)).toBe(403);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    const socket = { Origin: own, Cookie, ...headers };
    expect(await live(port, ids[0], socket), JSON.stringify(headers)).toBe(403);
  }
  // Browsers tell where a connection comes from; who does not is none.
  expect(await live(port, ids[0], { Cookie })).toBe(403);
  // A port that is forwarded, or another name of this machine.
  for (const Host of ['localhost:9000', '[::1]:9000', 'localhost']) {
    const headers = { Cookie, Host, Origin: `http://${Host}`, 'Sec-Fetch-Site': 'same-origin' };
    expect((await get(port, '/api/runs', headers)).status).toBe(200);
  }
});

test('each answer forbids what a page could be tricked into', async () => {
  const { server, port } = await started();
  const Cookie = await enter(port, server.address(everything));
  for (const pathname of ['/', '/api/runs', '/assets/page.js', '/nothing', '/enter/x']) {
    const { headers } = await get(port, pathname, { Cookie });
    expect(headers['content-security-policy'], pathname).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]{24}'; style-src-attr 'unsafe-inline'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-store',
    });
  }
  for (const method of ['POST', 'PUT', 'OPTIONS', 'DELETE']) {
    expect((await get(port, '/api/runs', { Cookie }, method)).status).toBe(405);
  }
  for (const pathname of ['/assets/../package.json', '/assets/%2e%2e%2fx', '//', '/api/runs/x/y']) {
    expect((await get(port, pathname, { Cookie })).status, pathname).toBe(404);
  }
});

test('a link for one run shows that one alone', async () => {
  const { server, port } = await started();
  const { pathname } = new URL(server.address({ acts: true, run: ids[0] }));
  const entered = await get(port, pathname);
  expect(entered.body).toContain(`url=/#${ids[0]}"`);
  const Cookie = String(entered.headers['set-cookie']?.[0]).split(';')[0] ?? '';
  const runs = JSON.parse((await get(port, '/api/runs', { Cookie })).body);
  expect(runs.map(({ id }: { id: string }) => id)).toEqual([ids[0]]);
  expect((await get(port, `/api/runs/${ids[0]}/patch`, { Cookie })).status).toBe(200);
  expect((await get(port, `/api/runs/${ids[1]}/patch`, { Cookie })).status).toBe(404);
  const Origin = `http://127.0.0.1:${port}`;
  expect(await live(port, ids[1], { Origin, Cookie })).toBe(404);
});

test.each([
  [{ type: 'dispatch', message: { type: 'kill_all' } }],
  [{ type: 'type', agent: 0, text: 'y' }],
  [{ type: 'resize', agent: 0, cols: 80, rows: 24 }],
  [{ type: 'used' }],
])('a link that can only watch refuses %o', async (message) => {
  const { server, port } = await started();
  const Cookie = await enter(port, server.address({ acts: false, run: null }));
  const Origin = `http://127.0.0.1:${port}`;
  const heard = await live(port, ids[0], { Origin, Cookie }, [message]);
  expect(heard).toContainEqual({ type: 'rights', acts: false });
  expect(heard).toContainEqual({ type: 'refused', why: 'This link can only watch.' });
});

test.each([
  [{ type: 'key', variable: 'OPENAI_API_KEY', value: 'k' }],
  [{ type: 'hello' }],
  [{ type: 'dispatch', message: { type: 'landing_done', landing: { state: 'waits' } } }],
  [{ type: 'follow', agent: -1, scrolled: 0 }],
  [{ type: 'follow', agent: 0, scrolled: 1e9 }],
  [[]],
])('what a page must not send is refused: %o', async (message) => {
  const { server, port } = await started();
  const Cookie = await enter(port, server.address(everything));
  const Origin = `http://127.0.0.1:${port}`;
  const heard = await live(port, ids[0], { Origin, Cookie }, [message]);
  expect(heard).toContainEqual({ type: 'refused', why: 'That was not understood.' });
});

test('what cannot be told is not told as nothing', async () => {
  const { server, port } = await started({
    patch: async () => null,
    prd: () => null,
    recording: (_, agent) => (agent === 0 ? 'too_large' : null),
  });
  const Cookie = await enter(port, server.address(everything));
  const status = async (what: string) =>
    (await get(port, `/api/runs/${ids[0]}/${what}`, { Cookie })).status;
  expect(await status('patch')).toBe(404);
  expect(await status('patch/3')).toBe(404);
  expect(await status('prd')).toBe(404);
  expect(await status('recording/0')).toBe(413);
  expect(await status('recording/1')).toBe(404);
  expect(await status('recording')).toBe(404);
});

test.each<[string, Partial<KnownRun>, string]>([
  ['has ended', {}, 'the run has ended'],
  [
    'was cut off',
    { closed: null },
    'it was cut off; aider-orchestrator resume 20260102_030405 goes on with it',
  ],
  [
    'is elsewhere',
    { liveness: 'unknown', host: 'other' },
    'it may be running on other or in a container',
  ],
  ['has no socket', { liveness: 'alive' }, 'it has no socket'],
])('of a run that %s the page is told why nothing can be done', async (_, known, why) => {
  const { server, port } = await started({}, known);
  const Cookie = await enter(port, server.address(everything));
  const Origin = `http://127.0.0.1:${port}`;
  const heard = await live(port, ids[0], { Origin, Cookie }, [], 'host');
  expect(heard).toContainEqual({ type: 'host', isThere: false, why });
});

test.runIf(process.platform === 'linux')('it listens on one address of this machine', async () => {
  const { port } = await started();
  const reached = (host: string) =>
    new Promise<boolean>((resolve) => {
      const sent = request({ host, port }, () => resolve(true));
      sent.on('error', () => resolve(false));
      sent.end();
    });
  expect(await reached('127.0.0.1')).toBe(true);
  // What listens on all addresses is reached by this one, too.
  expect(await reached('127.0.0.2')).toBe(false);
});

test('figures are told to who shows the token, and to nobody else', async () => {
  const token = metricsToken(path.join(tempFolder(), 'kept', 'metrics.token'));
  const { server, port } = await started({}, {}, { figures: new RunFigures(() => []), token });
  const told = await get(port, '/metrics', { Authorization: `Bearer ${token}` });
  expect(told.status).toBe(200);
  expect(told.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(told.body).toContain('aider_orchestrator_living_runs 0');
  // Neither a browser that was let in, nor half of it, nor the token in the address.
  const Cookie = await enter(port, server.address(everything));
  const wrong: Record<string, string>[] = [
    {},
    { Cookie },
    { Authorization: token },
    { Authorization: `Bearer ${token.slice(1)}` },
    { Authorization: 'Bearer ' },
    { Authorization: `Basic ${Buffer.from(`prometheus:${token}`).toString('base64')}` },
  ];
  for (const headers of wrong) {
    const { status, body } = await get(port, `/metrics?token=${token}`, headers);
    expect([status, body.includes('living_runs')], JSON.stringify(headers)).toEqual([401, false]);
  }
  const forged = { Authorization: `Bearer ${token}`, Host: 'evil.example' };
  expect((await get(port, '/metrics', forged)).status).toBe(403);
});

test('where nobody reads figures there are none', async () => {
  const { port } = await started();
  expect((await get(port, '/metrics', { Authorization: 'Bearer x' })).status).toBe(404);
});

test('a connection that was refused and stays open does not keep the server from closing', async () => {
  const { server, port } = await started();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const refused = new Promise<string>((resolve) => {
    socket.once('data', (bytes) => resolve(String(bytes)));
  });
  socket.on('error', () => {});
  socket.write(
    `GET /api/runs/${ids[0]}/live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  expect(await refused).toMatch(/^HTTP\/1.1 403/);
  await server.close();
  socket.destroy();
});

test('a fault while something is looked up is the end of that answer alone', async () => {
  const { server, port } = await started({
    patch: () =>
      Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' })),
    find: (id) => {
      if (id === ids[1]) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      return { stamp: id } as KnownRun;
    },
  });
  const Cookie = await enter(port, server.address(everything));
  expect((await get(port, `/api/runs/${ids[0]}/patch`, { Cookie })).status).toBe(500);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/runs/${ids[1]}/live`, {
    headers: { Cookie, Origin: `http://127.0.0.1:${port}` },
  });
  await new Promise((resolve) => socket.once('error', resolve));
  expect((await get(port, '/', { Cookie })).status).toBe(200);
});
