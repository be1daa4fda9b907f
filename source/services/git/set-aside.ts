import type { Failure } from '../../core/policy/failure.js';
import { ok, type Result } from '../../core/result.js';
import { git, splitNul } from './run-git.js';
import { putBack } from './snapshot.js';

/**
 * What a set-up command did in a worktree must not count as the agent's work: the agent's own files
 * are put back, the rest stays where it is and is left out of every tree.
 * @returns the paths to leave out; a folder stands for all in it
 */
export async function setAside(
  worktree: string,
  own: readonly string[],
): Promise<Result<readonly string[], Failure>> {
  const list = async (...args: string[]): Promise<Result<string[], Failure>> => {
    const answer = await git(worktree, args);
    return answer.ok ? ok(splitNul(answer.value.stdout)) : answer;
  };
  const differing = await list('diff', '--name-only', '-z', '--no-renames', 'HEAD', '--');
  if (!differing.ok) return differing;
  const changed = differing.value;
  const changedOwn = changed.filter((name) => own.includes(name));
  if (changedOwn.length > 0) {
    const back = await putBack(worktree, 'HEAD', changedOwn);
    if (!back.ok) return back;
  }
  const untracked = ['ls-files', '-z', '--others', '--exclude-standard'];
  const listed = await list(...untracked, '--directory', '--no-empty-directory');
  if (!listed.ok) return listed;
  const made = listed.value;
  // A folder as a whole, unless the agent is to write there too.
  const shared = made.filter(
    (name) => name.endsWith('/') && own.some((one) => one.startsWith(name)),
  );
  const literal = shared.map((name) => `:(top,literal)${name}`);
  const inside = shared.length > 0 ? await list(...untracked, '--', ...literal) : ok([]);
  if (!inside.ok) return inside;
  const all = [...changed, ...made.filter((name) => !shared.includes(name)), ...inside.value];
  const aside = all.map((name) => name.replace(/\/$/, '')).filter((name) => !own.includes(name));
  return ok(aside);
}
