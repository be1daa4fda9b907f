import { execFileSync } from 'node:child_process';

/** True while a process with this id is there, also one that nobody has waited for. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Processes that carry a text in their command line; Linux and macOS. */
export function processesWith(text: string): string[] {
  return execFileSync('ps', ['-eo', 'pid,stat,args'], { encoding: 'utf8', maxBuffer: 1e8 })
    .split('\n')
    .filter((line) => line.includes(text) && !/\bZ/.test(line.split(/\s+/)[2] ?? ''));
}

/** Processes that host a run and have their log below a folder, by their ids. */
export function hostsOf(home: string): number[] {
  return processesWith(`--host-process ${home}/`).map((line) => Number.parseInt(line, 10));
}

/** Ends them, with all that they run. */
export function endHosts(home: string): void {
  for (const pid of hostsOf(home)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}
