import type { KnownRun } from '../services/records/run-records.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import type { LeftRunHere } from './find-left-run.js';
import { runOnScreen, type Shown } from './screen.js';
import { reportFailure, type Stdio } from './stdio.js';

/** What is shown first. */
export type FirstScreen =
  /** The steps before a run; with one that was cut off, that run. */
  | { readonly kind: 'wizard'; readonly left: LeftRunHere | null }
  | { readonly kind: 'attach'; readonly run: KnownRun };

/** One screen after the other, as a person goes from run to run. Gives the exit code of the last one. */
export async function showScreens(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides,
  first: FirstScreen = { kind: 'wizard', left: null },
): Promise<number> {
  let shown =
    first.kind === 'attach'
      ? await attach(first.run, args, stdio)
      : await runOnScreen(args, stdio, overrides, first.left);
  while (shown.next !== null) shown = await nextScreen(shown.next.run, args, stdio, overrides);
  return shown.code;
}

/** The first frame of the wizard waits for nothing that only this needs. */
async function attach(run: KnownRun, args: Arguments, stdio: Stdio): Promise<Shown> {
  const { attachOnScreen } = await import('./attach-screen.js');
  return attachOnScreen(run, args, stdio);
}

/** @param run its stamp; null for a new change */
async function nextScreen(
  run: string | null,
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides,
): Promise<Shown> {
  if (run === null) {
    // What was asked for was asked for by the run before.
    const { change: _, plan: __, prd: ___, apiKey: ____, ...flags } = args.flags;
    return runOnScreen({ ...args, command: 'run', rest: [], flags }, stdio, overrides, null, true);
  }
  const { findLivingRun } = await import('./host/reach-run.js');
  const found = await findLivingRun({ run, repo: args.flags.repo });
  if (found.ok) return attach(found.value, args, stdio);
  reportFailure(stdio, found.failure);
  return { code: 2, next: null };
}
