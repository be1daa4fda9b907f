import { printable } from '../core/text/printable.js';
import { setupAider } from '../services/agents/aider/setup-aider.js';
import { killAllProcesses } from '../services/pty/process-groups.js';
import type { Arguments } from './arguments.js';
import { onSignals } from './signals.js';
import { reportFailure, type Stdio } from './stdio.js';

/** `setup`: installs Aider into a folder of its own. */
export async function setupCommand(args: Arguments, stdio: Stdio): Promise<number> {
  // The installer goes, and what it has made so far is removed.
  const release = onSignals(killAllProcesses);
  const done = await setupAider((line) => {
    if (!args.flags.quiet) stdio.error(`  ${printable(line)}\n`);
  });
  const signal = release();
  if (signal) return signal.code;
  if (!done.ok) {
    reportFailure(stdio, done.failure);
    return 1;
  }
  stdio.out(
    `Aider is ${done.value.installed ? 'installed' : 'there already'}: ${done.value.command}\n`,
  );
  return 0;
}
