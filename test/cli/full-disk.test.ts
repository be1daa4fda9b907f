import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { git, makeRepo, runCli, startPlan, type World } from '../rig.js';
import { canMount, smallDisk } from '../small-disk.js';
import { lineWriter } from '../stand-in-aider.js';

const tasks = [
  { id: 'T1', title: 'One', files: ['a.txt'] },
  { id: 'T2', title: 'Two', files: ['b.txt'] },
];

/** Our own records and the worktrees on the small disk too. */
function allOn(where: World, disk: string): World {
  const folders = { XDG_DATA_HOME: `${disk}/data`, XDG_CACHE_HOME: `${disk}/cache` };
  return { ...where, env: { ...where.env, ...folders } };
}

const fillWith = (disk: string) => `cat /dev/zero > ${disk}/filler 2>/dev/null || true`;

/** What fills the disk: in an agent's work, in its tests, in those of the merged work before it lands. */
const moments = {
  agent: () => 'true',
  tests: (fill: string) => `if grep -q agent a.txt; then ${fill}; fi`,
  merged: (fill: string) =>
    `case "$PWD" in */check*) if grep -q agent a.txt && grep -q agent b.txt; then ${fill}; fi;; esac`,
} as const;

type Moment = keyof typeof moments;

describe.runIf(canMount)('a disk that becomes full', () => {
  const cases = (['repository', 'everything'] as const).flatMap((what) =>
    (Object.keys(moments) as Moment[]).map((when) => [what, when] as const),
  );

  test.each(cases)(
    'of the %s, in the %s: said as that, and no work is lost',
    async (what, when) => {
      const disk = smallDisk(12);
      const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n' }, `${disk}/repo`);
      const base = git(repo, 'rev-parse', 'HEAD');
      const fill = fillWith(disk);
      const plain = lineWriter(0.05);
      // After the edit, as it is the work that must not be lost.
      const late = `import atexit, os; atexit.register(lambda: os.system('${fill}'))`;
      const own = when === 'agent' ? lineWriter(0.05, late) : plain;
      const where = what === 'everything' ? allOn(own, disk) : own;
      const flags = ['--json', '--test-cmd', moments[when](fill)];
      const end = await startPlan(repo, where, tasks, flags).end;
      expect(end.code, end.stdout + end.stderr).toBe(1);
      expect(git(repo, 'rev-parse', 'HEAD')).toBe(base);
      const events = end.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      const last = events.at(-1);
      const written = readdirSync(path.join(repo, '.aider_logs')).filter((name) =>
        name.startsWith('summary_'),
      );
      expect(last.summary_path).toBe(written[0] ? `.aider_logs/${written[0]}` : null);
      const words = events.map(({ words }) => words ?? '').join('\n') + last.summary.error;
      expect(words).toMatch(/disk is full/i);
      expect(words).not.toMatch(/could not be committed|break|wrong format|mend them/);

      const during = await runCli(['runs'], { cwd: repo, env: where.env });
      expect(during.stdout).toContain(last.run);
      rmSync(`${disk}/filler`);
      expect(git(repo, 'status', '--porcelain')).toBe('');
      const after = await runCli(['runs'], { cwd: repo, env: where.env });
      expect(after.stdout).toContain(last.run);
      const shown = await runCli(['show', last.run], { cwd: repo, env: where.env });
      expect(shown.stdout).not.toContain('not committed');
      // Whatever an agent had written is on a branch, and what is said of the place is so.
      for (const [agent, file] of [
        ['agent0', 'a.txt'],
        ['agent1', 'b.txt'],
      ] as const) {
        const did = git(repo, 'branch', '--list', `aider/*/${agent}`).trim();
        const held = did === '' ? '' : git(repo, 'show', `${did}:${file}`);
        const begun = events.some(
          (one) => one.event === 'attempt_started' && `agent${one.agent}` === agent,
        );
        if (begun) expect(held, after.stdout + after.stderr).toBe('1\nby an agent');
        if (held.includes('agent'))
          expect(shown.stdout).toContain(
            last.summary.agents[agent].merged ? 'Merged work: ' : did.replace(/^[*+] /, ''),
          );
      }
      const landed = await runCli(['land', last.run], { cwd: repo, env: where.env });
      if (last.summary.integration_commit !== null) {
        expect(landed.code, landed.stderr).toBe(0);
        const merged = last.summary.agents.agent0.merged ? 'a.txt' : 'b.txt';
        expect(readFileSync(path.join(repo, merged), 'utf8')).toBe('1\nby an agent\n');
      }
    },
  );

  test('without an inode left: a clear word before any work', async () => {
    const disk = smallDisk(12, 'nr_inodes=400');
    const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n' }, `${disk}/repo`);
    for (let n = 0; ; n++) {
      try {
        writeFileSync(`${disk}/${n}`, '');
      } catch {
        break;
      }
    }
    const end = await startPlan(repo, lineWriter(0.05), tasks).end;
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(`Missing: disk: no space on the disk of ${repo}`);
    expect(end.stderr).toContain('df -i');
    expect(end.stderr).not.toMatch(/internal error|at .*\.ts:/);
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });
});
