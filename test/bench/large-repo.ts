/** A repository with many files, as large projects have them: made by a seed, without being checked out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { git } from '../../source/services/git/run-git.js';

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
