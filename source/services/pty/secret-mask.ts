import type { PtyProcess } from './pty-process.js';

/** Shorter secrets are words that stand in any text, bytes. */
const shortest = 8;

/** A secret is looked for by so many of its bytes, at its start and right behind that. */
const anchorLength = 4;

/** Between two characters of a secret so much may be a line's end and control sequences, bytes. */
const mostBetween = 64;

/** The beginning of what may be a secret waits so long for its rest, milliseconds. */
const holdMs = 100;

const star = 0x2a;

/** A process whose output, as anyone here gets it, has its secrets masked. */
export function withoutSecrets(process: PtyProcess, secrets: readonly string[]): PtyProcess {
  const mask = new SecretMask(secrets);
  if (mask.isIdle) return process;
  const listeners: ((bytes: Buffer) => void)[] = [];
  const emit = (bytes: Buffer) => {
    if (bytes.length > 0) for (const listener of listeners) listener(bytes);
  };
  let timer: NodeJS.Timeout | undefined;
  process.onData((bytes) => {
    clearTimeout(timer);
    emit(mask.next(bytes));
    if (mask.isHolding) timer = setTimeout(() => emit(mask.flush()), holdMs);
  });
  // Before those who are told of the end.
  process.onExit(() => {
    clearTimeout(timer);
    emit(mask.flush());
  });
  return { ...process, onData: (listener) => void listeners.push(listener) };
}

/**
 * Masks secrets in what a program prints, chunk by chunk, each byte by `*`, so that columns stay. A secret is
 * found also where it is broken over lines, has control sequences in it, or comes in several chunks: its
 * beginning is held back until more has come.
 *
 * Up to three of its characters get through when a chunk ends behind them (seven, where a line ends among
 * them): what is typed would be held up otherwise.
 */
export class SecretMask {
  private readonly secrets: readonly Buffer[];
  /** Bytes that were given out already and may begin a secret. */
  private before: Buffer = Buffer.alloc(0);
  /** Bytes that were not given out, as they may begin one. */
  private held: Buffer = Buffer.alloc(0);

  constructor(secrets: readonly string[]) {
    this.secrets = longEnough(secrets);
  }

  /** True when there is nothing to mask. */
  get isIdle(): boolean {
    return this.secrets.length === 0;
  }

  /** True while the beginning of what may be a secret waits for its rest. */
  get isHolding(): boolean {
    return this.held.length > 0;
  }

  /** What may be shown of the next bytes, and of those that were held. */
  next(chunk: Buffer): Buffer {
    const { before, held } = this;
    const first = before.length;
    const bytes = first + held.length === 0 ? chunk : Buffer.concat([before, held, chunk]);
    // The chunk is its giver's.
    let masked = bytes;
    let end = bytes.length;
    let keepFrom = end;
    for (const secret of this.secrets) {
      for (const { at, whole } of occurrences(bytes, secret)) {
        if (!whole) {
          keepFrom = Math.min(keepFrom, at[0] ?? 0);
          end = Math.max(first, keepFrom);
          continue;
        }
        if (masked === bytes) masked = Buffer.from(bytes);
        for (const index of at) masked[index] = star;
      }
    }
    keepFrom = Math.max(0, Math.min(keepFrom, end - anchorLength - mostBetween));
    this.before = Buffer.from(bytes.subarray(keepFrom, end));
    this.held = Buffer.from(bytes.subarray(end));
    return masked.subarray(first, end);
  }

  /** What was held, as nothing more comes, or not soon. The rest of a secret would still be masked. */
  flush(): Buffer {
    const { held } = this;
    if (held.length > 0) this.before = Buffer.concat([this.before, held]);
    this.held = Buffer.alloc(0);
    return held;
  }
}

/** Masks secrets in the bytes of a whole text, in place. @returns whether there was any */
export function maskBytes(bytes: Buffer, secrets: readonly string[]): boolean {
  let any = false;
  for (const secret of longEnough(secrets)) {
    for (const { at, whole } of occurrences(bytes, secret)) {
      if (!whole) continue;
      for (const index of at) bytes[index] = star;
      any = true;
    }
  }
  return any;
}

/** The same for a text. */
export function maskText(text: string, secrets: readonly string[]): string {
  const bytes = Buffer.from(text);
  return maskBytes(bytes, secrets) ? bytes.toString() : text;
}

/**
 * What an environment holds that is sent to providers, by the names of its variables. Paths, such as that of a
 * file with a token, are no secrets.
 */
export function providerSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = /(API_?KEY|ACCESS_KEY|TOKEN|SECRET|PASSWORD)$/i;
  return Object.entries(env).flatMap(([name, value]) =>
    value && names.test(name) && !value.startsWith('/') ? [value] : [],
  );
}

function longEnough(secrets: readonly string[]): Buffer[] {
  return [...new Set(secrets)]
    .map((one) => Buffer.from(one))
    .filter((one) => one.length >= shortest);
}

/** Where each byte of a secret stands, as far as the bytes go. */
interface Occurrence {
  readonly at: readonly number[];
  /** False when the bytes end in it. */
  readonly whole: boolean;
}

/** Each place where a secret stands. One of the two anchors is in one piece, wherever one line's end breaks it. */
function* occurrences(bytes: Buffer, secret: Buffer): Generator<Occurrence> {
  const [start, second] = [secret.subarray(0, anchorLength), secret.subarray(anchorLength, 8)];
  for (let hit = bytes.indexOf(start); hit >= 0; hit = bytes.indexOf(start, hit + 1)) {
    const found = follow(bytes, secret, hit);
    if (found) yield found;
  }
  for (let hit = bytes.indexOf(second); hit >= 0; hit = bytes.indexOf(second, hit + 1)) {
    // Where it stands right behind the first one, it was found by that.
    if (bytes.subarray(Math.max(0, hit - anchorLength), hit).equals(start)) continue;
    for (let from = hit - 1; from >= Math.max(0, hit - anchorLength - mostBetween); from--) {
      if (bytes[from] !== secret[0]) continue;
      const found = follow(bytes, secret, from);
      if (found?.at[anchorLength] === hit) yield found;
    }
  }
}

function follow(bytes: Buffer, secret: Buffer, from: number): Occurrence | null {
  const at: number[] = [];
  let next = from;
  for (const wanted of secret) {
    if (at.length > 0) next = behindBreak(bytes, next);
    if (next >= bytes.length) return { at, whole: false };
    if (bytes[next] !== wanted) return null;
    at.push(next);
    next += 1;
  }
  return { at, whole: true };
}

/** Where text goes on behind ends of lines and control sequences (CSI); the bytes' end when that cuts them off. */
function behindBreak(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && at < from + mostBetween) {
    const byte = bytes[at];
    if (byte === 0x0a || byte === 0x0d) at += 1;
    else if (byte === 0x1b && (bytes[at + 1] ?? 0x5b) === 0x5b) {
      at += 2;
      while (at < bytes.length && (bytes[at] ?? 0) < 0x40) at += 1;
      at += 1;
    } else break;
  }
  return Math.min(at, bytes.length);
}
