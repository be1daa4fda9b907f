import type { Failure } from '../core/policy/failure.js';
import type { Arguments } from './arguments.js';
import { findLivingRun } from './host/reach-run.js';
import { reportFailure, type Stdio } from './stdio.js';
import { wantsScreen } from './wants-screen.js';

/** `attach [RUN]`: shows a run of another process. Gives the exit code. */
export async function attachCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const [run, ...more] = args.rest;
  const fail = (failure: Failure): number => {
    reportFailure(stdio, failure);
    return 2;
  };
  if (more.length > 0) {
    return fail({ kind: 'usage', message: `attach takes one run, not ${args.rest.length}.` });
  }
  const isScreen = wantsScreen(args, stdio);
  // Loaded while git is asked.
  if (isScreen) void loadEarly();
  const found = await findLivingRun({ run, repo: args.flags.repo });
  if (!found.ok) return fail(found.failure);
  if (!isScreen) {
    return (await import('./attach-lines.js')).attachInLines(found.value, args, stdio);
  }
  const { showScreens } = await import('./screens.js');
  return showScreens(args, stdio, {}, { kind: 'attach', run: found.value });
}

async function loadEarly(): Promise<void> {
  const { loadScreen } = await import('./screen.js');
  await loadScreen();
}
