import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { parseJson } from '../../core/text/parse-json.js';
import { unless, unreadable, writeWholeSoon } from '../files/private-files.js';
import { readRecordsIn } from './run-records.js';

/** Which files the runs of one repository are changing, each beside its record: so that they know of each other. */

const touchedSchema = z.object({ files: z.array(z.string()) });

function fileOf(record: string): string {
  return record.replace(/\.jsonl$/, '.touched.json');
}

/** @param record the run's own record. Throws like `fs` */
export function writeTouched(record: string, files: readonly string[]): void {
  writeWholeSoon(fileOf(record), JSON.stringify({ files }));
}

export function forgetTouched(record: string): void {
  rmSync(fileOf(record), { force: true });
}

/** Another run that goes, and what it changes. */
export interface Neighbour {
  readonly run: string;
  readonly files: ReadonlySet<string>;
}

/** The other runs of the repository that live. @param record the run's own record */
export function neighboursAtWork(record: string): Neighbour[] {
  const folder = path.dirname(record);
  const names = unless(unreadable, [], () => readdirSync(folder));
  const stamps = names.flatMap((name) => /^(\d{8}_\d{6})\.touched\.json$/.exec(name)?.[1] ?? []);
  const others = stamps.filter((stamp) => `${stamp}.jsonl` !== path.basename(record));
  if (others.length === 0) return [];
  const living = readRecordsIn(folder, others).filter(({ liveness }) => liveness === 'alive');
  return living.flatMap(({ stamp, file }) => {
    const text = unless(unreadable, '', () => readFileSync(fileOf(file), 'utf8'));
    const read = touchedSchema.safeParse(parseJson(text));
    return read.success ? [{ run: stamp, files: new Set(read.data.files) }] : [];
  });
}
