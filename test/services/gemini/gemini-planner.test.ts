import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  describe as describeFailure,
  type PlannerProblem,
} from '../../../source/core/policy/failure.js';
import { GeminiPlanner } from '../../../source/services/gemini/gemini-planner.js';
import { geminiSchema } from '../../../source/services/gemini/gemini-schema.js';
import { listModels } from '../../../source/services/gemini/models.js';
import type { Reply } from '../../../source/services/model-server/script.js';
import { modelServer } from '../../rig.js';

const key = 'gemini-secret-key';
const plan = {
  prd: '# Do it\n\n## Problem\n\nX',
  parallel: true,
  tasks: [
    {
      id: 'T1',
      title: 'One',
      description: 'd',
      files: ['a.ts'],
      new_files: ['n.ts'],
      read: [],
      depends_on: [],
      requirements: ['R1'],
    },
    { id: 'T2', title: 'Two', files: ['b.ts'] },
  ],
};
const good: Reply = { text: JSON.stringify(plan) };

async function ask(
  replies: readonly Reply[],
  options: { models?: string[]; model?: string; silenceMs?: number } = {},
) {
  const server = await modelServer([], {
    gemini: [{ replies }],
    geminiModels: options.models ?? null,
  });
  const planner = new GeminiPlanner({
    key,
    model: options.model ?? 'gemini-2.5-pro',
    baseUrl: server.url,
    backoffMs: 5,
    silenceMs: options.silenceMs ?? 5000,
  });
  const texts: string[] = [];
  const result = await planner.makePlan({
    change: 'Do it',
    digest: '## All 2 tracked files',
    focus: [],
    maxAgents: 2,
    again: null,
    signal: new AbortController().signal,
    onText: (text) => texts.push(text),
  });
  return { result, server, texts };
}

test('a form is told as Gemini takes it: no key of JSON schema that it does not know', () => {
  const form = z.object({
    verdict: z.enum(['met', 'not_met']),
    line: z.int().nullable().optional().describe('Of the new version'),
    files: z.array(z.string().min(1)),
  });
  expect(geminiSchema(form)).toEqual({
    type: 'object',
    required: ['verdict', 'files'],
    properties: {
      verdict: { type: 'string', format: 'enum', enum: ['met', 'not_met'] },
      line: { type: 'integer', nullable: true, description: 'Of the new version' },
      files: { type: 'array', items: { type: 'string' } },
    },
  });
});

describe('the planner on Gemini', () => {
  test('one streamed call with a schema; new files become files; the text is seen as it comes', async () => {
    const { result, server, texts } = await ask([{ ...good, chunkSize: 20 }]);
    expect(result).toEqual({
      ok: true,
      value: {
        prd: plan.prd,
        parallel: true,
        model: 'gemini-2.5-pro',
        warnings: [],
        tasks: [
          {
            id: 'T1',
            title: 'One',
            description: 'd',
            files: ['a.ts', 'n.ts'],
            read: [],
            depends_on: [],
            requirements: ['R1'],
          },
          { id: 'T2', title: 'Two', description: '', files: ['b.ts'], read: [], depends_on: [] },
        ],
      },
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ kind: 'gemini', stream: true });
    expect(server.requests[0]?.text).toContain('# The change\n\nDo it');
    expect(server.requests[0]?.headers['x-goog-api-key']).toBe(key);
    expect(texts.length).toBeGreaterThan(5);
  });

  test('a model that is gone: the best one there is takes its place, with a warning', async () => {
    const { result } = await ask([good], {
      model: 'gemini-1.5-pro',
      models: [
        'gemini-2.0-flash',
        'gemini-2.5-pro',
        'gemini-3-pro-preview',
        'text-embedding-004',
        'gemini-2.5-flash-image',
      ],
    });
    expect(result.ok && result.value.model).toBe('gemini-2.5-pro');
    expect(result.ok && result.value.warnings[0]).toContain(
      'gemini-1.5-pro is gone; gemini-2.5-pro was used',
    );
  });

  test('the list of models is ranked', async () => {
    const server = await modelServer([], {
      geminiModels: [
        'gemini-2.5-flash',
        'gemini-2.5-flash-lite',
        'gemini-3-pro-preview',
        'gemini-2.5-pro',
        'aqa',
      ],
    });
    expect(await listModels(server.url, key, AbortSignal.timeout(5000))).toEqual([
      'gemini-2.5-pro',
      'gemini-2.5-flash',
      'gemini-2.5-flash-lite',
      'gemini-3-pro-preview',
    ]);
  });

  test.each<[string, Reply[], PlannerProblem | null, number]>([
    [
      'a bad key (400)',
      [{ status: 400, text: 'API key not valid. Please pass a valid API key.' }],
      'bad_key',
      1,
    ],
    ['a bad key (403)', [{ status: 403, text: 'Permission denied' }], 'bad_key', 1],
    [
      'quota, then an answer',
      [
        {
          status: 429,
          text: 'Resource exhausted',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.02s' }],
        },
        good,
      ],
      null,
      2,
    ],
    ['quota for ever', [{ status: 429, text: 'Resource exhausted' }], 'quota', 4],
    [
      'quota with a delay that is too long',
      [{ status: 429, text: 'Resource exhausted', details: [{ retryDelay: '3600s' }] }],
      'quota',
      1,
    ],
    ['a server error, then an answer', [{ status: 503, text: 'overloaded' }, good], null, 2],
    ['a server error for ever', [{ status: 500, text: 'internal' }], 'server', 4],
    ['the request blocked', [{ blockReason: 'SAFETY' }], 'blocked', 1],
    ['the answer blocked', [{ text: '{"prd":', finish: 'SAFETY' }], 'blocked', 1],
    ['cut off', [{ text: '{"prd": "# x', finish: 'MAX_TOKENS' }], 'cut_off', 1],
    ['fenced JSON', [{ text: `\`\`\`json\n${JSON.stringify(plan)}\n\`\`\`` }], null, 1],
    ['broken JSON, then repaired', [{ text: '{"prd": "# x", "tasks": [' }, good], null, 2],
    ['broken JSON twice', [{ text: 'no json' }], 'broken_json', 2],
    ['JSON of another form', [{ text: '{"prd": "# x", "tasks": []}' }], 'broken_json', 2],
    ['empty', [{ text: '' }], 'empty', 1],
    ['a stream that breaks', [{ ...good, breakAfter: 30 }, good], null, 2],
  ])('%s', async (_name, replies, problem, requests) => {
    const { result, server } = await ask(replies);
    if (problem === null) expect(result.ok, JSON.stringify(result)).toBe(true);
    else expect(result).toMatchObject({ ok: false, failure: { kind: 'planner', problem } });
    expect(server.requests.filter((request) => request.kind === 'gemini')).toHaveLength(requests);
    if (result.ok) return;
    const { message, hint } = describeFailure(result.failure);
    expect(message + hint).not.toContain(key);
    expect(hint).not.toBe('');
  });

  test('a stream that never ends is given up', async () => {
    const { result } = await ask([{ ...good, hang: true }], { silenceMs: 150 });
    expect(result).toMatchObject({ ok: false, failure: { problem: 'timeout' } });
  });

  test('no network', async () => {
    const planner = new GeminiPlanner({
      key,
      model: 'm',
      baseUrl: 'http://127.0.0.1:9',
      backoffMs: 1,
    });
    const result = await planner.makePlan({
      change: 'x',
      digest: '',
      focus: [],
      maxAgents: 1,
      again: null,
      signal: new AbortController().signal,
    });
    expect(result).toMatchObject({ ok: false, failure: { problem: 'network' } });
  });

  test('cancelled while it streams', async () => {
    const server = await modelServer([], { gemini: [{ replies: [{ ...good, hang: true }] }] });
    const stop = new AbortController();
    const planner = new GeminiPlanner({ key, model: 'm', baseUrl: server.url });
    const result = await planner.makePlan({
      change: 'x',
      digest: '',
      focus: [],
      maxAgents: 1,
      again: null,
      signal: stop.signal,
      onText: () => stop.abort(),
    });
    expect(result).toMatchObject({ ok: false, failure: { problem: 'cancelled' } });
  });
});
