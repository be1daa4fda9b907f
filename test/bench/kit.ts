/** What all benchmarks share. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { git } from '../../source/services/git/run-git.js';

export const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');

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
