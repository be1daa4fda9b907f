import path from 'node:path';
import { variable } from '../machine/environment.js';
import { LineFile } from './line-file.js';

/** Names the file that the debug log goes to. */
export const debugVariable = 'AIDER_ORCHESTRATOR_DEBUG';

/** Undefined before it was looked for; null where none is wanted. It is the process's, as its file is. */
let log: LineFile | null | undefined;

function open(): LineFile | null {
  const file = variable(debugVariable);
  if (file === null) return null;
  const problem = (text: string) => process.stderr.write(`The debug log has ended: ${text}\n`);
  return new LineFile(path.resolve(file), problem);
}

/** Whether a debug log is wanted. */
export function isDebugged(): boolean {
  if (log === undefined) log = open();
  return log !== null;
}

/**
 * Takes note of what the program does, one JSON object a line: `message`, `effect`, `git`, `frame`. No text that a
 * person or a model has written, and no command, goes into it.
 * @param ms what it took, milliseconds
 */
export function debugNote(
  what: 'message' | 'effect' | 'git' | 'frame',
  fields: Readonly<Record<string, unknown>>,
  ms: number | null = null,
): void {
  if (!isDebugged()) return;
  const took = ms === null ? {} : { ms: Math.round(ms * 1000) / 1000 };
  log?.append({ at: Date.now(), what, ...fields, ...took });
}
