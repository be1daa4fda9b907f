import type { AttemptExit } from '../../../core/agent/evidence.js';
import { readEnd } from '../../files/read-part.js';
import { type ChatFacts, readChat } from './chat-history.js';
import { asFlaw, checkReply, lastReply } from './reply-check.js';

/** Of a very long reply only the end is read, where Aider says what it edited; bytes. */
const mostBytes = 1024 * 1024;

/** What the chat history tells since `from`, a size in bytes; nothing when it cannot be read. */
export function readChatSince(file: string, from: number): ChatFacts {
  return readChat(readEnd(file, mostBytes, from)?.toString('utf8') ?? '');
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
  const reply = lastReply(readEnd(file, mostReply)?.toString('utf8') ?? '');
  if (reply === null) return { edits: true, flaw: null };
  const found = checkReply(reply, format, files, worktree, fence);
  return { edits: /^```|^<{5,9} SEARCH/m.test(reply), flaw: found && asFlaw(found) };
}
