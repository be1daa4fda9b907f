import type { Failure } from '../../core/policy/failure.js';
import type { Merged } from '../../core/ports.js';
import { ok, type Result } from '../../core/result.js';
import { git, gitText, splitNul } from './run-git.js';

/**
 * Merges two commits without a checkout. When one contains the other, that one is the answer and no
 * merge commit is made. Its dates are those of the later of the two, so that the same merge made again, such as
 * by the next start after a crash, is the same commit.
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
  const dates = await gitText(repo, [
    'show',
    '-s',
    '--format=%cd',
    '--date=raw',
    ours,
    theirs,
    '--',
  ]);
  if (!dates.ok) return dates;
  const date = laterOf(dates.value.split('\n'));
  const commit = await gitText(repo, ['commit-tree', tree, '-p', ours, '-p', theirs, '-F', '-'], {
    input: message,
    env: date === null ? {} : { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  });
  return commit.ok ? ok({ clean: true, commit: commit.value }) : commit;
}

/**
 * The latest of dates as git takes it again; null where none is one, as commits of others may tell anything.
 * @param dates seconds since the epoch and a time zone
 */
function laterOf(dates: readonly string[]): string | null {
  const known = dates.filter((date) => /^\d{1,11} [+-]\d{4}$/.test(date));
  const seconds = (date: string) => Number(date.split(' ')[0]);
  const [latest] = known.sort((a, b) => seconds(b) - seconds(a));
  return latest === undefined ? null : `@${latest}`;
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

/** The lines of conflict markers are this long: Aider takes short ones for its own edit blocks. */
export const markerSize = 15;

/**
 * The tree of a merge, with conflicts between markers; made without a checkout.
 * @param attributes a file of ours, in the form of gitattributes, that sets the markers' size
 */
export async function mergeWithMarkers(
  repo: string,
  ours: string,
  theirs: string,
  attributes: string,
): Promise<Result<string, Failure>> {
  const setting = `core.attributesFile=${attributes}`;
  const answer = await git(
    repo,
    [
      '-c',
      setting,
      'merge-tree',
      '--write-tree',
      '-z',
      '--name-only',
      '--no-messages',
      ours,
      theirs,
    ],
    { answers: [1] },
  );
  if (!answer.ok) return answer;
  return ok(answer.value.stdout.split('\0')[0] ?? '');
}

/** Of some files of a tree, those that hold conflict markers. */
export async function withMarkers(
  cwd: string,
  tree: string,
  files: readonly string[],
): Promise<Result<string[], Failure>> {
  if (files.length === 0) return ok([]);
  const pattern = `^(<{${markerSize}}|={${markerSize}}|>{${markerSize}})( |$)`;
  const literal = files.map((file) => `:(top,literal)${file}`);
  const found = await git(
    cwd,
    ['grep', '--no-color', '-l', '-z', '-E', '-e', pattern, tree, '--', ...literal],
    {
      answers: [1],
    },
  );
  if (!found.ok) return found;
  // Each name stands behind `<tree>:`.
  return ok(splitNul(found.value.stdout).map((name) => name.slice(name.indexOf(':') + 1)));
}
