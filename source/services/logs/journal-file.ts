import { readFileSync, statSync } from 'node:fs';
import { type OnMessage, type ReadJournal, readJournal } from '../../core/run/journal.js';
import { hasCode } from '../files/private-files.js';

/** No run's journal is larger, bytes; a larger one could not be held as text. */
const mostBytes = 256 * 1024 * 1024;

/**
 * Reads the journal of a run, whoever wrote it.
 * @param stamp the run that it has to be of
 * @param onMessage told of each message, with the states after and before it
 */
export function readJournalFile(file: string, stamp: string, onMessage?: OnMessage): ReadJournal {
  let text: string;
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return { state: 'unreadable', why: 'it is no file' };
    if (stats.size > mostBytes) return { state: 'unreadable', why: 'it is too large' };
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return { state: 'empty' };
    if (hasCode(error, 'EACCES', 'EIO')) {
      return { state: 'unreadable', why: (error as Error).message };
    }
    throw error;
  }
  return readJournal(text, stamp, onMessage);
}
