/**
 * What the flooding agents print: lines as builds and agents print them, in 16, 256 and true colours,
 * the same bytes for the same seed.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

/** Mulberry32: a small generator of pseudo-random numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const words =
  'the parser reads a file and returns tokens while the cache holds every open handle until reload retry commit merge branch worktree agent result state screen buffer'.split(
    ' ',
  );

/** @param seed another one, other lines */
export function makeLines(seed: number): () => string {
  const next = random(seed);
  const pick = (count: number) => Math.floor(next() * count);
  const text = (count: number) =>
    Array.from({ length: count }, () => words[pick(words.length)]).join(' ');
  const kinds: (() => string)[] = [
    () => `\x1b[32m✓\x1b[0m ${text(4)} \x1b[2m(${pick(900)} ms)\x1b[0m`,
    () => `\x1b[31m✗ ${text(5)}\x1b[39m expected \x1b[1m${pick(99)}\x1b[22m, got ${pick(99)}`,
    () => `\x1b[32m+  const ${words[pick(words.length)]} = ${text(3)};\x1b[0m`,
    () => `\x1b[31m-  return ${text(4)};\x1b[0m`,
    () => `\x1b[36m@@ -${pick(900)},7 +${pick(900)},9 @@\x1b[0m ${text(2)}`,
    () =>
      `2026-11-24T10:${10 + pick(49)}:${10 + pick(49)}.${100 + pick(899)}Z \x1b[33mINFO\x1b[0m ${text(9)}`,
    () => `\x1b[38;5;${pick(256)}m${text(6)}\x1b[48;5;${pick(256)}m ${text(2)} \x1b[0m`,
    () => `\x1b[38;2;${pick(256)};${pick(256)};${pick(256)}m${text(12)}\x1b[0m`,
    () => `${text(20)} ${text(14)}`,
    () =>
      `  at ${words[pick(words.length)]} (\x1b[4msource/${text(1)}.ts:${pick(400)}\x1b[24m) 日本語`,
  ];
  return () => `${(kinds[pick(kinds.length)] as () => string)()}\r\n`;
}

/** The last line of an agent that has printed all. */
export const lastLine = (agent: number) => `END-OF-FLOOD-${agent}`;

/** Writes a file of this size, ended by its last line. @param agent from 0; also the seed */
export function writeFlood(file: string, agent: number, bytes: number): void {
  const line = makeLines(agent + 1);
  const end = `${lastLine(agent)}\r\n`;
  const fd = openSync(file, 'w');
  for (let left = bytes - end.length; left > 0; ) {
    let chunk = '';
    while (chunk.length < 65536 && chunk.length < left) chunk += line();
    left -= Buffer.byteLength(chunk);
    writeSync(fd, chunk);
  }
  writeSync(fd, end);
  closeSync(fd);
}
