import type { Stdio } from '../stdio.js';

/** Says that the process of a run died; gives the exit code of who waited for it. */
export function tellDied(stdio: Stdio, stamp: string, later: string | null): number {
  stdio.error(
    `aider-orchestrator: The process that ran ${stamp} died. What its agents did is kept.\n`,
  );
  if (later !== null) stdio.error(`  To go on with it: ${later}\n`);
  return 1;
}
