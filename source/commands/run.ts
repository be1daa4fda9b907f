import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import type { Stdio } from './stdio.js';
import { wantsScreen } from './wants-screen.js';

/** The main command: from a change to a merged branch. Gives the exit code. */
export async function runMain(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
): Promise<number> {
  if (args.flags.detach) return (await import('./detach.js')).runDetached(args, stdio);
  // Each loads much that the other has no use for.
  return wantsScreen(args, stdio)
    ? (await import('./screens.js')).showScreens(args, stdio, overrides)
    : (await import('./headless-run.js')).runHeadless(args, stdio, overrides);
}
