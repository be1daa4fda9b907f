import type { Arguments } from './arguments.js';
import type { Stdio } from './stdio.js';

/** Whether the screen is shown: a person is there, and did not ask for lines. */
export function wantsScreen({ flags }: Arguments, stdio: Stdio): boolean {
  const { headless, json, yes, quiet, verbose, dryRun, detach } = flags;
  const wantsLines = headless || json || yes || quiet || verbose || dryRun || detach;
  return stdio.interactive && !wantsLines;
}
