import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import type { Stdio } from './stdio.js';

/** Whether the screen is shown: a person is there, and did not ask for lines. */
export function wantsScreen({ flags }: Arguments, stdio: Stdio): boolean {
  const { headless, json, yes, quiet, verbose, dryRun, detach } = flags;
  const wantsLines = headless || json || yes || quiet || verbose || dryRun || detach;
  return stdio.interactive && !wantsLines;
}

/** The main command: from a change to a merged branch. Gives the exit code. */
export async function runMain(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
): Promise<number> {
  if (args.flags.detach) return (await import('./detach.js')).runDetached(args, stdio);
  // Each loads much that the other has no use for.
  return wantsScreen(args, stdio)
    ? (await import('./screen.js')).runOnScreen(args, stdio, overrides)
    : (await import('./headless-run.js')).runHeadless(args, stdio, overrides);
}
