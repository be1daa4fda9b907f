import path from 'node:path';
import type { Failure } from '../core/policy/failure.js';
import { openRepository } from '../services/git/repository.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import { findLeftRun } from './find-left-run.js';
import { openLeftRun } from './open-left-run.js';
import { openRun, readGeminiKey } from './open-run.js';
import { reportFailure, type Stdio } from './stdio.js';
import { wantsScreen } from './wants-screen.js';

/** `resume`: goes on with a run whose program died, or that was interrupted or halted. Gives the exit code. */
export async function resumeCommand(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
): Promise<number> {
  const fail = (failure: Failure): number => {
    reportFailure(stdio, failure);
    return 2;
  };
  // The host itself is told when it has begun.
  if (args.flags.detach && !overrides.onBegun) {
    return (await import('./detach.js')).runDetached(args, stdio);
  }
  const [named, ...more] = args.rest;
  if (more.length > 0) {
    return fail({ kind: 'usage', message: `resume takes one run, not ${args.rest.length}.` });
  }
  const repo = await openRepository(path.resolve(args.flags.repo ?? '.'));
  if (!repo.ok) return fail(repo.failure);
  const left = findLeftRun(repo.value, named);
  if (!left.ok) return fail(left.failure);
  if (wantsScreen(args, stdio)) {
    const { showScreens } = await import('./screens.js');
    return showScreens(args, stdio, overrides, { kind: 'wizard', left: left.value });
  }
  const opened = await openRun(args, stdio, overrides);
  if (!opened.ok) return fail(opened.failure);
  const key = await readGeminiKey(args, stdio);
  const parts = await openLeftRun(left.value, opened.value, key, true, overrides, (text) =>
    stdio.error(`${text}\n`),
  );
  if (!parts.ok) return fail(parts.failure);
  const { executeHeadless } = await import('./headless-run.js');
  return executeHeadless(parts.value, args, stdio, overrides);
}
