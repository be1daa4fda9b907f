/** Process groups that were started here and have not ended. */
export const alive = new Set<number>();

/** Ends all that was started here, at once; for the last moment of this program. */
export function killAllProcesses(): void {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
}

/** Signals a process group; a group that is gone is fine (macOS says EPERM for one of zombies). */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** How long what was asked to end may take, milliseconds. */
const patienceMs = 1500;

/** Asks a process to end, and kills it where it does not heed that. */
export function endProcess(
  process: { signal(signal: NodeJS.Signals): void },
  signal: NodeJS.Signals = 'SIGTERM',
): void {
  process.signal(signal);
  if (signal !== 'SIGKILL') setTimeout(() => process.signal('SIGKILL'), patienceMs).unref();
}
