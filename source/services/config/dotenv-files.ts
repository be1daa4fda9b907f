import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'dotenv';

/**
 * Reads `.env` of the repository and of the working folder into the environment. What is set already
 * is never overridden; the working folder's file comes before the repository's.
 */
export function loadDotenv(cwd: string, repo: string | null): void {
  const folders = repo === null || repo === cwd ? [cwd] : [cwd, repo];
  for (const folder of folders) {
    let text: Buffer;
    try {
      text = readFileSync(path.join(folder, '.env'));
    } catch {
      continue;
    }
    for (const [name, value] of Object.entries(parse(text))) {
      if (process.env[name] === undefined) process.env[name] = value;
    }
  }
}
