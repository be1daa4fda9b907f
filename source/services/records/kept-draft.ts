import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { taskSchema } from '../../core/plan/plan.js';
import { parseJson } from '../../core/text/parse-json.js';
import { draftsFolder } from '../config/folders.js';
import { hasCode, unless, unreadable, writeWhole } from '../files/private-files.js';

/**
 * What was typed and made before a run, kept for the next start in the same checkout. It lies in the user's
 * data folder, readable by the user alone, and not in the repository, which could ship one.
 */
const draftSchema = z.object({
  version: z.literal(1),
  /** The checkout it is of. */
  root: z.string(),
  change: z.string(),
  prd: z.string(),
  tasks: z.array(taskSchema),
  model: z.string().nullable(),
  draftChange: z.string(),
  maxAgents: z.number().int().min(1),
});

export type StoredDraft = Omit<z.infer<typeof draftSchema>, 'version' | 'root'>;

function fileOf(root: string): string {
  const name = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 32);
  return path.join(draftsFolder(), `${name}.json`);
}

/** The draft of a checkout; null when there is none, or one that is damaged. */
export function readDraft(root: string): StoredDraft | null {
  const text = unless(unreadable, '', () => readFileSync(fileOf(root), 'utf8'));
  const parsed = draftSchema.safeParse(parseJson(text));
  return parsed.success && parsed.data.root === realpathSync(root) ? parsed.data : null;
}

/** @returns false where it could not be written */
export function writeDraft(root: string, draft: StoredDraft): boolean {
  try {
    const own = { version: 1, root: realpathSync(root), ...draft };
    writeWhole(fileOf(root), `${JSON.stringify(own)}\n`);
    return true;
  } catch (error) {
    // A draft that cannot be written must not stop anybody; that it is not there is said.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

export function forgetDraft(root: string): void {
  try {
    rmSync(fileOf(root), { force: true });
  } catch (error) {
    if (!hasCode(error, ...unreadable, 'EPERM', 'EROFS')) throw error;
  }
}
