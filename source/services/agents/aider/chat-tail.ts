import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { AttemptExit } from '../../../core/agent/evidence.js';
import { unless, unreadable } from '../../files/private-files.js';
import { type ChatFacts, readChat } from './chat-history.js';
import { asFlaw, checkReply, lastReply } from './reply-check.js';

/** Of a very long reply only the end is read, where Aider says what it edited; bytes. */
const mostBytes = 1024 * 1024;

/** What the chat history tells since `from`, a size in bytes; nothing when it cannot be read. */
export function readChatSince(file: string, from: number): ChatFacts {
  return readChat(endOf(file, mostBytes, from)?.toString('utf8') ?? '');
}

/** The last bytes of a file, at most those behind `from`; null when it cannot be read. */
function endOf(file: string, most: number, from = 0): Buffer | null {
  const handle = unless(unreadable, null, () => openSync(file, 'r'));
  if (handle === null) return null;
  try {
    const { size } = fstatSync(handle);
    const start = Math.max(from, size - most);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    readSync(handle, bytes, 0, bytes.length, start);
    return bytes;
  } finally {
    closeSync(handle);
  }
}

/** A longer reply is not looked at, bytes: no model's answer is, and keys would have to wait. */
const mostReply = 2 * 1024 * 1024;

/**
 * What is to be said of the edits of an attempt's last reply; nothing when it was not written down.
 * @param files the agent's files, relative to `worktree`
 * @param fence the fence that Aider reads, by its place in the list of them
 */
export function readLastReply(
  file: string,
  format: string,
  files: readonly string[],
  worktree: string,
  fence: number,
): Pick<AttemptExit, 'edits' | 'flaw'> {
  const reply = lastReply(endOf(file, mostReply)?.toString('utf8') ?? '');
  if (reply === null) return { edits: true, flaw: null };
  const found = checkReply(reply, format, files, worktree, fence);
  return { edits: /^```|^<{5,9} SEARCH/m.test(reply), flaw: found && asFlaw(found) };
}
