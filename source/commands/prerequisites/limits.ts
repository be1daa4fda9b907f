import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { faultMend } from '../../core/policy/machine-fault.js';
import { missing, type Prerequisite, present, warning } from '../../core/policy/prerequisite.js';
import { cacheFolder, trustFile } from '../../services/config/folders.js';
import { hasCode } from '../../services/files/private-files.js';
import { softLimit } from '../../services/machine/confirm-fault.js';
import type { Asked } from './asked.js';

/** What this program holds open by itself, and for each agent: terminal, recording, logs, pipes of git. */
const ownFiles = 90;
const filesPerAgent = 12;

/** Its own threads and shells, and for each agent: Aider with its threads, git. */
const ownProcesses = 30;
const processesPerAgent = 12;

/** With fewer a run makes no worktree. */
const leastInodes = 200;

/** So many agents a limit of the machine is held against; more are a wish, not a need. */
const mostSlots = 8;

/** What the machine lacks for agents: open files, processes, the least of space. */
export function limits({ repository, options, agents }: Asked): Prerequisite[] {
  if (!options.ok || !agents) return [];
  const slots = Math.min(options.value.maxAgents, mostSlots);
  const lacking: Prerequisite[] = [];
  const files = softLimit('Max open files');
  const needed = ownFiles + filesPerAgent * slots;
  if (files !== null && files < needed) {
    const what = `open files: the limit is ${files}, and ${slots} agents need about ${needed}`;
    lacking.push(missing('limits', what, faultMend('descriptors')));
  }
  const processes = softLimit('Max processes');
  const many = ownProcesses + processesPerAgent * slots;
  // The limit of root is none.
  if (processes !== null && processes < many && process.getuid?.() !== 0) {
    const what = `processes: the limit is ${processes}, and ${slots} agents need about ${many}`;
    lacking.push(missing('limits', what, faultMend('processes')));
  }
  for (const folder of [rootOf(repository), existingAbove(cacheFolder())]) {
    const { files: all, ffree, bavail, bsize } = statfsSync(folder);
    if ((all > 0 && ffree < leastInodes) || bavail * bsize < 1024 * 1024) {
      lacking.push(missing('disk', `no space on the disk of ${folder}`, faultMend('disk_full')));
    }
  }
  return lacking;
}

function rootOf(repository: Asked['repository']): string {
  return repository.ok ? repository.value.root : process.cwd();
}

export async function disk({ repository }: Asked): Promise<Prerequisite[]> {
  const stats = await statfs(rootOf(repository));
  const gigabytes = (stats.bavail * stats.bsize) / 1e9;
  const text = `${gigabytes.toFixed(1)} GB free`;
  return [
    gigabytes > 1
      ? present('disk', text)
      : warning('disk', text, 'Each agent needs a copy of the checkout; free some space'),
  ];
}

function existingAbove(folder: string): string {
  let above = folder;
  while (!existsSync(above)) above = path.dirname(above);
  return above;
}

/** Whether the folders can be written to that we write to; else with the variable that names another one. */
export function folders({ repository, agents }: Asked): Prerequisite[] {
  if (!agents) return [];
  const places: readonly (readonly [folder: string, mend: string])[] = [
    [path.dirname(trustFile()), 'Set HOME or XDG_DATA_HOME to a folder that you can write to'],
    [cacheFolder(), 'Set HOME or XDG_CACHE_HOME to a folder that you can write to'],
    ...(repository.ok
      ? [
          [
            path.join(repository.value.root, '.aider_logs'),
            'Make the checkout writable for you',
          ] as const,
        ]
      : []),
  ];
  const closed = places.filter(([folder]) => !canWrite(existingAbove(folder)));
  if (closed.length === 0) return [present('folders', 'all that is written to can be written')];
  return closed.map(([folder, mend]) => missing('folders', `${folder} cannot be written`, mend));
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
