import type { Failure } from '../../core/failure.js';
import type { MergeItem } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import type { Integration, LeftOut, MergedWork } from '../../core/run.js';
import { git, gitText } from './run-git.js';
import { diffStat } from './snapshot.js';

export type Merged =
  | { readonly clean: true; readonly commit: string }
  | { readonly clean: false; readonly files: readonly string[] };

/**
 * Merges two commits without a checkout. When one contains the other, that one is the answer and no
 * merge commit is made.
 */
export async function mergeCommits(
  repo: string,
  ours: string,
  theirs: string,
  message: string,
): Promise<Result<Merged, Failure>> {
  const base = await gitText(repo, ['merge-base', ours, theirs], { answers: [1] });
  if (!base.ok) return base;
  if (base.value === ours) return ok({ clean: true, commit: theirs });
  if (base.value === theirs) return ok({ clean: true, commit: ours });
  const answer = await git(
    repo,
    ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs],
    { answers: [1] },
  );
  if (!answer.ok) return answer;
  const [tree = '', ...files] = answer.value.stdout.split('\0').filter((part) => part !== '');
  if (answer.value.code === 1) return ok({ clean: false, files: [...new Set(files)] });
  const commit = await gitText(repo, ['commit-tree', tree, '-p', ours, '-p', theirs, '-F', '-'], {
    input: message,
  });
  return commit.ok ? ok({ clean: true, commit: commit.value }) : commit;
}

/** All dependencies of an agent as one commit, or the files in which they conflict. */
export async function mergeOnto(
  repo: string,
  base: string,
  commits: readonly string[],
): Promise<Result<Merged, Failure>> {
  let tip = commits[0] ?? base;
  for (const commit of commits.slice(1)) {
    const merged = await mergeCommits(repo, tip, commit, 'Merge what the task builds on');
    if (!merged.ok || !merged.value.clean) return merged;
    tip = merged.value.commit;
  }
  return ok({ clean: true, commit: tip });
}

/**
 * Builds the integration branch from the agents' commits, in the given order, without touching the
 * checkout. A conflict leaves that agent out, and with it those that build on it.
 * @param onto merged work of earlier waves, which this is added to
 */
export async function integrate(
  repo: string,
  base: string,
  branch: string,
  work: readonly MergeItem[],
  onto: MergedWork | null = null,
): Promise<Result<Integration, Failure>> {
  let tip = onto?.commit ?? base;
  const merged: number[] = [...(onto?.merged ?? [])];
  const leftOut: LeftOut[] = [];
  for (const item of work) {
    const lost = leftOut.find((left) => item.needs.includes(left.agent));
    if (lost) {
      leftOut.push({ agent: item.agent, files: [], because: lost.agent });
      continue;
    }
    const next = await mergeCommits(
      repo,
      tip,
      item.commit,
      `Merge agent ${item.agent}: ${item.title}\n`,
    );
    if (!next.ok) return next;
    if (next.value.clean) {
      tip = next.value.commit;
      merged.push(item.agent);
    } else {
      leftOut.push({ agent: item.agent, files: next.value.files, because: null });
    }
  }
  if (merged.length === 0) {
    return ok({ branch, commit: null, merged, leftOut, diff: { files: [] }, onto });
  }
  const set = await git(repo, ['update-ref', `refs/heads/${branch}`, tip]);
  if (!set.ok) return err(set.failure);
  const diff = await diffStat(repo, base, tip);
  return diff.ok ? ok({ branch, commit: tip, merged, leftOut, diff: diff.value, onto }) : diff;
}
