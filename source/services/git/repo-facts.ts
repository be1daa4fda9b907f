import type { RepoFacts } from '../../core/plan/digest.js';
import { isManifest } from '../../core/plan/groups.js';
import type { Repository } from './repository.js';
import { git, gitText } from './run-git.js';

const mostManifests = 12;
const largestText = 64 * 1024;

/** Reads what the planner's digest is made from; all of it from the base commit. */
export async function readRepoFacts(repo: Repository, map: string | null): Promise<RepoFacts> {
  const files = [...repo.tracked].map(([path, { size }]) => ({ path, size }));
  const text = async (path: string) => {
    const answer = await git(repo.root, ['cat-file', 'blob', `${repo.head}:${path}`]);
    return answer.ok ? answer.value.stdout.slice(0, largestText) : '';
  };
  const readme = files.find(({ path }) => /^readme(\.(md|rst|txt|adoc))?$/i.test(path));
  const manifests = files
    .filter(
      ({ path, size }) =>
        isManifest(path) && !/lock/i.test(path) && size !== null && size < largestText,
    )
    .sort((a, b) => a.path.split('/').length - b.path.split('/').length)
    .slice(0, mostManifests);
  const subjects = await gitText(repo.root, ['log', '-15', '--format=%s', repo.head, '--']);
  return {
    files,
    readme: readme ? { path: readme.path, text: await text(readme.path) } : null,
    manifests: await Promise.all(
      manifests.map(async ({ path }) => ({ path, text: await text(path) })),
    ),
    subjects: subjects.ok ? subjects.value.split('\n').filter(Boolean) : [],
    map,
  };
}
