/**
 * Benchmark: eight real Aiders behind a provider that limits the requests in any span of time. What the
 * limit allows is when the last request may go at the earliest. Measured with the rate limiter and, beside
 * it, the naive way (`--direct`: each Aider retries by itself, for about a minute).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Summary } from '../../source/core/run/summary.js';
import { startModelServer } from '../../source/services/model-server/model-server.js';
import { diffEdit } from '../../source/services/model-server/script.js';
import { cli, makeRepo, row } from './kit.js';
import { command, environment, writeMetadata } from './setting.js';

interface Case {
  readonly perAgent: number;
  readonly limit: { readonly requests: number; readonly spanMs: number };
}

const agents = 8;
const names = Array.from({ length: agents }, (_, index) => `f${index}`);
const cases: readonly Case[] = [
  { perAgent: 8, limit: { requests: 30, spanMs: 60_000 } },
  // A wait that is longer than Aider's patience.
  { perAgent: 2, limit: { requests: 8, spanMs: 120_000 } },
];

async function measure({ perAgent, limit }: Case, flags: readonly string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ao-bench-'));
  const repo = path.join(folder, 'repo');
  const server = await startModelServer({
    gemini: [],
    limit,
    chat: names.map((name) => ({
      when: `Task: Raise ${name}\\b`,
      // Blocks that do not match: Aider asks again up to three times, then a next message follows.
      replies: Array.from({ length: perAgent }, (_, turn) => ({
        text: diffEdit(`${name}.py`, turn < perAgent - 1 ? `no line ${turn}` : 'x = 1', 'x = 2'),
      })),
    })),
  });
  await makeRepo(repo, Object.fromEntries(names.map((name) => [`${name}.py`, 'x = 1\n'])));
  const tasks = names.map((name) => ({ id: name, title: `Raise ${name}`, files: [`${name}.py`] }));
  writeFileSync(path.join(folder, 'plan.json'), JSON.stringify({ tasks }));
  writeMetadata(`${folder}/metadata.json`);
  const args = ['--plan', `${folder}/plan.json`, '--aider', command, '--max-agents', `${agents}`];
  const last = ['--quiet', ...flags, '--', '--model-metadata-file', `${folder}/metadata.json`];
  await new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args, ...last], {
      cwd: repo,
      env: environment(folder, server.url),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('close', resolve);
  });
  const logs = path.join(repo, '.aider_logs');
  const name = readdirSync(logs).find((file) => file.startsWith('summary_')) as string;
  const summary = JSON.parse(readFileSync(path.join(logs, name), 'utf8')) as Summary;
  const times = server.requests.filter(({ kind }) => kind === 'chat').map(({ at }) => at);
  const refused = server.requests.filter(({ kind }) => kind === 'refused').length;
  await server.close();
  rmSync(folder, { recursive: true, force: true });
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  return { seconds, taken: times.length, refused, failed: summary.failed_agents };
}

for (const one of cases) {
  const { requests, spanMs } = one.limit;
  console.log(
    `${requests} requests in any ${spanMs / 1000} s, ${agents} agents, ${one.perAgent} each`,
  );
  for (const [name, flags] of [
    ['one rate limiter', []],
    ['each by itself (--direct)', ['--direct']],
  ] as const) {
    const { seconds, taken, refused, failed } = await measure(one, flags);
    // The n-th request of so many can go no earlier than this after the first.
    const allowed = (Math.floor((taken - 1) / requests) * spanMs) / 1000;
    const ratio = allowed > 0 ? (seconds / allowed).toFixed(3) : '-';
    row({
      part: 'Limits',
      what: `${agents} agents, ${requests} requests in any ${spanMs / 1000} s, ${name}`,
      ours: `${failed} failed, ${refused} refused, ${seconds.toFixed(1)} s`,
      beside: `the limit allows ${allowed} s`,
      ratio,
      target: 'ratio at most 1.15, none failed',
    });
  }
}
