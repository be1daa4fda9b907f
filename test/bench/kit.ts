/** What all benchmarks share. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { git } from '../../source/services/git/run-git.js';

export const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');

/** One line of the table that `npm run bench` leaves. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly ours: string;
  /** What a user would take instead, and what it needs. */
  readonly beside?: string;
  readonly ratio?: string;
  readonly target: string;
}

/** Rows of the benchmarks that have run, the latest last. */
export const rowsFile = path.resolve(import.meta.dirname, '../../.aider_logs/bench.jsonl');

/** Prints a result, and keeps it for the table. */
export function row(result: Row): void {
  const { what, ours, beside, ratio, target } = result;
  const more = [beside, ratio && `ratio ${ratio}`, `target: ${target}`].filter(Boolean).join('; ');
  console.log(`${what}: ${ours} (${more})`);
  appendFileSync(rowsFile, `${JSON.stringify(result)}\n`);
}

/** Throws where a line is no JSON. */
export function jsonLines(file: string) {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** A repository on `main` with one commit of these files. */
export async function makeRepo(repo: string, files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(repo, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['config', 'user.name', 'b'],
    ['config', 'user.email', 'b@example.com'],
    ['add', '-A'],
    ['commit', '-qm', 'start'],
  ]) {
    await git(repo, args);
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
