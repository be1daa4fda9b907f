import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { describe as describeFailure } from '../../../source/core/policy/failure.js';
import {
  openRepository,
  resolveFocus,
  resolveTasks,
} from '../../../source/services/git/repository.js';
import { git, makeRepo, tempFolder } from '../../rig.js';

async function open(repo: string) {
  const opened = await openRepository(repo);
  if (!opened.ok) throw new Error(describeFailure(opened.failure).message);
  return opened.value;
}

describe('the repository', () => {
  test('no repository, no commits, a missing folder: each has its own words', async () => {
    const words = async (folder: string) => {
      const opened = await openRepository(folder);
      return opened.ok ? '' : describeFailure(opened.failure).message;
    };
    expect(await words(tempFolder())).toContain('is not in a git repository');
    const empty = tempFolder();
    git(empty, 'init', '-q');
    expect(await words(empty)).toContain('has no commits');
    expect(await words('/no/such/folder')).toContain('does not exist');
    const repo = makeRepo({ a: '1' });
    expect(await words(path.join(repo, '.git'))).toContain('git folder');
  });

  test('a subfolder, a linked worktree, blanks and accents in the path', async () => {
    const repo = makeRepo({ 'sub dir/ä.txt': '1' }, path.join(tempFolder(), 'mein répo'));
    expect(await open(path.join(repo, 'sub dir'))).toMatchObject({
      root: repo,
      prefix: 'sub dir',
      branch: 'main',
    });
    const linked = path.join(tempFolder(), 'linked');
    git(repo, 'worktree', 'add', '-q', '-b', 'other', linked);
    const opened = await open(linked);
    expect(opened).toMatchObject({ root: linked, branch: 'other' });
    expect(opened.commonDir).toBe(path.join(repo, '.git'));
    expect([...opened.tracked.keys()]).toEqual(['sub dir/ä.txt']);
  });

  test('--files: files, folders, globs, new files; seen from the working folder', async () => {
    const repo = await open(
      path.join(
        makeRepo({ 'src/a.ts': '', 'src/b.js': '', 'src/x/c.ts': '', 'top.md': '' }),
        'src',
      ),
    );
    const focus = async (...values: string[]) => {
      const found = await resolveFocus(repo, values);
      return found.ok ? found.value : describeFailure(found.failure).message;
    };
    expect(await focus('a.ts')).toEqual(['src/a.ts']);
    expect(await focus('x')).toEqual(['src/x/c.ts']);
    expect(await focus('**/*.ts')).toEqual(['src/a.ts', 'src/x/c.ts']);
    expect(await focus('../top.md', 'new.ts')).toEqual(['top.md', 'src/new.ts']);
    expect(await focus('.')).toEqual(['src/a.ts', 'src/b.js', 'src/x/c.ts']);
    expect(await focus('*.py')).toContain('matches no tracked file');
    expect(await focus('../../out.ts')).toContain('outside the repository');
  });

  test('what an agent cannot be given is named: outside, ignored, a folder, git, a submodule, a case-only twin', async () => {
    const inner = makeRepo({ lib: '1' });
    const folder = makeRepo({ '.gitignore': '*.log\n', 'src/a.ts': '', 'Readme.md': '' });
    git(folder, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'vendor/lib');
    git(folder, 'commit', '-q', '-m', 'sub');
    const repo = await open(folder);
    const check = async (...files: string[]) =>
      (
        await resolveTasks(repo, [
          { id: 'T1', title: 't', description: '', files, read: [], depends_on: [] },
        ])
      ).problems.join('\n');
    expect(await check('src/a.ts', './src/../new/b.ts')).toBe('');
    expect(await check('../x')).toContain('outside the repository');
    expect(await check('/etc/passwd')).toContain('outside the repository');
    expect(await check('debug.log')).toContain('ignored by git');
    expect(await check('src')).toContain('is a folder');
    expect(await check('.git/hooks/pre-commit')).toContain('belongs to git');
    expect(await check('vendor/lib/lib')).toContain('submodule vendor/lib');
    expect(await check('README.md')).toContain('by case only');
    expect(await check('src/a.ts/b.ts')).toContain('which is a file');
  });
});
