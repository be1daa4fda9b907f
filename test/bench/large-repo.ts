/** A repository with many files, as large projects have them: made by a seed, without being checked out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PrepareFrom } from '../../source/core/agent/agent.js';
import type { Task } from '../../source/core/plan/plan.js';
import { git } from '../../source/services/git/run-git.js';
import type { GitWorkspace } from '../../source/services/git/workspace.js';
import { logPaths } from '../../source/services/logs/log-paths.js';
import { openTestWorkspace, testConfig } from '../test-config.js';

/**
 * A folder in memory, where the system has such, and our cache in it: what a disk does with hundreds of
 * thousands of files differs by a factor of three from one minute to the next.
 */
export function fastFolder(name: string): string {
  const memory = '/dev/shm';
  const folder = mkdtempSync(path.join(existsSync(memory) ? memory : tmpdir(), `ao-${name}-`));
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
  return folder;
}

const words = 'import export const function return if else await value name list of result'.split(
  ' ',
);

/** The path of a file: fifty in a folder, a thousand in a package. */
export function pathOf(at: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `packages/p${two(Math.floor(at / 1000))}/src/d${two(Math.floor(at / 50) % 20)}/file${at}.ts`;
}

/** Makes a repository on `main` with one commit of `count` files of 200 bytes to 3 KB. */
export async function makeLargeRepo(repo: string, count: number): Promise<void> {
  mkdirSync(repo, { recursive: true });
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['config', 'user.name', 'b'],
    ['config', 'user.email', 'b@example.com'],
  ]) {
    await git(repo, args);
  }
  const child = spawn('git', ['fast-import', '--quiet'], {
    cwd: repo,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const write = async (text: string) => {
    if (!child.stdin.write(text)) await once(child.stdin, 'drain');
  };
  await write('commit refs/heads/main\ncommitter b <b@example.com> 0 +0000\ndata 5\nstart\n');
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  for (let at = 0; at < count; at++) {
    const lines = 5 + Math.floor(random() * 60);
    let text = `// ${at}\n`;
    for (let line = 0; line < lines; line++) {
      for (let word = 0; word < 6; word++) text += `${words[Math.floor(random() * words.length)]} `;
      text += '\n';
    }
    await write(`M 100644 inline ${pathOf(at)}\ndata ${text.length}\n${text}\n`);
  }
  child.stdin.end('\n');
  await once(child, 'close');
}

/** Agents of a benchmark. */
export const agents = 8;

/** A task with one file of its own. */
export function taskFor(agent: number): Task {
  const name = `task ${agent}`;
  return {
    id: name,
    title: name,
    description: name,
    files: [pathOf(agent)],
    read: [],
    depends_on: [],
  };
}

/** The first round, from the base. */
export const fresh: PrepareFrom = { onto: [], round: 0, resume: null, rework: null };

/** What makes and looks at worktrees, for a run that is nothing else. */
export function openWorkspace(repo: string, stamp: string, worktrees: string): GitWorkspace {
  const paths = logPaths(repo, stamp);
  // Where looks keep their index.
  for (let agent = 0; agent < agents; agent++) {
    mkdirSync(path.dirname(paths.besideIndex(agent)), { recursive: true });
  }
  mkdirSync(worktrees, { recursive: true });
  return openTestWorkspace({ ...testConfig, repo, stamp, base: 'main' }, worktrees);
}
