import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { journalVersion } from '../../source/core/run/journal.js';
import { eventually } from '../eventually.js';
import {
  asIfKilled,
  git,
  lastSummary,
  makeRepo,
  recordOf,
  runCli,
  runPlan,
  startPlan,
  tempFolder,
  world,
} from '../rig.js';
import { lineWriter } from '../stand-in-aider.js';
import {
  canRun,
  keptLeft,
  randomMoments,
  settled,
  tasks,
  worktreesLeft,
  worldOf,
} from './killed-runs.js';

/** How often a run is killed, and within how many milliseconds of its start. */
const ways = [
  { name: 'a stand-in', rounds: Number(process.env['CRASH_ROUNDS'] ?? 8), most: 2200 },
  { name: 'real Aider', rounds: Number(process.env['CRASH_AIDER_ROUNDS'] ?? 2), most: 7000 },
] as const;

function branches(repo: string): Map<string, string> {
  const list = git(
    repo,
    'for-each-ref',
    '--format=%(refname:lstrip=2) %(objectname)',
    'refs/heads/aider',
  );
  return new Map(
    list
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [string, string]),
  );
}

/** Each sentence that names a branch for work is held against git. */
function checkSentences(repo: string, base: string, text: string): void {
  const known = branches(repo);
  for (const [, list = ''] of text.matchAll(/(?:work|did) is on ([\w/, -]+)/g)) {
    for (const name of list.split(', ')) {
      expect(known.has(name), `${name} in: ${text}`).toBe(true);
      expect(known.get(name), `${name} stands at the base: ${text}`).not.toBe(base);
    }
  }
  expect(text).not.toMatch(/internal error|cannot be followed|uncommitted work/);
}

describe.each(ways)(
  'after kill -9 at a random moment, with $name',
  ({ name: who, rounds, most }) => {
    const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
    const moments = randomMoments(seed, rounds, most);
    test.runIf(canRun(who)).for(moments)(
      `nothing is lost, nothing is blocked, and what is said is so (%i ms, seed ${seed})`,
      { timeout: 120_000 },
      async (ms) => {
        const { where } = await worldOf(who);
        const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n', 'c.txt': '1\n' });
        const base = git(repo, 'rev-parse', 'HEAD');
        const tree = (name: string) => readFileSync(path.join(repo, name), 'utf8');
        const flags = ['--test-cmd', 'sleep 0.1', '--max-agents', '2'];
        const running = startPlan(repo, where, tasks, flags);
        const kill = setTimeout(() => running.child.kill('SIGKILL'), 300 + ms);
        const killed = await running.end;
        clearTimeout(kill);
        await settled(repo, where);
        const files = ['a.txt', 'b.txt', 'c.txt'];
        const edited = new Map(
          worktreesLeft(where).flatMap((worktree) =>
            files.flatMap((name): [string, string][] => {
              const file = path.join(worktree, name);
              const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
              return text.includes('by an agent') ? [[name, text]] : [];
            }),
          ),
        );
        const untouched = [...worktreesLeft(where), ...branches(repo)];
        const listed = await runCli(['runs'], { cwd: repo, env: where.env });
        const cut = /^(\S+) {2}cut off/m.exec(listed.stdout)?.[1];
        // What can be gone on with is looked at, and left as it is.
        if (cut !== undefined) {
          expect([...worktreesLeft(where), ...branches(repo)]).toEqual(untouched);
        }
        const closing = cut === undefined ? ['runs'] : ['stop', cut];
        const runs =
          cut === undefined ? listed : await runCli(closing, { cwd: repo, env: where.env });
        expect(runs.code, runs.stderr).toBe(0);
        checkSentences(repo, base, runs.stdout + runs.stderr);
        // The checkout is what it was, or the landed work, whole.
        expect(git(repo, 'status', '--porcelain')).toBe('');
        const landed = git(repo, 'rev-parse', 'HEAD') !== base;
        if (landed) for (const name of files) expect(tree(name)).toContain('by an agent');
        // What lay in a worktree is on a branch, or has landed.
        for (const [name] of edited) {
          const where = [...branches(repo).values(), 'HEAD'];
          const kept = where.some((commit) =>
            git(repo, 'show', `${commit}:${name}`).includes('by an agent'),
          );
          expect(kept, `${name} after ${ms} ms: ${runs.stdout}${runs.stderr}`).toBe(true);
        }
        expect(worktreesLeft(where), runs.stdout + runs.stderr).toEqual([]);
        const show = await runCli(['show'], { cwd: repo, env: where.env });
        checkSentences(repo, base, show.stdout + show.stderr);
        if (killed.signal === 'SIGKILL' && /\d agents/.test(runs.stdout) && !landed) {
          expect(runs.stdout).not.toContain(', landed');
        }
        const again = await runCli(['runs'], { cwd: repo, env: where.env });
        expect(again.stderr).toBe('');
        const clean = await runCli(['clean', '--yes'], { cwd: repo, env: where.env });
        expect(clean.code).toBe(0);
        checkSentences(repo, base, clean.stdout + clean.stderr);
        expect([...branches(repo).keys()]).toEqual([]);
        expect(git(repo, 'worktree', 'list').split('\n')).toHaveLength(1);
        const next = await runPlan(repo, where, tasks, flags);
        // Where the work has landed the model has nothing more to change.
        if (!landed || who === 'a stand-in') expect(next.code, next.stdout + next.stderr).toBe(0);
      },
    );
  },
);

/** A run that has ended with work on branches, as if its program had been killed before the end was written. */
async function deadRun() {
  const where = lineWriter(0);
  const repo = makeRepo(
    { 'a.txt': '1\n', 'b.txt': '1\n', 'c.txt': '1\n' },
    path.join(tempFolder(), 'repo'),
  );
  const { summary } = await runPlan(repo, where, tasks, ['--land', 'none']);
  const stamp = summary.timestamp;
  const journal = recordOf(where, stamp).replace(/jsonl$/, 'journal.jsonl');
  const run = (...args: string[]) => runCli(args, { cwd: repo, env: where.env });
  /** Closes its books: by the next start, or by hand where it could be gone on with. */
  const close = async () => {
    const runs = await run('runs');
    return runs.stdout.includes('cut off') ? run('stop', stamp) : runs;
  };
  return { where, repo, stamp, journal, run, close };
}

describe('a journal that is damaged', () => {
  const damages: readonly (readonly [string, (text: string) => string | null])[] = [
    ['gone', () => null],
    ['empty', () => ''],
    ['its first line is gone', (text) => text.slice(text.indexOf('\n') + 1)],
    ['binary', () => '\0\x01\xff\n\x02\n'],
    ['null', () => 'null\n'],
    ['a list', () => '[]\n'],
    ['an unknown message', (text) => `${text}{"type":"dance","at":1}\n`],
    ['an agent that there is not', (text) => `${text}{"type":"kill_agent","agent":99,"at":1}\n`],
    ['another run', (text) => text.replaceAll(/"stamp":"\d{8}/g, '"stamp":"20000101')],
    [
      'a newer version',
      (text) => text.replace(`"journal":${journalVersion}`, `"journal":${journalVersion + 1}`),
    ],
    ['half of it', (text) => text.slice(0, text.length / 2)],
    ['a worktree of others', (text) => text.replaceAll(/"worktree":"[^"]+"/g, '"worktree":"/etc"')],
    ['twice the beginning', (text) => text + text],
  ];
  test.for(damages)('%s: said once, nothing is lost or blocked', async ([, damage]) => {
    const { where, repo, stamp, journal, run, close } = await deadRun();
    const before = branches(repo);
    const whole = readFileSync(journal, 'utf8');
    const damaged = damage(whole);
    expect(damaged).not.toBe(whole);
    asIfKilled(where, repo, stamp);
    if (damaged === null) rmSync(journal);
    else writeFileSync(journal, damaged);
    const first = await close();
    expect(first.code).toBe(0);
    expect(first.stdout + first.stderr).toContain(stamp);
    checkSentences(repo, git(repo, 'rev-parse', 'HEAD'), first.stdout + first.stderr);
    for (const [name, commit] of before)
      expect([name, branches(repo).get(name)]).toEqual([name, commit]);
    const second = await run('runs');
    expect(second.stderr).toBe('');
    expect((await run('clean', '--yes')).code).toBe(0);
    expect([...branches(repo).keys()]).toEqual([]);
  });
});

test('a journal without an end keeps nobody from the next start', async () => {
  const { where, repo, stamp, journal, run } = await deadRun();
  asIfKilled(where, repo, stamp);
  truncateSync(journal, 700 * 1024 * 1024);
  const runs = await run('runs');
  expect(runs.stderr).toContain('it is too large');
  expect(runs).toMatchObject({ code: 0 });
});

test('a journal that ends after any of its lines: no branch moves', async () => {
  const { where, repo, stamp, journal, close } = await deadRun();
  const before = branches(repo);
  const lines = readFileSync(journal, 'utf8').split('\n').filter(Boolean);
  expect(lines.length).toBeGreaterThan(20);
  for (let count = 1; count < lines.length; count++) {
    asIfKilled(where, repo, stamp);
    writeFileSync(journal, `${lines.slice(0, count).join('\n')}\n`);
    const last = (JSON.parse(lines[count - 1] ?? '') as { readonly type?: string }).type;
    expect((await close()).code).toBe(0);
    expect([last, ...branches(repo)]).toEqual([last, ...before]);
  }
});

describe('a crash between the commit of an agent and the end of its worktree', () => {
  /** The worktree of agent0 as it was, and its run as if it had been killed. */
  async function withWorktree() {
    const dead = await deadRun();
    const { where, repo, stamp } = dead;
    const lines = readFileSync(recordOf(where, stamp), 'utf8').split('\n').filter(Boolean);
    const made = lines
      .map((line) => JSON.parse(line) as { record: string; path: string; agent: number | null })
      .find((line) => line.record === 'worktree' && line.agent === 0);
    if (!made) throw new Error('agent0 had no worktree');
    git(repo, 'worktree', 'add', '-q', made.path, `aider/${stamp}/agent0`);
    asIfKilled(where, repo, stamp);
    return { ...dead, worktree: made.path };
  }

  test('the worktree goes, as its state is on the branch', async () => {
    const { repo, run, worktree } = await withWorktree();
    const before = branches(repo);
    const runs = await run('runs');
    expect(existsSync(worktree), runs.stdout + runs.stderr).toBe(false);
    expect(branches(repo)).toEqual(before);
    expect((await run('clean', '--yes')).code).toBe(0);
  });

  test('work that was committed and could not be written down, as on a full disk, is told as that', async () => {
    const { where, repo, stamp, journal, close } = await deadRun();
    const lines = readFileSync(journal, 'utf8').split('\n');
    const end = lines.findIndex((line) => line.includes('"agent_committed"'));
    writeFileSync(journal, `${lines.slice(0, end).join('\n')}\n`);
    asIfKilled(where, repo, stamp);
    const before = branches(repo);
    expect((await close()).code).toBe(0);
    const { agent0 } = lastSummary(repo).agents;
    const name = `aider/${stamp}/agent0`;
    expect(agent0).toMatchObject({ success: true, commit: before.get(name), left_in: null });
    expect(branches(repo).get(name)).toBe(before.get(name));
  });

  test('one that holds anything else is told, and stays', async () => {
    const { repo, run, worktree } = await withWorktree();
    const before = branches(repo);
    writeFileSync(path.join(worktree, 'a.txt'), 'more\n');
    const runs = await run('runs');
    expect(runs.stdout + runs.stderr).toContain(`The worktree ${worktree} is left as it is`);
    expect(readFileSync(path.join(worktree, 'a.txt'), 'utf8')).toBe('more\n');
    expect(branches(repo)).toEqual(before);
  });
});

describe('a repository that was copied or moved after a crash', () => {
  test('in a copy it is told as the other’s, and left alone', async () => {
    const { where, repo, stamp } = await deadRun();
    asIfKilled(where, repo, stamp);
    const copy = path.join(tempFolder(), 'copy');
    cpSync(repo, copy, { recursive: true });
    const before = execFileSync('sh', ['-c', 'find . -type f | sort | xargs sha256sum'], {
      cwd: repo,
    });
    const kept = branches(repo);
    for (const args of [['runs'], ['clean', '--yes'], ['land', stamp]]) {
      const end = await runCli(args, { cwd: copy, env: where.env });
      expect(end.stdout + end.stderr).not.toContain('deleted');
    }
    const said = await runCli(['runs'], { cwd: copy, env: where.env });
    expect(said.stdout).toContain(`of ${repo}, of which this is a copy`);
    expect(branches(repo)).toEqual(kept);
    expect(branches(copy)).toEqual(kept);
    const after = execFileSync('sh', ['-c', 'find . -type f | sort | xargs sha256sum'], {
      cwd: repo,
    });
    expect(after.equals(before)).toBe(true);
    // A new run in the copy works.
    expect((await runPlan(copy, where, tasks)).code).toBe(0);
  });

  test('moved, it is recovered where it is now; the old place is not made again', async () => {
    const where = lineWriter(30);
    const repo = makeRepo(
      { 'a.txt': '1\n', 'b.txt': '1\n', 'c.txt': '1\n' },
      path.join(tempFolder(), 'repo'),
    );
    const running = startPlan(repo, where, tasks, []);
    await running.waitFor(/attempt 1 started[\s\S]*attempt 1 started/);
    running.child.kill('SIGKILL');
    await running.end;
    for (const worktree of worktreesLeft(where))
      writeFileSync(path.join(worktree, 'b.txt'), 'by an agent\n');
    const moved = path.join(tempFolder(), 'moved');
    renameSync(repo, moved);
    const runs = await runCli(['runs'], { cwd: moved, env: where.env });
    const stamp = /^(\S+) {2}cut off/.exec(runs.stdout)?.[1] ?? '';
    const stopped = await runCli(['stop', stamp], { cwd: moved, env: where.env });
    expect(stopped.stderr).toContain('its summary is written now');
    expect(existsSync(repo)).toBe(false);
    expect(worktreesLeft(where)).toEqual([]);
    expect(keptLeft(where)).toEqual([]);
    const kept = [...branches(moved).values()].some((commit) =>
      git(moved, 'show', `${commit}:b.txt`).includes('by an agent'),
    );
    expect(kept).toBe(true);
    expect((await runCli(['clean', '--yes'], { cwd: moved, env: where.env })).code).toBe(0);
    expect([...branches(moved).keys()]).toEqual([]);
  });
});

test('a run that dies is closed by its own rules: what no agent may change is put back, the rest is kept', async () => {
  const settings = JSON.stringify({ protect: ['ci/**'], max_file_mb: 0.01 });
  const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n', '.aider-orchestrator.json': settings });
  const where = { ...world(null), afterFlags: [] };
  const told = path.join(where.home, 'told');
  const acts = [
    'echo mine >> a.txt',
    'echo not mine >> b.txt',
    'mkdir ci && echo x > ci/x.yml',
    'echo X=1 > .env',
    'head -c 20000 /dev/zero > big.bin',
    `touch ${told}`,
    'sleep 300',
  ];
  const task = { id: 'T1', title: 'One', files: ['a.txt', 'big.bin'] };
  const flags = ['--agent-cmd', acts.join('; ')];
  const running = startPlan(repo, { ...where, aiderFlags: [] }, [task], flags);
  await eventually(() => expect(existsSync(told)).toBe(true));
  running.child.kill('SIGKILL');
  await running.end;
  const runs = await runCli(['runs'], { cwd: repo, env: where.env });
  const stamp = /^(\S+) {2}cut off/.exec(runs.stdout)?.[1] ?? '';
  const stopped = await runCli(['stop', stamp], { cwd: repo, env: where.env });
  expect(stopped.stderr).toContain('Its work is saved');
  const [branch] = [...branches(repo).keys()].filter((name) => name.endsWith('/agent0'));
  const changed = git(repo, 'diff', '--name-only', 'HEAD', branch as string);
  expect(changed).toBe('a.txt');
  expect(git(repo, 'show', `${branch}:a.txt`)).toBe('1\nmine');
  const refused = lastSummary(repo).agents['agent0']?.refused?.map((one) => one.path) ?? [];
  expect(refused.sort()).toEqual(['.env', 'b.txt', 'big.bin', 'ci/x.yml']);
  expect(worktreesLeft(where)).toEqual([]);
  expect(keptLeft(where)).toEqual([]);
});
