import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { processesBelow, untilQuiet } from '../../../source/services/machine/processes-below.js';
import { tempFolder } from '../../rig.js';

test.runIf(process.platform === 'linux')(
  'what works in a folder is waited for, by its command line or where it stands, and not for ever',
  async () => {
    const folder = tempFolder();
    const ends = spawn('sh', ['-c', `sleep 0.3; : ${folder}/x`]);
    expect(processesBelow(folder)).toContain(ends.pid);
    await untilQuiet(folder, 10_000);
    expect(processesBelow(folder)).toEqual([]);
    const stays = spawn('sleep', ['1000'], { cwd: folder });
    expect(processesBelow(folder)).toContain(stays.pid);
    await untilQuiet(folder, 100);
    expect(processesBelow(folder)).toContain(stays.pid);
    stays.kill('SIGKILL');
    await untilQuiet(folder, 10_000);
    expect(processesBelow(folder)).toEqual([]);
  },
);
