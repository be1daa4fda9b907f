import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { tempFolder } from './rig.js';

/** A small disk of its own needs a mount, so root on Linux. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();

function tryMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** A disk in memory that goes with the test. @param options further ones of `mount`, such as `nr_inodes=100` */
export function smallDisk(megabytes: number, ...options: readonly string[]): string {
  const folder = tempFolder('disk');
  const all = [`size=${megabytes}m`, ...options].join(',');
  execFileSync('mount', ['-t', 'tmpfs', '-o', all, 'none', folder]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}
