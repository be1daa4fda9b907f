import { describe } from '../../core/policy/failure.js';
import { missing, type Prerequisite, present, warning } from '../../core/policy/prerequisite.js';
import { branchSpace, refOf } from '../../core/run/branches.js';
import { unsignedWords } from '../../core/text/words.js';
import {
  changedTrackedFiles,
  hasIdentity,
  type Repository,
  signsCommits,
} from '../../services/git/repository.js';
import { gitText } from '../../services/git/run-git.js';
import type { RunOptions } from '../options.js';
import type { Asked } from './asked.js';

/** What a run needs of the repository. */

export function repository({ repository }: Asked): Prerequisite[] {
  if (!repository.ok) {
    const { message, hint } = describe(repository.failure);
    return [missing('repository', message, hint)];
  }
  const { root, branch } = repository.value;
  return [present('repository', `${root}, ${branch ?? 'HEAD is detached'}`)];
}

export async function identity({ repository, agents }: Asked): Promise<Prerequisite[]> {
  if (!repository.ok || !agents) return [];
  return [
    (await hasIdentity(repository.value.root))
      ? present('identity', 'git knows who commits')
      : missing(
          'identity',
          'git does not know who commits',
          'git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
        ),
  ];
}

/** Whether there is a branch to land on, where that is to be done. */
export function landingBranch(
  { branch }: Pick<Repository, 'branch'>,
  { land }: Pick<RunOptions, 'land'>,
): Prerequisite | null {
  if (branch !== null || land === 'none') return null;
  return missing(
    'branch',
    'HEAD is detached, so there is no branch to land the work on',
    'Check out a branch (git switch -c NAME), or use --land none',
  );
}

export function branch({ repository, options }: Asked): Prerequisite[] {
  const found = repository.ok && options.ok ? landingBranch(repository.value, options.value) : null;
  return found === null ? [] : [found];
}

/** A branch `aider` stands in the way of all branches `aider/…`. */
export async function branches({ repository, agents }: Asked): Promise<Prerequisite[]> {
  if (!repository.ok || !agents) return [];
  const asked = ['rev-parse', '--verify', '--quiet', refOf(branchSpace)];
  const blocking = await gitText(repository.value.root, asked, { answers: [1] });
  if (!blocking.ok || blocking.value === '') return [];
  return [
    missing(
      'branches',
      `there is a branch ${branchSpace}, so none can be made below ${branchSpace}/`,
      `Rename it: git branch -m ${branchSpace} NAME`,
    ),
  ];
}

export async function changes({ repository }: Asked): Promise<Prerequisite[]> {
  if (!repository.ok) return [];
  const changed = await changedTrackedFiles(repository.value.root);
  if (!changed.ok || changed.value.length === 0)
    return [present('changes', 'no tracked file is changed')];
  const { length } = changed.value;
  return [
    warning(
      'changes',
      `${length === 1 ? '1 tracked file is' : `${length} tracked files are`} changed: agents do not see that, and nothing can land`,
      'Commit or stash them (git stash), or use --land none',
    ),
  ];
}

export async function signing({ repository }: Asked): Promise<Prerequisite[]> {
  if (!repository.ok || !(await signsCommits(repository.value.root))) return [];
  return [
    warning(
      'signing',
      unsignedWords,
      'Sign it yourself after it has landed: git rebase --exec "git commit --amend --no-edit -S" BASE',
    ),
  ];
}

export function submodules({ repository }: Asked): Prerequisite[] {
  if (!repository.ok || repository.value.submodules.length === 0) return [];
  const names = repository.value.submodules.join(', ');
  return [
    warning('submodules', `${names}: empty in the agents' worktrees, not theirs to change`, ''),
  ];
}

export function settings({ options, wrongSettings = [] }: Asked): Prerequisite[] {
  const wrong = [...wrongSettings, ...(options.ok ? [] : [options.failure])];
  return wrong.map((failure) =>
    missing(
      'settings',
      describe(failure).message,
      'Correct it; docs/configuration.md lists the keys.',
    ),
  );
}
