import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import { untilQuiet } from '../../source/services/machine/processes-below.js';
import type { ModelServer } from '../../source/services/model-server/model-server.js';
import { wholeEdit } from '../../source/services/model-server/script.js';
import { patience } from '../eventually.js';
import { modelServer, type World, world } from '../rig.js';
import { lineWriter } from '../stand-in-aider.js';

/** Runs that a test kills at random moments. */

export const tasks = [
  { id: 'T1', title: 'One', files: ['a.txt'] },
  { id: 'T2', title: 'Two', files: ['b.txt'] },
  { id: 'T3', title: 'Three', files: ['c.txt'], depends_on: ['T1'] },
];

/** What the tasks are about, before. */
export const startFiles = { 'a.txt': '1\n', 'b.txt': '1\n', 'c.txt': '1\n' };

export type Agents = 'a stand-in' | 'real Aider';

/** Agents that append a line to each of their files; with the model of those that have one. */
export async function worldOf(
  name: Agents,
): Promise<{ readonly where: World; readonly server: ModelServer | null }> {
  if (name === 'a stand-in') return { where: lineWriter(0.25), server: null };
  const rules = Object.entries({ One: 'a.txt', Two: 'b.txt', Three: 'c.txt' });
  const server = await modelServer(
    rules.map(([title, file]) => ({
      when: `Task: ${title}`,
      replies: [{ text: wholeEdit(file, '1\nby an agent\n'), delayMs: 300 }],
    })),
  );
  const where = world(server);
  const aiderFlags = [...where.aiderFlags, '--model', 'openai/scripted'];
  return { where: { ...where, aiderFlags }, server };
}

/** Whether such agents can run here. */
export function canRun(name: Agents): boolean {
  return name === 'a stand-in' || inject('aider') !== null;
}

/** Moments below `most` milliseconds: random, and the same for the same seed (Mulberry32). */
export function randomMoments(seed: number, count: number, most: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * most);
  });
}

/**
 * Waits for what a program that was killed had started, such as git making a worktree: it ends by itself a moment
 * later, and changes what is there until then.
 */
export async function settled(repo: string, where: World): Promise<void> {
  await untilQuiet(repo, patience);
  await untilQuiet(where.home, patience);
}

/** Worktrees of ours that are still there, absolute. */
export function worktreesLeft(where: World): string[] {
  return left(where, /(^|\/)\.git$/).map((file) => path.dirname(file));
}

/** What is kept of worktrees, which may hold what a `.env` held. */
export function keptLeft(where: World): string[] {
  return left(where, /agent\d+\.json$/);
}

function left({ home }: World, pattern: RegExp): string[] {
  const folder = path.join(home, 'cache/aider-orchestrator/worktrees');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => path.join(folder, name));
}
