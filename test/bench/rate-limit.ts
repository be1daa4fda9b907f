/**
 * Benchmark: eight real Aiders behind a provider that takes 30 requests in any minute, eight requests
 * each. What the limit allows is that the 64th request goes 120 s after the first. Measured with the
 * governor and, beside it, the naive way (`--direct`: each Aider retries by itself).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Summary } from '../../source/core/summary.js';
import { findAider } from '../../source/services/aider/find-aider.js';
import { git } from '../../source/services/git/run-git.js';
import { startModelServer } from '../../source/services/model-server/model-server.js';
import { diffEdit } from '../../source/services/model-server/script.js';

const agents = 8;
const perAgent = 8;
const limit = { requests: 30, spanMs: 60_000 };
const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');
const aider = await findAider(null);
if (!aider.ok) throw new Error('the benchmark needs Aider: aider-orchestrator setup');
const { command } = aider.value;
const names = Array.from({ length: agents }, (_, index) => `f${index}`);

async function measure(flags: readonly string[]) {
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
  for (const name of names) await write(path.join(repo, `${name}.py`), 'x = 1\n');
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['config', 'user.name', 'b'],
    ['config', 'user.email', 'b@example.com'],
    ['add', '-A'],
    ['commit', '-qm', 'start'],
  ]) {
    await git(repo, args);
  }
  const tasks = names.map((name) => ({ id: name, title: `Raise ${name}`, files: [`${name}.py`] }));
  await write(path.join(folder, 'plan.json'), JSON.stringify({ tasks }));
  await write(path.join(folder, 'metadata.json'), JSON.stringify(prices()));
  const args = ['--plan', `${folder}/plan.json`, '--aider', command, '--max-agents', `${agents}`];
  const last = ['--quiet', ...flags, '--', '--model-metadata-file', `${folder}/metadata.json`];
  const env = {
    ...process.env,
    HOME: folder,
    XDG_CACHE_HOME: `${folder}/cache`,
    OPENAI_API_KEY: 'k',
    OPENAI_API_BASE: `${server.url}/v1`,
  };
  await new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args, ...last], {
      cwd: repo,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('close', resolve);
  });
  const logs = path.join(repo, '.aider_logs');
  const name = readdirSync(logs).find((file) => file.startsWith('summary_')) as string;
  const summary = JSON.parse(readFileSync(path.join(logs, name), 'utf8')) as Summary;
  const times = server.requests.filter(({ kind }) => kind === 'chat').map(({ at }) => at);
  await server.close();
  rmSync(folder, { recursive: true, force: true });
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  return { seconds, taken: times.length, failed: summary.failed_agents };
}

async function write(file: string, text: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function prices() {
  const price = {
    max_input_tokens: 128000,
    max_output_tokens: 16384,
    input_cost_per_token: 1e-6,
    output_cost_per_token: 1e-6,
    litellm_provider: 'openai',
    mode: 'chat',
  };
  return { 'gpt-4o': price, 'gpt-4o-mini': price };
}

for (const [name, flags] of [
  ['one governor', []],
  ['each by itself (--direct)', ['--direct']],
] as const) {
  const { seconds, taken, failed } = await measure(flags);
  // The n-th request of so many can go no earlier than this after the first.
  const allowed = (Math.floor((taken - 1) / limit.requests) * limit.spanMs) / 1000;
  console.log(
    `${name}: ${failed} of ${agents} agents failed, ${taken} requests in ${seconds.toFixed(1)} s; the limit allows ${allowed} s, ratio ${(seconds / allowed).toFixed(3)} (target: at most 1.15, none failed)`,
  );
}
