import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openProvider } from '../../../source/services/provider/open-provider.js';
import { startProviderProxy } from '../../../source/services/provider/provider-proxy.js';
import {
  type GovernorOptions,
  RateLimiter,
} from '../../../source/services/provider/rate-limiter.js';
import { until } from '../../eventually.js';
import { modelServer } from '../../rig.js';

describe('between the agents and their provider', () => {
  const ask = (url: string, signal?: AbortSignal) =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
      ...(signal ? { signal } : {}),
    });
  async function open(upstream: string, more: Partial<GovernorOptions> = {}) {
    const rateLimiter = new RateLimiter({ most: () => 8, ...more });
    const proxy = await startProviderProxy(upstream, rateLimiter);
    onTestFinished(() => proxy.close());
    return { url: proxy.url, rateLimiter };
  }

  test('everything is passed on as it is; an address that is guessed is not there', async () => {
    const server = await modelServer([{ replies: [{ text: 'hi' }, { status: 401, text: 'no' }] }]);
    const { url } = await open(`${server.url}/v1`);
    const first = await ask(url);
    expect(first.status).toBe(200);
    expect(await first.json()).toMatchObject({ choices: [{ message: { content: 'hi' } }] });
    const second = await ask(url);
    expect([second.status, await second.json()]).toMatchObject([401, { error: { message: 'no' } }]);
    expect(server.requests[0]).toMatchObject({
      text: 'hello',
      headers: { authorization: 'Bearer secret' },
    });
    expect((await fetch(new URL('/v1/chat/completions', url))).status).toBe(404);
  });

  test('a refusal for the rate is waited out by the hint, and the agent never sees it', async () => {
    const server = await modelServer([{ replies: [{ text: 'hi' }] }], {
      limit: { requests: 3, spanMs: 400 },
    });
    const { url } = await open(`${server.url}/v1`);
    const begun = Date.now();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(url)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    // Ten by three in any 400 ms take three whole spans.
    expect(Date.now() - begun).toBeGreaterThanOrEqual(1200);
    expect(server.requests.filter(({ kind }) => kind === 'chat')).toHaveLength(10);
  });

  test('a used-up quota and refusals without an end are passed on', async () => {
    const quota = 'You exceeded your current quota, please check your plan';
    const server = await modelServer([{ replies: [{ status: 429, text: quota }] }]);
    const { url } = await open(`${server.url}/v1`);
    expect((await ask(url)).status).toBe(429);
    const endless = await modelServer([{ replies: [{ status: 429, text: 'slow down' }] }]);
    const other = await open(`${endless.url}/v1`, { patienceMs: 500 });
    expect((await ask(other.url)).status).toBe(429);
    expect(endless.requests.length).toBeGreaterThan(1);
  });

  test('one that gives up leaves the queue, and a provider that is not there is named', async () => {
    const server = await modelServer([
      { replies: [{ status: 429, text: 'x', headers: { 'retry-after': '100' } }] },
    ]);
    const { url, rateLimiter } = await open(`${server.url}/v1`);
    const giver = new AbortController();
    const asked = ask(url, giver.signal).catch(() => 'gave up');
    await until(() => rateLimiter.facts().waiting > 0);
    giver.abort();
    expect(await asked).toBe('gave up');
    await until(() => rateLimiter.facts().waiting === 0);
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const nobody = await open(`http://127.0.0.1:${port}/v1`);
    const answer = await ask(nobody.url);
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('cannot be reached');
  });

  test('only what lies below the provider’s own address is reached, by its agents alone', async () => {
    const server = await modelServer([{ replies: [{ text: 'hi' }] }]);
    const { url } = await open(`${server.url}/v1`);
    const { hostname, port, pathname } = new URL(url);
    const status = (target: string, headers: Record<string, string> = {}) =>
      new Promise<number>((resolve, reject) => {
        // By hand: a client would tidy the path up.
        const sent = request(
          { hostname, port, path: `${pathname}${target}`, method: 'POST', headers },
          (answer) => {
            answer.resume();
            resolve(answer.statusCode ?? 0);
          },
        );
        sent.on('error', reject);
        sent.end('{"model":"m","messages":[]}');
      });
    for (const target of [
      '/../admin',
      '/..%2fadmin',
      '/%2e%2e/admin',
      '/x/../../admin',
      '//admin',
      '/\\admin',
      'garbage',
      '/./x',
    ]) {
      expect([400, 404], target).toContain(await status(target));
    }
    expect(await status('/chat/completions', { host: 'evil.example' })).toBe(403);
    expect(await status('/chat/completions', { origin: 'http://evil.example' })).toBe(403);
    expect(server.requests).toEqual([]);
    const hop = { connection: 'close, x-hop', 'x-hop': 'mine', 'proxy-authorization': 'secret' };
    expect(await status('/chat/completions', hop)).toBe(200);
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toContain('x-hop');
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toContain('proxy-authorization');
  });

  test('a key that the provider repeats is masked; too large and half requests are given up', async () => {
    const key = 'sk-test-0123456789abcdef';
    const server = await modelServer([
      { replies: [{ status: 401, text: `Incorrect API key provided: ${key}` }] },
    ]);
    const rateLimiter = new RateLimiter({ most: () => 8 });
    const limits = { headersMs: 200, requestMs: 400, bodyBytes: 1000 };
    const proxy = await startProviderProxy(`${server.url}/v1`, rateLimiter, limits);
    onTestFinished(() => proxy.close());
    const post = (body: string) =>
      fetch(`${proxy.url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body,
      });
    const refused = await post('{"model":"m","messages":[]}');
    expect(refused.status).toBe(401);
    expect(await refused.text()).toMatch(/Incorrect API key provided: \*\*\*/);
    expect((await post('x'.repeat(5000))).status).toBe(413);
    const { hostname, port } = new URL(proxy.url);
    const half = connect(Number(port), hostname);
    half.write('POST /x HTTP/1.1\r\nHost: ');
    await new Promise((resolve) => half.on('close', resolve));
    expect(proxy.abandoned()).toBe(1);
  });

  test('not where the address cannot be set, or the network has a proxy or certificates of its own', async () => {
    const tried = async (model: string, env: NodeJS.ProcessEnv) => {
      const open = await openProvider(
        model,
        env,
        () => 1,
        () => {},
      );
      await open?.close();
      return open?.variable ?? null;
    };
    expect(await tried('gpt-4o', {})).toBe('OPENAI_API_BASE');
    expect(await tried('anthropic/claude-x', {})).toBe('ANTHROPIC_API_BASE');
    expect(await tried('some/model', {})).toBe(null);
    expect(await tried('gpt-4o', { https_proxy: 'http://proxy:1' })).toBe(null);
    expect(await tried('gpt-4o', { SSL_CERT_FILE: '/x.pem' })).toBe(null);
    const local = { https_proxy: 'http://proxy:1', OPENAI_API_BASE: 'http://127.0.0.1:1/v1' };
    expect(await tried('gpt-4o', local)).toBe('OPENAI_API_BASE');
    expect(await tried('gpt-4o', { OPENAI_API_BASE: 'no address' })).toBe(null);
  });
});
