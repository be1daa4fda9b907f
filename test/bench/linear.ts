import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readChatSince, readLastReply } from '../../source/services/agents/aider/chat-tail.js';
import { inputs, readers } from '../linear-readers.js';

/** The longest that each reader of others' text takes for a megabyte of what patterns stumble over. */
const all = inputs();
for (const [name, read] of Object.entries(readers)) {
  let longest = 0;
  let what = '';
  for (const input of all) {
    const ms = shortest(() => read(input));
    if (ms > longest) [longest, what] = [ms, JSON.stringify(input.slice(0, 24))];
  }
  console.log(`${name.padEnd(18)} ${longest.toFixed(0).padStart(6)} ms  ${what}`);
}

// What is read when an agent's attempt ends, of a reply of 20 MB: keys wait for as long.
const folder = mkdtempSync(path.join(tmpdir(), 'reply-'));
const file = path.join(folder, 'replies.txt');
let longest = 0;
for (const line of ['', 'x = 1', '```', '- a.py', '<<<<<<< SEARCH']) {
  const reply = `ASSISTANT ${line}\n`.repeat(20e6 / (line.length + 11));
  writeFileSync(file, `LLM RESPONSE 2026-01-01T00:00:00\n${reply}`);
  for (const format of ['diff', 'whole']) {
    const ms = shortest(() => [
      readLastReply(file, format, ['a.py'], folder, 0),
      readChatSince(file, 0),
    ]);
    longest = Math.max(longest, ms);
  }
}
rmSync(folder, { recursive: true });
console.log(`a reply of 20 MB   ${longest.toFixed(0).padStart(6)} ms  read when an attempt ends`);

/** Milliseconds; of a few times the shortest, as others of this machine take their turns too. */
function shortest(work: () => unknown): number {
  const times = Array.from({ length: 3 }, () => {
    const from = performance.now();
    work();
    return performance.now() - from;
  });
  return Math.min(...times);
}
