import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { faulted, type TestRun } from '../../core/policy/test-run.js';
import { problemOf, problemOfError } from '../../core/policy/work-problem.js';
import type { WorkProblem } from '../../core/ports.js';
import { ok } from '../../core/result.js';
import type { TestPlan } from '../../core/run/effect.js';
import type { CheckoutSite } from './checkout-site.js';
import { addDetachedWorktree } from './worktree.js';

/** Runs the project's tests on a commit, in a fresh checkout; never throws. */
export async function testCommit(
  site: CheckoutSite,
  commit: string,
  tests: TestPlan,
  signal: AbortSignal,
): Promise<TestRun> {
  const { config, worktrees, tests: check, paths, record, setup } = site.options;
  if (!check) throw new Error('no check was asked for');
  const number = site.nextCheck();
  const name = `check${number}-${randomBytes(4).toString('hex')}`;
  const worktree = path.join(worktrees, name, path.basename(config.repo));
  const ended = (state: TestRun['state'], words: string): TestRun => ({
    state: signal.aborted ? 'stopped' : state,
    words,
    output: '',
    ms: 0,
    flaky: false,
  });
  // Where the tests did not run they have not failed.
  const couldNot = ({ fault, detail }: WorkProblem): TestRun =>
    signal.aborted ? ended('stopped', detail) : faulted(fault ?? null, detail);
  const stopSetup = () => setup?.signal(null, 'SIGTERM');
  signal.addEventListener('abort', stopSetup, { once: true });
  try {
    try {
      record.making({ path: worktree, agent: null, branch: null, start: commit });
    } catch (error) {
      return couldNot(problemOfError(error, 'worktree_failed'));
    }
    const added = await addDetachedWorktree(config.repo, worktree, commit);
    if (!added.ok) return couldNot(problemOf(added.failure, 'worktree_failed'));
    const filled = await site.fill(worktree, []);
    if (!filled.ok) return couldNot(filled.failure);
    const ready =
      tests.setup !== null && setup && !signal.aborted
        ? await setup.run(tests.setup, null, worktree)
        : ok(undefined);
    if (!ready.ok) {
      const { fault, detail } = ready.failure;
      if (fault !== undefined || signal.aborted) return couldNot(ready.failure);
      return { ...ended('failed', detail), lacksSetup: true };
    }
    const result = await check.run(tests.command, worktree, paths.checkLog(null, number), signal);
    site.lookAtShared('the tests or the set-up command');
    return result;
  } finally {
    signal.removeEventListener('abort', stopSetup);
    void site.leave(worktree);
  }
}
