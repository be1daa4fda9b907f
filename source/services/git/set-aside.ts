import { readFileSync } from 'node:fs';
import { writeWhole } from '../logs/write-whole.js';
import { git, splitNul } from './run-git.js';
import { putBack } from './snapshot.js';

/**
 * What a set-up command did in a worktree must not count as the agent's work: the agent's own files
 * are put back, the rest stays where it is and is left out of every snapshot.
 * @param file where the list is kept, for a run that dies and is closed by a later start
 * @returns the paths to leave out; a folder stands for all in it
 */
export async function setAside(
  worktree: string,
  own: readonly string[],
  file: string,
): Promise<readonly string[]> {
  const list = async (...args: string[]) => {
    const answer = await git(worktree, args);
    return answer.ok ? splitNul(answer.value.stdout) : [];
  };
  const changed = await list('diff', '--name-only', '-z', 'HEAD');
  const changedOwn = changed.filter((name) => own.includes(name));
  if (changedOwn.length > 0) await putBack(worktree, 'HEAD', changedOwn);
  const untracked = ['ls-files', '-z', '--others', '--exclude-standard'];
  const made = await list(...untracked, '--directory', '--no-empty-directory');
  // A folder as a whole, unless the agent is to write there too.
  const shared = made.filter(
    (name) => name.endsWith('/') && own.some((one) => one.startsWith(name)),
  );
  const inside = shared.length > 0 ? await list(...untracked, '--', ...shared) : [];
  const all = [...changed, ...made.filter((name) => !shared.includes(name)), ...inside];
  const aside = all.map((name) => name.replace(/\/$/, '')).filter((name) => !own.includes(name));
  writeWhole(file, JSON.stringify(aside));
  return aside;
}

/** The list as it was kept; empty when there is none. */
export function readSetAside(file: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}
