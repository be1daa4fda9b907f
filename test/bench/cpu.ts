import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of this process and of all that it has started, those that have ended too, in ticks of 10 ms; Linux.
 * `utime`, `stime`, `cutime` and `cstime` of proc_pid_stat(5).
 */
export function cpuTicks(pid: number | string = process.pid): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    );
    const own = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return children.reduce((sum, child) => sum + cpuTicks(child), own);
  } catch (error) {
    // A child that ends while it is asked is counted by the one that waits for it.
    if (pid === process.pid) throw error;
    return 0;
  }
}
