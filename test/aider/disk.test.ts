import { describe, expect, inject, test } from 'vitest';
import { wholeEdit } from '../../source/services/model-server/script.js';
import { git, lastSummary, makeRepo, modelServer, runPlan, world } from '../rig.js';
import { canMount, smallDisk } from '../small-disk.js';

/** Text of which no two parts are alike: a model that repeats itself is taken for broken. */
const words = Array.from({ length: 4000 }, (_, index) => index * 7919).join(' ');

describe('a full disk', () => {
  const test_ = test.runIf(inject('aider') !== null && canMount);

  test_('where the worktrees are: said by name, nothing lands', async () => {
    const repo = makeRepo({ 'a.py': 'a = 1\n' });
    const server = await modelServer([
      { replies: [{ text: wholeEdit('a.py', `# ${words}\na = 2\n`) }] },
    ]);
    const where = world(server);
    const full = { ...where, env: { ...where.env, XDG_CACHE_HOME: smallDisk(4) } };
    const end = await runPlan(
      repo,
      full,
      [{ id: 'T1', title: 'Raise a', files: ['a.py'] }],
      [
        '--model',
        'openai/scripted',
        '--max-iterations',
        '2',
        '--setup-cmd',
        'cat /dev/zero > ../filler || true',
      ],
    );
    expect(end.code, end.stdout + end.stderr).toBe(1);
    expect(end.summary.agents['agent0']?.outcome, end.stdout).toEqual({
      state: 'failed',
      reason: 'disk_full',
    });
    expect(end.stdout).toContain('the disk is full');
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });

  test_('where the repository is: the run ends in good order', async () => {
    const disk = smallDisk(6);
    const repo = makeRepo({ 'a.py': 'a = 1\n' }, `${disk}/repo`);
    const server = await modelServer([{ replies: [{ text: wholeEdit('a.py', 'a = 2\n') }] }]);
    const where = world(server);
    const end = await runPlan(
      repo,
      where,
      [{ id: 'T1', title: 'Raise a', files: ['a.py'] }],
      [
        '--model',
        'openai/scripted',
        '--max-iterations',
        '2',
        '--setup-cmd',
        `cat /dev/zero > ${disk}/filler || true`,
      ],
    ).catch((error: Error) => error);
    if (end instanceof Error) {
      // Not even the summary had room: then the program has said so.
      expect(end.message).toMatch(/No space left|disk is full/i);
      return;
    }
    expect(end.code, end.stdout + end.stderr).toBe(1);
    expect(lastSummary(repo).landed).toBe(false);
    expect(end.stdout + end.stderr).toMatch(/disk is full|No space left/i);
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(end.summary.base);
  });
});
