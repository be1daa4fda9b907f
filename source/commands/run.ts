import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import type { Terminal } from './terminal.js';

/** Whether the screen is shown: a person is there, and did not ask for lines. */
export function wantsScreen({ flags }: Arguments, terminal: Terminal): boolean {
  const { headless, json, yes, quiet, verbose, dryRun } = flags;
  return terminal.interactive && !headless && !json && !yes && !quiet && !verbose && !dryRun;
}

/** The main command: from a change to a merged branch. Gives the exit code. */
export async function runMain(
  args: Arguments,
  terminal: Terminal,
  overrides: Overrides = {},
): Promise<number> {
  // Each loads much that the other has no use for.
  return wantsScreen(args, terminal)
    ? (await import('./screen.js')).runOnScreen(args, terminal, overrides)
    : (await import('./headless-run.js')).runHeadless(args, terminal, overrides);
}
