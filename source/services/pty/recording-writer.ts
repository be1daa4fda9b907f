import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { packageFile } from '../config/package-files.js';

/** Where the counters of the ring end and its records begin. */
const headerBytes = 64;
/** Of a record, before its bytes: length, descriptor and kind (32 bits each), and seconds (a double at 16). */
const recordBytes = 24;
const ringBytes = 1024 * 1024;

/** The most bytes of one record. */
export const mostBytes = 64 * 1024;

/** How long to wait for a disk that takes nothing, milliseconds; then nothing more is recorded. */
const patienceMs = 10_000;

/** Output is gathered for this long before it is written as one event, milliseconds. */
const gatherMs = 30;

const kinds = { output: 0, line: 1, close: 2 } as const;

/**
 * Hands what is to be recorded to a thread that writes it (`recording-worker.mjs`), through a ring of
 * shared memory: nothing is allocated, and a disk that is slower than the agents slows them down
 * instead of filling memory.
 *
 * `state[0]` counts the bytes put into the ring, `state[1]` those done with, both modulo 2^32. A record is
 * aligned to 8 bytes and never wraps; a length of -1 says that the next one is at the beginning.
 */
export class RecordingWriter {
  private readonly memory = new SharedArrayBuffer(headerBytes + ringBytes);
  private readonly state = new Int32Array(this.memory, 0, 2);
  private readonly view = new DataView(this.memory, headerBytes);
  private readonly ring = new Uint8Array(this.memory, headerBytes);
  private readonly problems: MessageChannel;
  private readonly worker: Worker;
  private readonly found = new Map<number, string>();
  private readonly waiting = new Set<() => void>();
  private timer: NodeJS.Timeout | null = null;
  private head = 0;
  private at = 0;
  private dead = false;

  constructor() {
    this.problems = new MessageChannel();
    const { port2: problems } = this.problems;
    this.worker = new Worker(packageFile('source/services/pty/recording-worker.mjs'), {
      workerData: { memory: this.memory, headerBytes, recordBytes, mostBytes, problems },
      transferList: [problems],
      // It needs next to nothing, and nothing of how this program was started.
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
      execArgv: [],
    });
    this.worker.on('error', () => {
      this.dead = true;
    });
    this.worker.unref();
    this.problems.port1.unref();
  }

  /** @param seconds since the beginning of the recording */
  output(fd: number, seconds: number, bytes: Uint8Array): void {
    this.put(fd, kinds.output, seconds, bytes);
  }

  line(fd: number, text: string): void {
    this.put(fd, kinds.line, 0, Buffer.from(text));
  }

  /** Closes a file after all that was written to it, and waits for that. */
  end(fd: number): void {
    this.put(fd, kinds.close, 0, new Uint8Array());
    this.settle();
    this.found.delete(fd);
  }

  /** What keeps a file from being written; null while all is well. Waits for all that was given. */
  problemOf(fd: number): string | null {
    this.settle();
    if (this.dead) return 'the thread that writes it has ended';
    for (;;) {
      const message = receiveMessageOnPort(this.problems.port1)?.message;
      if (!message) return this.found.get(fd) ?? null;
      this.found.set(message.fd, message.problem);
    }
  }

  /** Calls this soon; all that wait are called at once. */
  soon(flush: () => void): void {
    this.waiting.add(flush);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const all = [...this.waiting];
      this.waiting.clear();
      for (const one of all) one();
    }, gatherMs);
  }

  /** To be called when all files are closed. */
  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.settle();
    this.dead = true;
    this.problems.port1.close();
    void this.worker.terminate();
  }

  private put(fd: number, kind: number, seconds: number, bytes: Uint8Array): void {
    const needed = recordBytes + Math.ceil(bytes.length / 8) * 8;
    const rest = ringBytes - this.at;
    if (rest < needed) {
      if (!this.room(rest)) return;
      this.view.setInt32(this.at, -1, true);
      this.publish(rest);
    }
    if (!this.room(needed)) return;
    this.view.setInt32(this.at, bytes.length, true);
    this.view.setInt32(this.at + 4, fd, true);
    this.view.setInt32(this.at + 8, kind, true);
    this.view.setFloat64(this.at + 16, seconds, true);
    this.ring.set(bytes, this.at + recordBytes);
    this.publish(needed);
  }

  private publish(bytes: number): void {
    this.at = (this.at + bytes) % ringBytes;
    this.head = (this.head + bytes) | 0;
    Atomics.store(this.state, 0, this.head);
    Atomics.notify(this.state, 0);
  }

  private settle(): void {
    this.room(ringBytes);
  }

  /** Waits until so much of the ring is free. */
  private room(bytes: number): boolean {
    while (!this.dead) {
      const tail = Atomics.load(this.state, 1);
      if (ringBytes - ((this.head - tail) >>> 0) >= bytes) return true;
      if (Atomics.wait(this.state, 1, tail, patienceMs) === 'timed-out') this.dead = true;
    }
    return false;
  }
}
