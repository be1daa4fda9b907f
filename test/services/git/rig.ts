import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { git, tempFolder } from '../../rig.js';

/** A commit on top of `parent` with these files, on no branch. */
export function commitOf(
  repo: string,
  parent: string,
  files: Readonly<Record<string, string | null>>,
): string {
  const index = path.join(tempFolder(), 'index');
  const env = { ...process.env, GIT_INDEX_FILE: index };
  const run = (...args: string[]) => gitWith(repo, env, ...args);
  run('read-tree', parent);
  for (const [name, text] of Object.entries(files)) {
    if (text === null) {
      run('update-index', '--force-remove', name);
    } else {
      const file = path.join(tempFolder(), 'blob');
      writeFileSync(file, text);
      run(
        'update-index',
        '--add',
        '--cacheinfo',
        `100644,${run('hash-object', '-w', file)},${name}`,
      );
    }
  }
  return run('commit-tree', run('write-tree'), '-p', parent, '-m', 'work');
}

function gitWith(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): string {
  const saved = process.env['GIT_INDEX_FILE'];
  process.env['GIT_INDEX_FILE'] = env['GIT_INDEX_FILE'];
  try {
    return git(cwd, ...args);
  } finally {
    if (saved === undefined) delete process.env['GIT_INDEX_FILE'];
    else process.env['GIT_INDEX_FILE'] = saved;
  }
}
