/**
 * Benchmark: how soon something is there. The first frame of the program against a bare Ink hello world, as
 * npm installs it and bundled as the program is,
 * and `--version` and `--help`, against Node doing nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { cli, makeRepo, median, row } from './kit.js';
import { openClient } from './panes/client.js';

const rounds = Number(process.env['BENCH_STARTS'] ?? 15);
const folder = mkdtempSync(path.join(tmpdir(), 'ao-start-'));
const repo = path.join(folder, 'repo');
await makeRepo(repo, { 'a.txt': 'a\n' });
const home = path.join(folder, 'home');
mkdirSync(home);
const env = {
  PATH: process.env['PATH'],
  LANG: 'C.UTF-8',
  HOME: home,
  OPENAI_API_KEY: 'none',
  NODE_ENV: 'production',
};

const hello = path.join(import.meta.dirname, 'hello-ink.mjs');
await build({
  entryPoints: [hello],
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['react-devtools-core'],
  define: { 'process.env.NODE_ENV': '"production"' },
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});
const bundled = path.join(folder, 'hello-ink.mjs');

async function firstFrame(script: string, args: readonly string[], seen: string): Promise<number> {
  const start = performance.now();
  const client = openClient([process.execPath, script, ...args], { cwd: repo, env });
  const at = await client.draws(seen);
  client.kill();
  await client.ended;
  return at - start;
}

function whole(args: readonly string[]): number {
  const start = performance.now();
  execFileSync(process.execPath, args, { cwd: repo, env, stdio: 'ignore' });
  return performance.now() - start;
}

const empty = path.join(folder, 'empty.mjs');
writeFileSync(empty, '');
const times: Record<string, number[]> = {};
const note = (name: string, ms: number, round: number) => {
  times[name] ??= [];
  if (round > 0) times[name].push(ms);
};
for (let round = 0; round <= rounds; round++) {
  note('ours', await firstFrame(cli, ['--no-prd', '--aider', process.execPath], 'CHANGE'), round);
  note('ink', await firstFrame(hello, [], 'HELLO WORLD'), round);
  note('bundled', await firstFrame(bundled, [], 'HELLO WORLD'), round);
  note('version', whole([cli, '--version']), round);
  note('help', whole([cli, '--help']), round);
  note('node', whole([empty]), round);
}
rmSync(folder, { recursive: true, force: true });
const of = (name: string) => median(times[name] as number[]);
const part = 'Start';
const ms = (name: string) => `${of(name).toFixed(0)} ms`;
const share = (name: string) => (of('ours') / of(name)).toFixed(2);
row({
  part,
  what: 'first frame',
  ours: ms('ours'),
  beside: `bare Ink bundled ${ms('bundled')}`,
  ratio: share('bundled'),
  target: 'at most 250 ms, ratio 1.5',
});
row({
  part,
  what: 'first frame, Ink as npm installs it',
  ours: ms('ours'),
  beside: `bare Ink ${ms('ink')}`,
  ratio: share('ink'),
  target: 'ratio at most 1.5',
});
for (const name of ['version', 'help'] as const) {
  const target = 'at most 100 ms';
  row({ part, what: `--${name}`, ours: ms(name), beside: `node alone ${ms('node')}`, target });
}
