/**
 * Writes recordings in a thread of its own: what many agents print is escaped and written to disk beside
 * the thread that parses and draws it. Plain JavaScript, so that it can be started from the sources too.
 * The ring it reads is described in `recording-writer.ts`.
 */
import { isUtf8 } from 'node:buffer';
import { closeSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { memory, headerBytes, recordBytes, mostBytes, problems } = workerData;
const state = new Int32Array(memory, 0, 2);
const ringBytes = memory.byteLength - headerBytes;
const view = new DataView(memory, headerBytes);
const ring = Buffer.from(memory, headerBytes);

/** The second letter of JSON's short escapes; 1 for bytes that stand for themselves, 0 for all others. */
const escapes = new Uint8Array(256).fill(1);
escapes.fill(0, 0, 0x20);
for (const [byte, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\'].map((two) => [
  two.charCodeAt(0),
  two.charCodeAt(1),
])) {
  escapes[byte] = letter;
}
const digits = Buffer.from('0123456789abcdef');
/** An escape takes six bytes at most; the rest is the time and what stands around it. */
const out = Buffer.allocUnsafe(mostBytes * 6 + 100);
/** Files that could not be written to: nothing more of them is. */
const failed = new Set();

/** Escapes bytes for a JSON string; what is not ASCII passes through. Gives where it ends. */
function escapeTo(bytes, from) {
  let at = from;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    const letter = escapes[byte];
    if (letter === 1) out[at++] = byte;
    else {
      out[at++] = 0x5c;
      if (letter !== 0) out[at++] = letter;
      else {
        out[at++] = 0x75;
        out[at++] = 0x30;
        out[at++] = 0x30;
        out[at++] = digits[byte >> 4];
        out[at++] = digits[byte & 15];
      }
    }
  }
  return at;
}

/** An event of the output, as a line of JSON. */
function outputLine(seconds, bytes) {
  if (!isUtf8(bytes)) return Buffer.from(`${JSON.stringify([seconds, 'o', bytes.toString()])}\n`);
  const start = out.write(`[${seconds},"o","`, 'latin1');
  const end = escapeTo(bytes, start);
  return out.subarray(0, end + out.write('"]\n', end, 'latin1'));
}

function write(fd, text) {
  if (failed.has(fd)) return;
  try {
    // The kernel may take less than it was given, most of all when the disk is nearly full.
    for (let at = 0; at < text.length; ) at += writeSync(fd, text, at);
  } catch (error) {
    failed.add(fd);
    problems.postMessage({ fd, problem: error.message });
  }
}

function close(fd) {
  failed.delete(fd);
  try {
    closeSync(fd);
  } catch (error) {
    // There is nothing more to be done for it.
    problems.postMessage({ fd, problem: error.message });
  }
}

/** Does what a record says, and gives where the next one is. */
function take(at) {
  const length = view.getInt32(at, true);
  // The rest of the ring is too short for a record.
  if (length < 0) return 0;
  const fd = view.getInt32(at + 4, true);
  const bytes = ring.subarray(at + recordBytes, at + recordBytes + length);
  const kind = view.getInt32(at + 8, true);
  if (kind === 0) write(fd, outputLine(view.getFloat64(at + 16, true), bytes));
  else if (kind === 1) write(fd, bytes);
  else close(fd);
  return at + recordBytes + Math.ceil(length / 8) * 8;
}

for (let tail = 0, at = 0; ; ) {
  if (Atomics.load(state, 0) === tail) Atomics.wait(state, 0, tail);
  while (Atomics.load(state, 0) !== tail) {
    const next = take(at);
    tail = (tail + (next > at ? next - at : ringBytes - at)) | 0;
    at = next === ringBytes ? 0 : next;
    Atomics.store(state, 1, tail);
    Atomics.notify(state, 1);
  }
}
