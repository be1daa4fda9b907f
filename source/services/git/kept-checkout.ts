import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { PrepareFrom } from '../../core/agent/agent.js';
import { refusalKinds } from '../../core/policy/fence.js';
import type { Inspection } from '../../core/run/run.js';
import { parseJson } from '../../core/text/parse-json.js';
import { unless, unreadable, writeWholeSoon } from '../files/private-files.js';
import { type Drift, driftSchema } from './drift.js';
import type { GuardMemory } from './worktree-guard.js';

/**
 * What a later program has to know of an agent's worktree, beside what lies in it: how it was before the attempt
 * under way, and what has been found of it. It is kept beside the worktrees, outside of the repository.
 */
export interface KeptCheckout {
  readonly worktree: string;
  readonly start: string;
  readonly from: PrepareFrom;
  /** The state before the attempt under way, a tree. */
  readonly checkpoint: string;
  /** How it was when it was made. */
  readonly guard: GuardMemory;
  /** What the set-up command made or changed: nobody's work. */
  readonly aside: readonly string[];
  /** Files that git would commit otherwise than they are, untouched as they are. */
  readonly drift: Drift | null;
  /** Entries of its index when it was made. */
  readonly count: number;
  /** What was found of an attempt before it was taken back, so that it is found once more. */
  readonly found: { readonly attempt: number; readonly refused: Inspection['refused'] } | null;
  /** What came of the last inspection. */
  readonly inspected: { readonly attempt: number; readonly inspection: Inspection } | null;
}

const refusal = z.object({ path: z.string(), why: z.enum(refusalKinds), undone: z.boolean() });
const change = z.object({
  path: z.string(),
  status: z.string(),
  added: z.number().nullable(),
  removed: z.number().nullable(),
});
const texts = z.array(z.string());
// Whoever wrote it: names that lead nowhere else, and objects that git takes for no option.
const object = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const special = z.record(z.string().regex(/^\.(aider|env)[^/]*$/i), z.string());
const gitFiles = z.record(
  z.string().regex(/^(config(\.worktree)?|(hooks|info)\/(?!\.{1,2}$)[^/]+)$/),
  z.string(),
);

/** A larger file is none of ours, bytes. */
const mostBytes = 64 * 1024 * 1024;

const schema = z.object({
  worktree: z.string(),
  start: object,
  from: z.object({
    onto: texts,
    round: z.number(),
    resume: z.string().nullable(),
    rework: z.string().nullable(),
  }),
  checkpoint: object,
  guard: z.object({
    gitLink: z.string(),
    commonDir: z.string(),
    special,
    siblings: texts,
    inSubmodules: z.record(z.string().regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))./), texts),
    gitFiles,
  }),
  aside: texts,
  drift: driftSchema.nullable(),
  count: z.number(),
  found: z.object({ attempt: z.number(), refused: z.array(refusal) }).nullable(),
  inspected: z
    .object({
      attempt: z.number(),
      inspection: z.object({
        diff: z.object({ files: z.array(change) }),
        changed: z.boolean(),
        substantial: z.boolean(),
        refused: z.array(refusal),
        tree: object,
        named: texts,
        unresolved: texts,
        failure: z.null(),
      }),
    })
    .nullable(),
});

function fileOf(worktrees: string, agent: number): string {
  return path.join(worktrees, `agent${agent}.json`);
}

/** Not to the disk at once, which takes long while a worktree is filled. Throws like `fs`. */
export function keepCheckout(worktrees: string, agent: number, kept: KeptCheckout): void {
  writeWholeSoon(fileOf(worktrees, agent), JSON.stringify(kept));
}

/** What is kept of an agent's worktree; null where nothing is, or nothing that can be read. */
export function readKept(worktrees: string, agent: number): KeptCheckout | null {
  const file = fileOf(worktrees, agent);
  const text = unless(unreadable, null, () => {
    const stats = lstatSync(file);
    return stats.isFile() && stats.size <= mostBytes ? readFileSync(file, 'utf8') : null;
  });
  const parsed = text === null ? null : schema.safeParse(parseJson(text));
  return parsed?.success ? parsed.data : null;
}

export function forgetKept(worktrees: string, agent: number): void {
  rmSync(fileOf(worktrees, agent), { force: true });
}

/** Removes what is kept of worktrees that are gone; it may hold what a `.env` held. */
export function forgetGone(worktrees: string): void {
  const names = unless(unreadable, [], () => readdirSync(worktrees));
  for (const name of names) {
    const agent = /^agent(\d+)\.json$/.exec(name)?.[1];
    if (agent === undefined) continue;
    if (!names.some((other) => other.startsWith(`agent${agent}-`))) {
      forgetKept(worktrees, Number(agent));
    }
  }
}
