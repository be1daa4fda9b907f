import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { refOf, runBranches } from '../../core/run/branches.js';
import { environment } from '../machine/environment.js';
import { lookingElsewhere } from '../machine/own-environment.js';
import { withoutGitVariables } from './run-git.js';

/**
 * The branches of a run, by the commit they stand at, asked from git at once: the end of a run is written
 * before anybody is told of it. Null where git cannot tell.
 */
export function branchesNow(
  repo: string,
  stamp: string,
): ReadonlyMap<string, readonly string[]> | null {
  if (!existsSync(repo)) return null;
  let text: string;
  try {
    text = execFileSync(
      'git',
      ['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', refOf(runBranches(stamp))],
      {
        cwd: repo,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: lookingElsewhere(withoutGitVariables(environment())),
      },
    );
  } catch (error) {
    // Git failed, or could not be started: then nobody says more than the run itself knows.
    const { code, status } = error as { readonly code?: unknown; readonly status?: unknown };
    if (code === undefined && status === undefined) throw error;
    return null;
  }
  const found = new Map<string, string[]>();
  for (const line of text.split('\n').filter(Boolean)) {
    const [commit = '', ...name] = line.split(' ');
    found.set(commit, [...(found.get(commit) ?? []), name.join(' ')]);
  }
  return found;
}
