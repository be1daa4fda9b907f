import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import findOnPath from 'which';
import { faultOfError } from '../../core/policy/machine-fault.js';
import { unlessLater, unreadable } from '../files/private-files.js';
import { environment } from './environment.js';
import { lookingElsewhere } from './own-environment.js';

const execute = promisify(execFile);

/** Runs a program that is looked for, from a folder that nothing can be imported or run from. */
export function askProgram(
  file: string,
  args: readonly string[],
  timeout: number,
): Promise<{ stdout: string } | null> {
  const env = lookingElsewhere(environment());
  return execute(file, [...args], { cwd: '/', env, timeout }).catch((error: unknown) => {
    // Nothing can be started now: that says nothing of the program.
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code === 'string' && faultOfError({ code }) !== null) throw error;
    // Not there, not fit to run, or failed: either way it is not what is looked for.
    return null;
  });
}

export async function isExecutable(file: string): Promise<boolean> {
  const stats = await unlessLater(unreadable, null, stat(file));
  const refused = await unlessLater(unreadable, false, access(file, constants.X_OK));
  return stats?.isFile() === true && refused === undefined;
}

/** The first executable with this name on the PATH; null where there is none. */
export function which(name: string): Promise<string | null> {
  // Not one that follows the working folder, which may be a stranger's repository.
  const folders = (environment()['PATH'] ?? '').split(path.delimiter).filter(path.isAbsolute);
  // With an empty path the library would take the real one.
  if (folders.length === 0) return Promise.resolve(null);
  return findOnPath(name, { path: folders.join(path.delimiter), nothrow: true });
}
