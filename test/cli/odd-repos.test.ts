import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  cli,
  git,
  lastSummary,
  makeRepo,
  runCli,
  runPlan,
  startPlan,
  tempFolder,
  world,
  writeFiles,
} from '../rig.js';
import { lineWriter } from '../stand-in-aider.js';

const standIn = (more = '') => lineWriter(0, more);

const has = (program: string) => spawnSync('which', [program]).status === 0;

const task = (...files: string[]) => ({ id: 'T1', title: 'Add a line', files });

describe('repositories as people have them', () => {
  test('line ends that were never normalised, in files that no agent touches and in its own', async () => {
    const repo = makeRepo({ 'a.txt': '1\n', 'run.bat': 'echo\r\nexit\r\n', 'own.bat': 'one\r\n' });
    writeFiles(repo, { '.gitattributes': '*.bat text eol=lf\n' });
    git(repo, 'add', '.gitattributes');
    git(repo, 'commit', '-q', '-m', 'attributes');
    // As in old repositories: the files stay as they are.
    expect(git(repo, 'cat-file', 'blob', 'HEAD:run.bat')).toContain('\r');
    const { summary } = await runPlan(
      repo,
      standIn(),
      [task('a.txt', 'own.bat')],
      ['--land', 'none'],
    );
    expect(summary.agents['agent0']).toMatchObject({ error: null, success: true });
    const names = (summary.agents['agent0']?.files_changed ?? []).map((file) => file.path);
    expect(names.sort()).toEqual(['a.txt', 'own.bat']);
    const merged = summary.integration_branch as string;
    expect(git(repo, 'rev-parse', `${merged}:run.bat`)).toBe(
      git(repo, 'rev-parse', 'HEAD:run.bat'),
    );
    // And it lands, though git calls the other file modified for ever.
    const landed = await runPlan(repo, standIn(), [task('a.txt')]);
    expect(landed.summary.landing).toContain('landed on main');
  });

  test.for(['--cone', '--no-cone'])(
    'a sparse checkout (%s) with a task outside of it',
    async (how) => {
      const repo = makeRepo({ 'in/a.txt': '1\n', 'out/b.txt': '1\n', 'out/c.txt': '1\n' });
      git(repo, 'sparse-checkout', 'set', how, 'in');
      expect(existsSync(path.join(repo, 'out/b.txt'))).toBe(false);
      const { summary } = await runPlan(repo, standIn(), [task('out/b.txt', 'in/a.txt')]);
      expect(summary.agents['agent0']).toMatchObject({ error: null, success: true });
      expect(git(repo, 'show', 'HEAD:out/b.txt')).toBe('1\nby an agent');
      expect(git(repo, 'ls-tree', '--name-only', 'HEAD', 'out/')).toBe('out/b.txt\nout/c.txt');
    },
  );

  test('a partial clone starts without its remote, and fetches no file for that', async () => {
    const origin = makeRepo({ 'a.txt': '1\n', 'big.txt': 'x\n'.repeat(1000) });
    git(origin, 'config', 'uploadpack.allowFilter', 'true');
    const repo = path.join(tempFolder(), 'clone');
    git('/', 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${origin}`, repo);
    git(repo, 'config', 'remote.origin.url', '/nowhere');
    const end = await runCli(['--change', 'x', '--no-prd', '--dry-run'], {
      cwd: repo,
      env: world(null).env,
    });
    expect(end.code).toBe(0);
    expect((await runCli(['runs'], { cwd: repo, env: world(null).env })).code).toBe(0);
  });

  test('a repository of SHA-256 names; a foreign edit is put back', async () => {
    const repo = path.join(tempFolder(), 'repo');
    git('/', 'init', '-q', '--object-format=sha256', '-b', 'main', repo);
    git(repo, 'config', 'user.name', 'T');
    git(repo, 'config', 'user.email', 't@example.com');
    writeFiles(repo, { 'a.txt': '1\n', 'b.txt': '1\n' });
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'start');
    const foreign = standIn("open('b.txt', 'a').write('no'); open('made.txt', 'w').write('no')");
    const flags = ['--max-iterations', '1', '--land', 'none'];
    const { summary } = await runPlan(repo, foreign, [task('a.txt')], flags);
    expect(summary.agents['agent0']?.files_put_back.sort()).toEqual(['b.txt', 'made.txt']);
  });

  test('submodule.recurse, variables of the caller, files named HEAD and :x', async () => {
    const repo = makeRepo({ 'a.txt': '1\n', HEAD: '1\n', ':x': '1\n' });
    git(repo, 'config', 'submodule.recurse', 'true');
    git(repo, 'config', 'diff.noprefix', 'true');
    git(repo, 'config', 'color.grep', 'always');
    git(repo, 'config', 'diff.external', 'false');
    const where = standIn("open('HEAD', 'a').write('no'); open(':x', 'a').write('no')");
    Object.assign(where.env, {
      GIT_LITERAL_PATHSPECS: '1',
      GIT_EXTERNAL_DIFF: 'false',
      GIT_DIR: '/nowhere',
      GIT_TRACE: '1',
    });
    const flags = ['--max-iterations', '1', '--land', 'none', '--setup-cmd', 'echo 2 >> HEAD'];
    const { summary } = await runPlan(repo, where, [task('a.txt')], flags);
    expect(summary.agents['agent0']).toMatchObject({ outcome: { reason: 'outside_scope' } });
    expect(summary.agents['agent0']?.files_put_back.sort()).toContain(':x');
    expect(git(repo, 'show', `${summary.agents['agent0']?.branch}::x`)).toBe('1');
  });

  test('an identity of the environment alone reaches Aider, and is written nowhere', async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    git(repo, 'config', '--unset', 'user.name');
    git(repo, 'config', '--unset', 'user.email');
    const seen = path.join(tempFolder(), 'seen');
    const where = standIn(
      `import subprocess; open(${JSON.stringify(seen)}, 'w').write(subprocess.run(['git', 'config', '--get', 'user.email'], capture_output=True, text=True).stdout)`,
    );
    const who = { NAME: 'Ann', EMAIL: 'ann@example.com' };
    for (const [name, value] of Object.entries(who)) {
      where.env[`GIT_AUTHOR_${name}`] = value;
      where.env[`GIT_COMMITTER_${name}`] = value;
    }
    const config = readFileSync(path.join(repo, '.git/config'), 'utf8');
    const { summary } = await runPlan(repo, where, [task('a.txt')]);
    expect(summary.landed).toBe(true);
    expect(readFileSync(seen, 'utf8').trim()).toBe('ann@example.com');
    expect(readFileSync(path.join(repo, '.git/config'), 'utf8')).toBe(config);
    expect(git(repo, 'log', '-1', '--format=%ae')).toBe('ann@example.com');
  });

  test("what a set-up command writes into the person's own .git is said", async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    const flags = ['--setup-cmd', 'git config core.hooksPath .husky'];
    const end = await runPlan(repo, standIn(), [task('a.txt')], flags);
    expect(end.stderr).toMatch(/set-up command changed config of your repository/);
  });

  test('tests that leave much behind do not grow the repository', async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    const size = () =>
      Number(
        execFileSync('du', ['-sk', path.join(repo, '.git')], { encoding: 'utf8' }).split('\t')[0],
      );
    const before = size();
    const leave = 'head -c 20000000 /dev/urandom > left.bin';
    const { summary } = await runPlan(repo, standIn(), [task('a.txt')], ['--test-cmd', leave]);
    expect(summary.landed).toBe(true);
    expect(git(repo, 'ls-files')).toBe('a.txt');
    expect(size() - before).toBeLessThan(2000);
  });

  test('what Aider names as the cause reaches the reason', async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    const where = standIn();
    const broken = path.join(tempFolder(), 'aider');
    writeFileSync(
      broken,
      '#!/bin/sh\n[ "$1" = --version ] && echo aider 0.86.2 && exit 0\necho "aider: error: unrecognized arguments: --no-such-key=1" >&2\nexit 2\n',
    );
    chmodSync(broken, 0o755);
    const flags = ['--aider', broken, '--direct'];
    const { summary } = await runPlan(repo, { ...where, aiderFlags: flags }, [task('a.txt')]);
    expect(summary.agents['agent0']?.error).toContain('unrecognized arguments: --no-such-key=1');
    expect(lastSummary(repo).agents['agent0']?.outcome.reason).toBe('start_failed');
  });

  test('few files that may be open: a clear word before any work', async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    const where = standIn();
    const plan = path.join(where.home, 'plan.json');
    writeFileSync(plan, JSON.stringify({ tasks: [task('a.txt')] }));
    const args = ['--plan', plan, ...where.aiderFlags].join(' ');
    const run = (before: string) => {
      const command = `${before} ${process.execPath} ${cli} ${args} 2>&1; echo "exit $?"`;
      return execFileSync('sh', ['-c', command], { cwd: repo, env: where.env, encoding: 'utf8' });
    };
    for (const limit of [64, 40]) {
      const said = run(`ulimit -n ${limit};`);
      expect(said).toMatch(/open files: the limit is \d+/);
      expect(said).toContain('exit 2');
      expect(said).not.toContain('internal error');
    }
    expect(existsSync(path.join(repo, '.aider_logs'))).toBe(false);
  });
});

test.runIf(has('git-crypt'))(
  'git-crypt: its keys are found in a worktree, and what lands stays encrypted',
  async () => {
    const repo = makeRepo({ 'a.txt': '1\n' });
    execFileSync('git-crypt', ['init'], { cwd: repo, stdio: 'ignore' });
    writeFiles(repo, {
      '.gitattributes': 'secret.txt filter=git-crypt diff=git-crypt\n',
      'secret.txt': 's\n',
    });
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'secret');
    const { summary } = await runPlan(repo, standIn(), [task('a.txt', 'secret.txt')]);
    expect(summary.agents['agent0']).toMatchObject({ error: null, success: true });
    expect(readFileSync(path.join(repo, 'secret.txt'), 'utf8')).toBe('s\nby an agent\n');
    expect(execFileSync('git', ['cat-file', 'blob', 'HEAD:secret.txt'], { cwd: repo })[0]).toBe(0);
  },
);

test.runIf(has('git-lfs'))(
  'an LFS object that nobody has stays a pointer, and the rest is worked on',
  async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12\n`;
    const repo = makeRepo({ 'a.txt': '1\n', 'big.bin': pointer });
    git(repo, 'lfs', 'install', '--local', '--skip-repo');
    git(repo, 'config', 'lfs.url', 'http://127.0.0.1:9/none');
    writeFiles(repo, { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n' });
    git(repo, 'add', '.gitattributes');
    git(repo, 'commit', '-q', '-m', 'lfs');
    const { summary } = await runPlan(repo, standIn(), [task('a.txt')]);
    expect(summary.agents['agent0']).toMatchObject({ error: null, success: true });
    expect(git(repo, 'rev-parse', 'HEAD:big.bin')).toBe(git(repo, 'rev-parse', 'HEAD~1:big.bin'));
  },
);

test('who signs commits is told that these are not signed, before any work', async () => {
  const repo = makeRepo({ 'a.txt': '1\n' });
  git(repo, 'config', 'commit.gpgSign', 'true');
  const end = await runPlan(repo, standIn(), [task('a.txt')]);
  expect(end.stderr).toContain('what the agents do is not signed');
  expect(end.summary.landed).toBe(true);
});

describe('settings and places of a repository that few have', () => {
  test('configuration of a worktree alone, objects of another repository, the cache on another disk', async () => {
    const origin = makeRepo({ 'a.txt': '1\n' });
    const repo = path.join(tempFolder(), 'shared');
    git(path.dirname(repo), 'clone', '-q', '--shared', origin, repo);
    git(repo, 'config', 'user.name', 'Test');
    git(repo, 'config', 'user.email', 'test@example.com');
    git(repo, 'config', 'core.repositoryFormatVersion', '1');
    git(repo, 'config', 'extensions.worktreeConfig', 'true');
    git(repo, 'config', '--worktree', 'core.autocrlf', 'false');
    const where = standIn();
    const shm = mkdtempSync('/dev/shm/cache-');
    onTestFinished(() => rmSync(shm, { recursive: true, force: true }));
    const far = { ...where, env: { ...where.env, XDG_CACHE_HOME: shm } };
    const { summary } = await runPlan(repo, far, [task('a.txt')], ['--test-cmd', 'test -f a.txt']);
    expect(summary.agents['agent0']).toMatchObject({ error: null, success: true });
    expect(summary.landing).toContain('landed on main');
    expect(git(repo, 'config', '--worktree', '--get', 'core.autocrlf')).toBe('false');
    expect(git(repo, 'worktree', 'list').split('\n')).toHaveLength(1);
  });

  test('a repository that git cannot open is told in words that are so', async () => {
    const where = standIn();
    const said = async (cwd: string) => {
      const end = await runCli(['runs'], { cwd, env: where.env });
      expect(end.code, end.stderr).toBe(2);
      return end.stderr;
    };
    const newer = makeRepo({ 'a.txt': '1\n' });
    git(newer, 'config', 'core.repositoryFormatVersion', '1');
    git(newer, 'config', 'extensions.refStorage', 'no-such-thing');
    expect(await said(newer)).toMatch(/too old for the repository: .*(refstorage|no-such-thing)/i);
    const damaged = makeRepo({ 'a.txt': '1\n' });
    writeFileSync(path.join(damaged, '.git/refs/heads/main'), `${'a'.repeat(40)}\n`);
    expect(await said(damaged)).toContain('is damaged: HEAD names aaaaaaaaaaaa');
    const empty = tempFolder();
    git(empty, 'init', '-q');
    expect(await said(empty)).toContain('has no commits');
    expect(await said(tempFolder())).toContain('is not in a git repository');
  });

  test.runIf(process.getuid?.() === 0)(
    'a repository of somebody else: the folder that git means is named',
    async () => {
      const repo = makeRepo({ 'a b/c.txt': '1\n' }, path.join(tempFolder(), 'of others'));
      execFileSync('chown', ['-R', '4321', repo]);
      const end = await runCli(['runs'], { cwd: path.join(repo, 'a b'), env: standIn().env });
      expect(end.stderr).toContain(`git does not trust ${repo}: it belongs to somebody else.`);
      expect(end.stderr).toContain(`--add safe.directory '${repo}'`);
    },
  );

  test.runIf(process.getuid?.() === 0 && has('setpriv') && has('prlimit'))(
    'few processes that may run: a clear word before any work',
    () => {
      const repo = makeRepo({ 'a.txt': '1\n' });
      const home = tempFolder();
      const uid = '65531';
      for (const folder of [path.dirname(repo), home]) {
        execFileSync('chown', ['-R', `${uid}:${uid}`, folder]);
      }
      const env = { PATH: process.env['PATH'], HOME: home, OPENAI_API_KEY: 'k' };
      // With fewer Node.js itself cannot start.
      for (const limit of [12, 14, 22]) {
        const as = [
          '--reuid',
          uid,
          '--regid',
          uid,
          '--clear-groups',
          'prlimit',
          `--nproc=${limit}`,
        ];
        const run = [...as, process.execPath, cli, '--no-prd', '--change', 'x', '--direct'];
        const end = spawnSync('setpriv', run, { cwd: repo, env, encoding: 'utf8' });
        expect(end.stderr).toMatch(/processes: the limit is \d+|o more processes can be started/);
        expect(end.stderr).toContain('ulimit -u');
        expect(end.stderr).not.toMatch(/internal error|not in a git|git 2\.38/);
        expect(end.status).toBeGreaterThan(0);
      }
      expect(existsSync(path.join(repo, '.aider_logs'))).toBe(false);
    },
  );

  test.runIf(process.getuid?.() === 0 && has('setpriv'))(
    'a home that cannot be written, and none: each folder is named, with what to set',
    () => {
      const repo = makeRepo({ 'a.txt': '1\n' });
      // A uid without an entry among the users, as containers have them.
      const uid = '65532';
      execFileSync('chown', ['-R', `${uid}:${uid}`, path.dirname(repo)]);
      const run = (home: Record<string, string>) => {
        const as = ['--reuid', uid, '--regid', uid, '--clear-groups'];
        const env = { PATH: process.env['PATH'], OPENAI_API_KEY: 'k', ...home };
        const args = [...as, process.execPath, cli, '--no-prd', '--change', 'x', '--direct'];
        return spawnSync('setpriv', args, { cwd: repo, env, encoding: 'utf8' });
      };
      for (const HOME of ['/', '/no-such-home']) {
        const end = run({ HOME });
        expect(end.status).toBe(2);
        expect(end.stderr).toContain('Set HOME or XDG_DATA_HOME to a folder that you can write to');
        expect(end.stderr).toContain('Set HOME or XDG_CACHE_HOME to a folder');
      }
      const none = run({});
      expect(none.status).toBe(2);
      expect(none.stderr).toContain('This user has no home folder');
      expect(existsSync(path.join(repo, '.aider_logs'))).toBe(false);
    },
  );

  test('a repository that is moved while its run lives', async () => {
    const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n' });
    const move = `import os\nif 'a.txt' in files and os.path.isdir('${repo}'): os.rename('${repo}', '${repo}.moved')`;
    const where = standIn(move);
    const tasks = [task('a.txt'), { ...task('b.txt'), id: 'T2', depends_on: ['T1'] }];
    const end = await startPlan(repo, where, tasks, ['--json']).end;
    expect(end.code).toBe(1);
    expect(end.stderr).not.toMatch(/internal error|spawn git ENOENT|at .*\.ts:/);
    expect(end.stdout + end.stderr).toMatch(/a folder is gone or was moved/);
    // The old place is not made again, and what the agent did is found from the new one.
    expect(existsSync(repo)).toBe(false);
    const moved = `${repo}.moved`;
    const runs = await runCli(['runs'], { cwd: moved, env: where.env });
    const stamp = JSON.parse(end.stdout.split('\n')[0] as string).run;
    expect(runs.stdout, runs.stderr).toContain(stamp);
    const branch = git(moved, 'branch', '--list', 'aider/*/agent0').replace(/^[*+ ]+/, '');
    expect(git(moved, 'show', `${branch}:a.txt`), runs.stderr).toBe('1\nby an agent');
    const again = await runPlan(moved, standIn(), [task('a.txt')]);
    expect(again.code, again.stderr).toBe(0);
  });
});
