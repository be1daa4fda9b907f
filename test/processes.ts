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
