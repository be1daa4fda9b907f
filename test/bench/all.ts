/**
 * Runs all benchmarks one after the other, and writes what they measured to `results.md`, which the docs
 * quotes. Arguments: only these, such as `run panes/keys`; the rows of the others stay as they were.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';
import path from 'node:path';
import { jsonLines, type Row, rowsFile } from './kit.js';

/** Their order is the table's. */
const benchmarks: readonly (readonly [name: string, env?: Record<string, string>])[] = [
  ['panes/drain'],
  ['panes/keys'],
  ['panes/rest'],
  ['panes/attach'],
  ['panes/clients'],
  ['panes/page'],
  ['panes/page-answers'],
  ['panes/quit'],
  ['panes/exits'],
  ['panes/frames'],
  ['panes/hours'],
  ['panes/drain', { BENCH_AGENTS: '32', BENCH_MB: '5' }],
  ['panes/keys', { BENCH_AGENTS: '32' }],
  ['panes/rest', { BENCH_AGENTS: '32' }],
  ['start'],
  ['run'],
  ['first-frame'],
  ['worktrees'],
  ['looks'],
  ['long-run'],
  ['rate-limit'],
];

function tell(file: string, ...args: string[]): string {
  try {
    return execFileSync(file, args, { encoding: 'utf8' }).trim();
  } catch {
    return `no ${file}`;
  }
}

const only = process.argv.slice(2);
if (only.length === 0) rmSync(rowsFile, { force: true });
const failed: string[] = [];
for (const [name, env] of benchmarks) {
  if (only.length > 0 && !only.includes(name)) continue;
  const file = path.join(import.meta.dirname, `${name}.ts`);
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) failed.push(name);
}

const all: Row[] = jsonLines(rowsFile);
const keyOf = ({ part, what, beside }: Row) => `${part} ${what} ${beside?.replace(/[\d.].*/, '')}`;
// The latest of each, in the order of the first.
const rows = [...new Map(all.map((one) => [keyOf(one), one])).values()];
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, ${type()}, Node ${process.versions.node}, ${tell('tmux', '-V')}, ${tell('git', '--version')}`;
const cells = (one: Row) =>
  [one.what, one.ours, one.beside ?? '', one.ratio ?? '', one.target].join(' | ');
const parts = [...new Set(rows.map(({ part }) => part))].map(
  (part) =>
    `## ${part}\n\n| | aider-orchestrator | beside | ratio | target |\n|---|---|---|---|---|\n${rows
      .filter((one) => one.part === part)
      .map((one) => `| ${cells(one)} |\n`)
      .join('')}`,
);
const note = failed.length > 0 ? `\nNot measured, as they failed: ${failed.join(', ')}.\n` : '';
const text = `# Benchmarks\n\n\`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, ${machine}. Times to the end of something are medians of 5 rounds or more, in turn with what stands beside; ratios are medians of the ratios of each round.\n${note}\n${parts.join('\n')}`;
writeFileSync(path.join(import.meta.dirname, 'results.md'), text);
process.exitCode = failed.length > 0 ? 1 : 0;
