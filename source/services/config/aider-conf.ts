import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What an Aider configuration file says of the project's tests. */
export interface AiderConf {
  readonly path: string;
  /** The text as it is on disk: what trust is given to. */
  readonly text: string;
  /** Its `test-cmd`. */
  readonly testCmd: string;
}

/** The test command of `.aider.conf.yml` in a folder; null when there is none, or the file is no YAML. */
export async function readAiderConf(folder: string): Promise<AiderConf | null> {
  const file = path.join(folder, '.aider.conf.yml');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  // Loaded where there is such a file.
  const { parse } = await import('yaml');
  try {
    const value: unknown = parse(text);
    const testCmd = (value as { 'test-cmd'?: unknown } | null)?.['test-cmd'];
    const single = Array.isArray(testCmd) && testCmd.length === 1 ? testCmd[0] : testCmd;
    return typeof single === 'string' && single.trim() !== ''
      ? { path: file, text, testCmd: single.trim() }
      : null;
  } catch {
    // Aider says itself what is wrong with its file.
    return null;
  }
}
