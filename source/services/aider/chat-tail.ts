import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type ChatFacts, readChat } from '../../core/chat-history.js';

/** Of a very long reply only the end is read, where Aider says what it edited; bytes. */
const mostBytes = 4 * 1024 * 1024;

/** What the chat history tells since `from`, a size in bytes; nothing when it cannot be read. */
export function readChatSince(file: string, from: number): ChatFacts {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return { edited: [], named: [] };
  }
  try {
    const { size } = fstatSync(handle);
    const start = Math.max(from, size - mostBytes);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    readSync(handle, bytes, 0, bytes.length, start);
    return readChat(bytes.toString('utf8'));
  } finally {
    closeSync(handle);
  }
}
