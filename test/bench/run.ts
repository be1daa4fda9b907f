/**
 * Benchmark: four one-file tasks from the command to the landed commit, against `xargs -P 4` over the
 * same four Aider processes (same arguments but for places, same scripted model). Run in turn, five
 * pairs after a warm-up; prints each pair, the median ratio, and what each figure is.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { agentEnvironment } from '../../source/services/agents/aider/environment.js';
import { startModelServer } from '../../source/services/model-server/model-server.js';
import { cli, makeRepo, median, row } from './kit.js';
import {
  command,
  environment,
  files,
  raises,
  version,
  writeAlone,
  writeMetadata,
} from './setting.js';

const pairs = Number(process.env['BENCH_PAIRS'] ?? 5);
const names = ['a', 'b', 'c', 'd'];
const folder = mkdtempSync(path.join(tmpdir(), 'ao-bench-'));
const server = await startModelServer({
  gemini: [],
  chat: raises(names),
});
const metadata = path.join(folder, 'metadata.json');
writeMetadata(metadata);
const env = environment(folder, server.url);
const tasks = names.map((name) => ({
  id: name.toUpperCase(),
  title: `Raise ${name}`,
  description: '',
  files: [`${name}.py`],
  read: [],
  depends_on: [],
}));
writeFileSync(path.join(folder, 'plan.json'), JSON.stringify({ tasks }));

let serial = 0;
async function freshRepo(): Promise<string> {
  const repo = path.join(folder, `repo${serial++}`);
  await makeRepo(repo, files(names));
  return repo;
}

function run(file: string, args: readonly string[], cwd: string, input = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'ignore', 'ignore'] });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
    // A program that reads nothing may have closed it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

async function timed(work: () => Promise<number>, what: string): Promise<number> {
  const at = performance.now();
  const code = await work();
  if (code !== 0) throw new Error(`${what} ended with ${code}`);
  return (performance.now() - at) / 1000;
}

/** Our program: the command, four agents, the landed commit. */
async function ours(): Promise<number> {
  const repo = await freshRepo();
  const args = [
    cli,
    '--plan',
    path.join(folder, 'plan.json'),
    '--aider',
    command,
    '--max-agents',
    '4',
    '--quiet',
    '--',
    '--model-metadata-file',
    metadata,
  ];
  return timed(() => run(process.execPath, args, repo), 'aider-orchestrator');
}

/** The four Aider processes alone, each in a clone of its own, with the very same arguments. */
async function xargs(): Promise<number> {
  const lines = await writeAlone(path.join(folder, `x${serial++}`), names, metadata);
  Object.assign(env, agentEnvironment(env, 'gpt-4o', null));
  const args = ['-P', '4', '-n', '1', 'sh'];
  return timed(
    () => run('xargs', args, folder, lines.map(({ script }) => script).join('\n')),
    'xargs',
  );
}

console.log(
  `${cpus().length} cores, node ${process.versions.node}, aider ${version}, ${pairs} pairs`,
);
await ours();
await xargs();
const ratios: number[] = [];
const times: [number, number][] = [];
for (let pair = 1; pair <= pairs; pair++) {
  const [a, b] = [await ours(), await xargs()];
  times.push([a, b]);
  ratios.push(a / b);
  console.log(
    `pair ${pair}: aider-orchestrator ${a.toFixed(2)} s, xargs -P 4 ${b.toFixed(2)} s, ratio ${(a / b).toFixed(3)}`,
  );
}
row({
  part: 'Runs',
  what: 'four one-file tasks, from the command to the landed commit',
  ours: `${median(times.map(([a]) => a)).toFixed(1)} s`,
  beside: `xargs -P 4 aider ${median(times.map(([, b]) => b)).toFixed(1)} s`,
  ratio: median(ratios).toFixed(2),
  target: 'ratio at most 1.15',
});
await server.close();
rmSync(folder, { recursive: true, force: true });
