import { describe } from '../../core/policy/failure.js';
import { refOf, runBranches } from '../../core/run/branches.js';
import type { Undone } from '../../core/run/run.js';
import { currentBranch, whenUnlocked } from './land.js';
import { git, gitText } from './run-git.js';

export interface UndoRequest {
  readonly repo: string;
  readonly stamp: string;
  /** Where the branch was before the landing. */
  readonly base: string;
  readonly branch: string;
  /** What landed last. */
  readonly commit: string;
}

/**
 * Takes a landing back exactly: the branch and the files are as before it. Only while the landed commit
 * is the tip, no other branch, tag or remote has it, and no file of it has local changes; otherwise
 * nothing is touched.
 */
export async function undoLanding(request: UndoRequest): Promise<Undone> {
  const { repo, base, branch, commit } = request;
  const short = (id: string) => id.slice(0, 12);
  const refuse = (reason: string, how: string): Undone => ({ state: 'refused', reason, how });
  // A new commit with the reverse of the whole change; works with what came after it.
  const reverse = `git diff --binary ${short(commit)} ${short(base)} | git apply --index --3way`;
  const ref = `refs/heads/${branch}`;
  const tip = await gitText(repo, ['rev-parse', '--verify', '--quiet', '--end-of-options', ref], {
    answers: [1],
  });
  if (!tip.ok || tip.value === '') return refuse(`there is no branch ${branch} any more`, '');
  // It has been taken back before, and nobody could be told.
  if (tip.value === base) return { state: 'undone' };
  if (tip.value !== commit) {
    const ancestry = ['merge-base', '--is-ancestor', '--end-of-options', commit, tip.value];
    const inside = await git(repo, ancestry, { answers: [1] });
    if (!inside.ok) return refuse('git does not know the landed commit any more', '');
    if (inside.value.code !== 0) return refuse(`the work is not on ${branch} any more`, '');
    const count = await gitText(repo, ['rev-list', '--count', `${commit}..${tip.value}`]);
    const number = count.ok ? count.value : 'some';
    const more = number === '1' ? '1 commit was' : `${number} commits were`;
    return refuse(`${more} built on it on ${branch}`, reverse);
  }
  const others = await othersWith(request);
  if (others.length > 0) return refuse(`${others.join(', ')} has it too`, reverse);
  const current = await currentBranch(repo);
  if (!current.ok || current.value !== branch) {
    return refuse(`${branch} is not the current branch`, `git switch ${branch}`);
  }
  // Moves the branch and the files that differ, and refuses where one of them has local changes.
  const reset = await whenUnlocked(() => git(repo, ['reset', '--quiet', '--keep', base, '--']));
  if (reset.ok) return { state: 'undone' };
  const { failure } = reset;
  const detail = failure.kind === 'git' ? failure.detail : describe(failure).message;
  const file = /Entry '(.+?)' not uptodate/.exec(detail)?.[1];
  return refuse(
    file ? `${file} has changes that are not committed` : (detail.split('\n')[0] ?? 'git refused'),
    'git stash',
  );
}

/** Branches, remote branches and tags that have the landed commit, but for the run's own. */
async function othersWith({ repo, stamp, branch, commit }: UndoRequest): Promise<string[]> {
  const listed = await gitText(repo, [
    'for-each-ref',
    '--contains',
    commit,
    '--format=%(refname)',
    'refs/heads',
    'refs/remotes',
    'refs/tags',
  ]);
  if (!listed.ok) return ['what git cannot tell'];
  return listed.value
    .split('\n')
    .filter((name) => name !== '' && name !== `refs/heads/${branch}`)
    .filter((name) => !name.startsWith(refOf(runBranches(stamp))))
    .map((name) => name.replace(/^refs\/(heads|remotes|tags)\//, ''));
}
