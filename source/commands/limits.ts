import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import type { Must } from '../core/policy/failure.js';
import { faultMend } from '../core/policy/machine-fault.js';
import { cacheFolder, trustFile } from '../services/config/folders.js';
import { hasCode } from '../services/files/private-files.js';
import { softLimit } from '../services/machine/confirm-fault.js';

/** What this program holds open by itself, and for each agent: terminal, recording, logs, pipes of git. */
const ownFiles = 90;
const filesPerAgent = 12;

/** Its own threads and shells, and for each agent: Aider with its threads, git. */
const ownProcesses = 30;
const processesPerAgent = 12;

/** With fewer a run makes no worktree. */
const leastInodes = 200;

/** What the machine lacks for a run, said before any work. */
export function machineMusts(repo: string, maxAgents: number): Must[] {
  const missing: Must[] = [];
  const files = softLimit('Max open files');
  const needed = ownFiles + filesPerAgent * maxAgents;
  if (files !== null && files < needed) {
    const what = `open files: the limit is ${files}, and ${maxAgents} agents need about ${needed}`;
    missing.push({ what, mend: `Limit: ${faultMend('descriptors')}` });
  }
  const processes = softLimit('Max processes');
  const many = ownProcesses + processesPerAgent * maxAgents;
  // The limit of root is none.
  if (processes !== null && processes < many && process.getuid?.() !== 0) {
    const what = `processes: the limit is ${processes}, and ${maxAgents} agents need about ${many}`;
    missing.push({ what, mend: `Limit: ${faultMend('processes')}` });
  }
  for (const folder of [repo, existingAbove(cacheFolder())]) {
    const { files: all, ffree, bavail, bsize } = statfsSync(folder);
    if ((all > 0 && ffree < leastInodes) || bavail * bsize < 1024 * 1024) {
      missing.push({
        what: `space on the disk of ${folder}`,
        mend: `Disk: ${faultMend('disk_full')}`,
      });
    }
  }
  return missing;
}

function existingAbove(folder: string): string {
  let above = folder;
  while (!existsSync(above)) above = path.dirname(above);
  return above;
}

/** Folders that we write to and cannot, with the variable that names another one. */
export function closedFolders(
  repo: string | null,
): { readonly folder: string; readonly mend: string }[] {
  const places: readonly (readonly [folder: string, mend: string])[] = [
    [path.dirname(trustFile()), 'Set HOME or XDG_DATA_HOME to a folder that you can write to'],
    [cacheFolder(), 'Set HOME or XDG_CACHE_HOME to a folder that you can write to'],
    ...(repo === null
      ? []
      : [[path.join(repo, '.aider_logs'), 'Make the checkout writable for you'] as const]),
  ];
  return places.flatMap(([folder, mend]) =>
    canWrite(existingAbove(folder)) ? [] : [{ folder, mend }],
  );
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR')) return false;
    throw error;
  }
}
