import {
  type PtyExit,
  type PtyProcess,
  spawnPty,
} from '../../../source/services/pty/pty-process.js';

export const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };

export function start(script: string): PtyProcess {
  return spawnPty({ file: '/bin/sh', args: ['-c', script], cwd: '/', env, cols: 80, rows: 24 });
}

export function exitOf(process: PtyProcess): Promise<PtyExit> {
  return new Promise((resolve) => process.onExit(resolve));
}
