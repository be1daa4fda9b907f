import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Checkout } from '../../../source/core/agent/agent.js';
import type { Task } from '../../../source/core/plan/plan.js';
import { leadsOut, type RefusalKind, runsCode } from '../../../source/core/policy/fence.js';
import type { WorkToCommit } from '../../../source/core/ports.js';
import type { Inspection } from '../../../source/core/run/run.js';
import type { RunsTests } from '../../../source/services/git/checkout-site.js';
import {
  type KeptCheckout,
  keepCheckout,
  readKept,
} from '../../../source/services/git/kept-checkout.js';
import { logPaths } from '../../../source/services/logs/log-paths.js';
import { git, makeRepo, tempFolder } from '../../rig.js';
import { openTestWorkspace, testConfig } from '../../test-config.js';

const task: Task = {
  id: 'T1',
  title: 'Work',
  description: '',
  files: ['src/a.txt', 'src/new.txt'],
  read: [],
  depends_on: [],
};

const passed = { words: '', output: '', ms: 0, flaky: false } as const;

async function open(more: { maxFileBytes?: number; protect?: string[]; check?: RunsTests } = {}) {
  const repo = makeRepo({ 'src/a.txt': 'a\n', 'src/b.txt': 'b\n', 'run.sh': 'echo\n' });
  const stamp = '20260102_030405';
  const paths = logPaths(repo, stamp);
  mkdirSync(paths.agentFolder(0), { recursive: true });
  writeFileSync(paths.ignore, '*\n');
  const worktrees = path.join(tempFolder(), 'worktrees');
  const again = () =>
    openTestWorkspace(
      {
        ...testConfig,
        repo,
        base: git(repo, 'rev-parse', 'HEAD'),
        stamp,
        protect: more.protect ?? [],
        maxFileBytes: more.maxFileBytes ?? 1000,
      },
      worktrees,
      { tests: more.check ?? null },
    );
  const workspace = again();
  const from = { onto: [], round: 0, resume: null, rework: null };
  const made = await workspace.prepare(0, task, from, null);
  if (!made.ok) throw new Error(made.failure.detail);
  const checkout = made.value;
  const since = Date.now();
  let attempt = 0;
  const inspect = (edited: string[] = []): Promise<Inspection> =>
    workspace.inspect(0, ++attempt, task, checkout, false, {
      edited,
      named: ['src/b.txt', 'src', 'x.y'],
      misnamed: null,
      conflicted: [],
      since,
    });
  return { repo, paths, workspace, checkout, inspect, again };
}

const work = (checkout: Checkout): WorkToCommit => ({
  agent: 0,
  task,
  checkout,
  finished: true,
  prdPath: null,
  model: 'gpt-4o',
});

const plan = { command: 'true', from: '--test-cmd', timeoutMs: 1000, report: null };

const inTree = (checkout: Checkout, file: string) => path.join(checkout.worktree, file);

interface Case {
  readonly name: string;
  readonly change: (checkout: Checkout, repo: string) => void;
  /** By path; empty when all of it is allowed. */
  readonly refused: Readonly<Record<string, RefusalKind>>;
  readonly edited?: string[];
}

const cases: readonly Case[] = [
  {
    name: 'its own files, an old and a new one',
    change: (checkout) => {
      writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
      writeFileSync(inTree(checkout, 'src/new.txt'), 'n\n');
    },
    refused: {},
  },
  {
    name: "another's file changed, removed, renamed",
    change: (checkout) => renameSync(inTree(checkout, 'src/b.txt'), inTree(checkout, 'src/c.txt')),
    refused: { 'src/b.txt': 'outside', 'src/c.txt': 'outside' },
  },
  {
    name: 'its file made a folder',
    change: (checkout) => {
      rmSync(inTree(checkout, 'src/a.txt'));
      mkdirSync(inTree(checkout, 'src/a.txt'));
      writeFileSync(inTree(checkout, 'src/a.txt/x'), '1');
    },
    refused: { 'src/a.txt/x': 'outside' },
  },
  {
    name: "another's file made a folder",
    change: (checkout) => {
      rmSync(inTree(checkout, 'src/b.txt'));
      mkdirSync(inTree(checkout, 'src/b.txt'));
      writeFileSync(inTree(checkout, 'src/b.txt/x'), '1');
    },
    refused: { 'src/b.txt': 'outside', 'src/b.txt/x': 'outside' },
  },
  {
    name: 'its file made a link out of the repository',
    change: (checkout) => {
      rmSync(inTree(checkout, 'src/a.txt'));
      symlinkSync('/etc/passwd', inTree(checkout, 'src/a.txt'));
    },
    refused: { 'src/a.txt': 'link' },
  },
  {
    name: 'its new file is a link that climbs out',
    change: (checkout) => symlinkSync('../../x', inTree(checkout, 'src/new.txt')),
    refused: { 'src/new.txt': 'link' },
  },
  {
    name: 'its new file is a link within the repository',
    change: (checkout) => symlinkSync('../run.sh', inTree(checkout, 'src/new.txt')),
    refused: {},
  },
  {
    name: 'its file made executable',
    change: (checkout) => chmodSync(inTree(checkout, 'src/a.txt'), 0o755),
    refused: { 'src/a.txt': 'mode' },
  },
  {
    name: 'its file grown beyond the limit',
    change: (checkout) => writeFileSync(inTree(checkout, 'src/a.txt'), 'x'.repeat(1001)),
    refused: { 'src/a.txt': 'size' },
  },
  {
    name: 'a repository of its own in its checkout',
    change: (checkout) => {
      mkdirSync(inTree(checkout, 'inner'));
      git(inTree(checkout, 'inner'), 'init', '-q');
      git(
        inTree(checkout, 'inner'),
        ...['-c', 'user.name=a', '-c', 'user.email=a@b'],
        ...['commit', '-q', '--allow-empty', '-m', 'x'],
      );
    },
    refused: { inner: 'submodule' },
  },
  {
    name: 'hooks in a folder that git uses',
    change: (checkout) => {
      mkdirSync(inTree(checkout, '.husky'));
      writeFileSync(inTree(checkout, '.husky/pre-commit'), 'x');
    },
    refused: { '.husky/pre-commit': 'runs_code' },
  },
  {
    name: 'an ignored .env',
    change: (checkout) => writeFileSync(inTree(checkout, '.env'), 'A=1\n'),
    refused: { '.env': 'runs_code' },
  },
  {
    name: 'the link to git led elsewhere',
    change: (checkout) => writeFileSync(inTree(checkout, '.git'), 'gitdir: /nowhere\n'),
    refused: { '.git': 'runs_code' },
  },
  {
    name: 'the link to git removed',
    change: (checkout) => rmSync(inTree(checkout, '.git')),
    refused: { '.git': 'runs_code' },
  },
  {
    name: 'a folder beside the worktree',
    change: (checkout) => {
      mkdirSync(path.join(checkout.worktree, '../beside'));
      writeFileSync(path.join(checkout.worktree, '../beside/x'), '1');
    },
    refused: { '../beside': 'beside' },
  },
  {
    name: 'a hook of the repository',
    change: (_, repo) => writeFileSync(path.join(repo, '.git/hooks/pre-commit'), 'x'),
    refused: { '@/.git/hooks/pre-commit': 'runs_code' },
    edited: ['@/.git/hooks/pre-commit'],
  },
  {
    name: 'the configuration of the repository',
    change: (_, repo) => execFileSync('git', ['config', 'core.editor', 'evil'], { cwd: repo }),
    refused: { '@/.git/config': 'runs_code' },
    edited: ['@/.git/config'],
  },
];

describe('the fence around an agent', () => {
  for (const { name, change, refused, edited } of cases) {
    test(name, async () => {
      const { repo, checkout, inspect, workspace, paths } = await open();
      writeFileSync(path.join(repo, '.git/info/exclude'), '.env\n');
      const config = readFileSync(path.join(repo, '.git/config'), 'utf8');
      const hooks = readdirSync(path.join(repo, '.git/hooks'));
      change(checkout, repo);
      const real = (file: string) => file.replace('@', repo);
      const look = await workspace.changesSoFar(0, task, checkout, {
        edited: (edited ?? []).map(real),
        since: 0,
      });
      const dangers = Object.entries(refused).filter(([, why]) => why === 'runs_code');
      expect(look?.dangers.map((one) => one.path)).toEqual(dangers.map(([file]) => real(file)));
      const seen = await inspect((edited ?? []).map(real));
      expect(seen.failure).toBe(null);
      const found = Object.fromEntries(seen.refused.map((one) => [one.path, one.why]));
      expect(found).toEqual(
        Object.fromEntries(Object.entries(refused).map(([file, why]) => [real(file), why])),
      );
      expect(seen.refused.every((one) => one.undone)).toBe(true);
      // Nothing refused is left, in the worktree, beside it, or in git's own folder.
      const left = seen.diff.files.map((file) => file.path);
      expect(left.filter((file) => file in refused)).toEqual([]);
      expect((await inspect()).refused).toEqual([]);
      expect(existsSync(inTree(checkout, '.env'))).toBe(false);
      expect(readdirSync(path.dirname(checkout.worktree))).toEqual([
        path.basename(checkout.worktree),
      ]);
      expect(readFileSync(path.join(repo, '.git/config'), 'utf8')).toBe(config);
      expect(readdirSync(path.join(repo, '.git/hooks'))).toEqual(hooks);
      // Nothing is thrown away.
      const kept = readdirSync(paths.agentFolder(0));
      const keeps = kept.some((file) => file === 'refused' || file.startsWith('outside'));
      expect(keeps).toBe(Object.keys(refused).length > 0);
      const done = await workspace.commit(work(checkout));
      expect(done.ok).toBe(true);
      await workspace.settled();
    });
  }

  test('a file that a reply names is shown, when it is tracked and not seen yet', async () => {
    const { inspect } = await open();
    expect((await inspect()).named).toEqual(['src/b.txt']);
  });

  test('asked again, by another program too, an inspection gives what it gave, also one that was cut off', async () => {
    const { checkout, inspect, workspace, again } = await open();
    const worktrees = path.dirname(path.dirname(checkout.worktree));
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    writeFileSync(inTree(checkout, 'src/b.txt'), 'bb\n');
    const seen = await inspect();
    expect(seen.refused).toEqual([{ path: 'src/b.txt', why: 'outside', undone: true }]);
    const hints = { edited: [], named: [], misnamed: null, conflicted: [], since: 0 };
    expect(await workspace.inspect(0, 1, task, checkout, false, hints)).toEqual(seen);
    expect(await again().inspect(0, 1, task, checkout, false, hints)).toEqual(seen);
    // The program ended when it had put back what it had found, and before it could tell.
    const kept = readKept(worktrees, 0) as KeptCheckout;
    const found = { attempt: 2, refused: seen.refused };
    keepCheckout(worktrees, 0, { ...kept, found });
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aaa\n');
    const later = await again().inspect(0, 2, task, checkout, false, hints);
    expect(later).toMatchObject({ refused: seen.refused, changed: true });
    // It is asked for once more as it was made, and is not made anew.
    const from = { onto: [], round: 0, resume: null, rework: null };
    expect(await again().prepare(0, task, from, null)).toEqual({ ok: true, value: checkout });
  });

  test('a commit asked for again by another program: of nothing too; a worktree that others removed is a fault', async () => {
    const none = { ok: true, value: { commit: null, diff: { files: [] } } };
    const { checkout, workspace, again } = await open();
    const unfinished = { ...work(checkout), finished: false };
    expect(await workspace.commit(unfinished)).toEqual(none);
    await workspace.settled();
    expect(existsSync(checkout.worktree)).toBe(false);
    expect(await again().commit(unfinished)).toEqual(none);
    // What was judged good was not nothing.
    expect(await again().commit(work(checkout))).toMatchObject({
      failure: { fault: 'folder_gone' },
    });
    const other = await open();
    rmSync(other.checkout.worktree, { recursive: true });
    const lost = await other.again().commit({ ...work(other.checkout), finished: false });
    expect(lost).toMatchObject({ ok: false, failure: { fault: 'folder_gone' } });
  });

  test.each<[string, (kept: KeptCheckout, folder: string) => unknown]>([
    ['half', (kept) => JSON.stringify(kept).slice(0, 80)],
    ['no JSON', () => '\0\x01'],
    ['an option of git', (kept) => ({ ...kept, checkpoint: '--output=/tmp/x' })],
    [
      'files elsewhere',
      (kept, folder) => ({
        ...kept,
        guard: { ...kept.guard, special: { [`../../${path.basename(folder)}/x`]: 'eA==' } },
      }),
    ],
    [
      'files of git elsewhere',
      (kept) => ({ ...kept, guard: { ...kept.guard, gitFiles: { 'hooks/..': 'eA==' } } }),
    ],
    [
      'a submodule elsewhere',
      (kept) => ({ ...kept, guard: { ...kept.guard, inSubmodules: { 'a/../../..': [] } } }),
    ],
    [
      'another repository',
      (kept, folder) => ({
        ...kept,
        guard: { ...kept.guard, commonDir: folder, gitLink: `gitdir: ${folder}/worktrees/x\n` },
      }),
    ],
    [
      'a link elsewhere',
      (kept) => ({ ...kept, guard: { ...kept.guard, gitLink: 'gitdir: /etc\n' } }),
    ],
  ])('what is kept of a worktree is not believed: %s', async (_, forge) => {
    const { repo, checkout, again } = await open();
    const worktrees = path.dirname(path.dirname(checkout.worktree));
    const elsewhere = tempFolder();
    const link = readFileSync(inTree(checkout, '.git'), 'utf8');
    const forged = forge(readKept(worktrees, 0) as KeptCheckout, elsewhere);
    const text = typeof forged === 'string' ? forged : JSON.stringify(forged);
    writeFileSync(path.join(worktrees, 'agent0.json'), text);
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    const hints = { edited: [], named: [], misnamed: null, conflicted: [], since: 0 };
    const seen = await again().inspect(0, 1, task, checkout, false, hints);
    // It is judged by what git alone tells.
    expect(seen).toMatchObject({ changed: true, failure: null, refused: [] });
    expect(seen.diff.files.map((file) => file.path)).toEqual(['src/a.txt']);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readFileSync(inTree(checkout, '.git'), 'utf8')).toBe(link);
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });

  test('a file that one attempt took away and the next one made anew is an old one, for its mode too', async () => {
    const { checkout, inspect, workspace } = await open();
    const file = inTree(checkout, 'src/a.txt');
    rmSync(file);
    expect((await inspect()).refused).toEqual([]);
    writeFileSync(file, 'again\n', { mode: 0o755 });
    writeFileSync(inTree(checkout, 'src/new.txt'), 'n\n', { mode: 0o755 });
    expect((await inspect()).refused).toEqual([{ path: 'src/a.txt', why: 'mode', undone: true }]);
    writeFileSync(file, 'again\n');
    expect((await inspect()).refused).toEqual([]);
    // What was judged good is committed: nothing has changed since.
    expect(await workspace.commit(work(checkout))).toMatchObject({ ok: true });
    await workspace.settled();
  });

  test('white space alone is told from a change', async () => {
    const { checkout, inspect } = await open();
    writeFileSync(inTree(checkout, 'src/a.txt'), ' a \r\n\r\n');
    expect(await inspect()).toMatchObject({ changed: true, substantial: false });
    writeFileSync(inTree(checkout, 'src/new.txt'), '\n');
    expect(await inspect()).toMatchObject({ changed: true, substantial: false });
    rmSync(inTree(checkout, 'src/a.txt'));
    expect(await inspect()).toMatchObject({ changed: true, substantial: true });
  });

  test('what comes into the worktree after it was judged is not committed as a success', async () => {
    const { checkout, inspect, workspace } = await open();
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    expect((await inspect()).refused).toEqual([]);
    writeFileSync(inTree(checkout, 'src/b.txt'), 'bb\n');
    const done = await workspace.commit(work(checkout));
    expect(done).toMatchObject({ ok: false, failure: { reason: 'commit_failed' } });
  });

  test('brought onto a new start, its work conflicts between markers in its own files', async () => {
    const { repo, workspace, checkout, inspect } = await open();
    writeFileSync(inTree(checkout, 'src/a.txt'), 'mine\n');
    await inspect();
    const done = await workspace.commit(work(checkout));
    const commit = (done.ok && done.value.commit) as string;
    writeFileSync(path.join(repo, 'src/a.txt'), 'theirs\n');
    git(repo, 'commit', '-qam', 'theirs');
    const tip = git(repo, 'rev-parse', 'HEAD');
    const from = { onto: [tip], round: 1, resume: null, rework: commit };
    const again = await workspace.prepare(0, task, from, null);
    if (!again.ok) throw new Error(again.failure.detail);
    const text = readFileSync(inTree(again.value, 'src/a.txt'), 'utf8');
    expect(text).toMatch(/^<{15} \w+\ntheirs\n={15}\nmine\n>{15} \w+\n$/);
    const hints = { edited: [], named: [], misnamed: null, conflicted: ['src/a.txt'], since: 0 };
    const left = await workspace.inspect(0, 1, task, again.value, false, hints);
    expect(left).toMatchObject({ unresolved: ['src/a.txt'], changed: false });
    writeFileSync(inTree(again.value, 'src/a.txt'), 'both\n');
    const mended = await workspace.inspect(0, 2, task, again.value, false, hints);
    expect(mended).toMatchObject({ unresolved: [], changed: true, refused: [] });
    const last = await workspace.commit(work(again.value));
    const made = (last.ok && last.value.commit) as string;
    expect(git(repo, 'rev-parse', `${made}^`)).toBe(tip);
    expect(git(repo, 'rev-parse', `${checkout.branch}-round0`)).toBe(commit);
    await workspace.settled();
  });

  test('a conflict between agents at work is seen while they work, and gone when it is gone', async () => {
    const { workspace, checkout, paths } = await open();
    mkdirSync(paths.agentFolder(1), { recursive: true });
    const other: Task = { ...task, id: 'T2', files: ['src/b.txt'] };
    const made = await workspace.prepare(
      1,
      other,
      {
        onto: [],
        round: 0,
        resume: null,
        rework: null,
      },
      null,
    );
    if (!made.ok) throw new Error(made.failure.detail);
    const look = (agent: number) =>
      agent === 0
        ? workspace.changesSoFar(0, task, checkout, { edited: [], since: 0 })
        : workspace.changesSoFar(1, other, made.value, { edited: [], since: 0 });
    writeFileSync(inTree(checkout, 'src/a.txt'), 'one\n');
    writeFileSync(inTree(made.value, 'src/a.txt'), 'two\n');
    expect((await look(0))?.conflicts).toEqual([]);
    expect((await look(1))?.conflicts).toEqual([{ agent: 0, files: ['src/a.txt'] }]);
    expect((await look(0))?.conflicts).toEqual([{ agent: 1, files: ['src/a.txt'] }]);
    // The same change on both sides is none.
    writeFileSync(inTree(made.value, 'src/a.txt'), 'one\n');
    expect((await look(1))?.conflicts).toEqual([]);
  });

  test('a link to git that was mended on the way, by a person who asked for the diff, is told all the same', async () => {
    const { checkout, workspace, inspect } = await open();
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    writeFileSync(inTree(checkout, '.git'), 'gitdir: /nowhere\n');
    expect((await workspace.diff(0, checkout)).ok).toBe(true);
    expect((await inspect()).refused).toEqual([{ path: '.git', why: 'runs_code', undone: true }]);
    expect((await inspect()).refused).toEqual([]);
  });

  test('looks that come while the worktree is taken away neither fail nor put anything back', async () => {
    const { checkout, workspace } = await open();
    const hints = { edited: [], since: 0 };
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    const early = Array.from({ length: 3 }, () => workspace.changesSoFar(0, task, checkout, hints));
    expect((await workspace.commit(work(checkout))).ok).toBe(true);
    // As when git has got as far as the link.
    rmSync(inTree(checkout, '.git'), { force: true });
    expect(await workspace.changesSoFar(0, task, checkout, hints)).toBe(null);
    expect(await workspace.diff(0, checkout)).toMatchObject({ ok: false });
    expect(existsSync(inTree(checkout, '.git'))).toBe(false);
    await Promise.all(early);
    await workspace.settled();
    expect(existsSync(checkout.worktree)).toBe(false);
  });

  test('looks, the diff that a person asks for and the end of tests come at once, and none fails', async () => {
    const { checkout, workspace, inspect } = await open({
      check: { run: async () => ({ ...passed, state: 'passed' }) },
    });
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    await inspect();
    const signal = new AbortController().signal;
    const hints = { edited: [], since: 0 };
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all([
        workspace.changesSoFar(0, task, checkout, hints),
        workspace.diff(0, checkout),
        workspace.testAgent({ agent: 0, attempt: 1, task, checkout, command: plan }, signal),
        workspace.patch(0, checkout),
        workspace.changesSoFar(0, task, checkout, hints),
      ]);
      expect(all.map((one) => (one && 'ok' in one ? one.ok : one !== null))).not.toContain(false);
      expect(all[2]).toMatchObject({ state: 'passed' });
    }
  });

  test('what looks write goes with the run, and is not in the repository', async () => {
    const { repo, checkout, workspace, inspect, paths } = await open();
    const objects = () => git(repo, 'count-objects', '-v');
    const before = objects();
    writeFileSync(inTree(checkout, 'src/a.txt'), 'aa\n');
    writeFileSync(inTree(checkout, 'src/lies-about.bin'), 'x'.repeat(100_000));
    const look = await workspace.changesSoFar(0, task, checkout, { edited: [], since: 0 });
    expect(look?.files.map((file) => file.path)).toEqual(['src/a.txt', 'src/lies-about.bin']);
    expect(await workspace.diff(0, checkout)).toMatchObject({ ok: true });
    expect(await workspace.patch(0, checkout)).toMatchObject({ ok: true });
    expect(objects()).toBe(before);
    // What is judged and committed after it is whole without them.
    expect((await inspect()).refused).toHaveLength(1);
    const done = await workspace.commit(work(checkout));
    await workspace.settled();
    expect(existsSync(paths.objects)).toBe(false);
    if (!done.ok || done.value.commit === null) throw new Error('not committed');
    expect(git(repo, 'show', `${done.value.commit}:src/a.txt`)).toBe('aa');
    expect(git(repo, 'fsck', '--no-dangling')).toBe('');
  });

  test('what the settings protect stops an agent', async () => {
    const { checkout, workspace } = await open({ protect: ['ci/**'] });
    mkdirSync(inTree(checkout, 'ci'));
    writeFileSync(inTree(checkout, 'ci/x.yml'), '');
    const look = await workspace.changesSoFar(0, task, checkout, { edited: [], since: 0 });
    expect(look?.dangers).toEqual([{ path: 'ci/x.yml', why: 'runs_code', undone: true }]);
  });

  test('a link leads out exactly when following it by text leaves the root', () => {
    const part = fc.constantFrom('..', '.', 'a', 'b');
    const name = fc.constantFrom('a', 'b');
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), fc.array(part, { minLength: 1 }), (at, to) => {
        let depth = at.length - 1;
        let out = false;
        for (const one of to) {
          if (one === '..') depth -= 1;
          else if (one !== '.') depth += 1;
          out ||= depth < 0;
        }
        expect(leadsOut(at.join('/'), to.join('/'))).toBe(out);
      }),
    );
    expect(leadsOut('a', '/etc')).toBe(true);
    expect(leadsOut('a', '.git/hooks')).toBe(true);
  });

  test('what runs code is known by its name', () => {
    const yes = [
      '.git/x',
      'a/.GIT/hooks/y',
      '.aider.conf.yml',
      'a/.aiderignore',
      '.env',
      'a/.envrc',
    ];
    const no = ['git/x', 'env', 'a/aider.py', '.gitignore', 'environment.ts', 'src/.eslintrc'];
    expect(yes.filter((file) => !runsCode(file))).toEqual([]);
    expect(no.filter(runsCode)).toEqual([]);
  });
});
