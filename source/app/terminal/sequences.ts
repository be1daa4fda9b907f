/**
 * Cuts what a terminal sends into pieces: characters, control bytes, and whole escape sequences, as
 * ECMA-48 and xterm's "ctlseqs" have them. A terminal is not believed: a sequence that nobody asked for is
 * one piece all the same, so that none of its letters is taken for a key.
 */

export type Piece =
  /** Printable characters, or one control byte; for the key parser. */
  | { readonly kind: 'text'; readonly text: string }
  /** ESC and one more character: a key with Alt. */
  | { readonly kind: 'alt'; readonly text: string }
  /** CSI: its parameters, and what ends it. */
  | { readonly kind: 'csi'; readonly text: string; readonly body: string; readonly final: string }
  /** SS3: a function key. */
  | { readonly kind: 'ss3'; readonly text: string }
  /** OSC, DCS, APC, PM, SOS: a text for us, such as a reply about colours. */
  | { readonly kind: 'string'; readonly text: string };

export interface Cut {
  readonly pieces: readonly Piece[];
  /** The begin of a sequence whose end has not come yet. */
  readonly rest: string;
}

/** A reply that never ends is not collected for ever; characters. */
const longestSequence = 100_000;

const csi = /^\x1b\[([\x30-\x3f]*[\x20-\x2f]*)([\x40-\x7e])/;
const csiBegun = /^\x1b\[[\x30-\x3f]*[\x20-\x2f]*$/;
/** The Linux console's F1 to F5. */
const consoleKey = /^\x1b\[\[[A-E]/;
const strings = /^\x1b[\]PX^_]/;
const stringEnd = /\x07|\x1b\\|\x18|\x1a/g;

export function cutSequences(text: string): Cut {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length) {
    const begin = text.indexOf('\x1b', at);
    if (begin !== at) {
      const end = begin < 0 ? text.length : begin;
      pushText(pieces, text.slice(at, end));
      at = end;
      continue;
    }
    // A sequence is short, but for strings: only so much is looked at.
    const ahead = text.slice(at, at + longestSequence);
    const piece = sequence(ahead);
    if (piece === null) return { pieces, rest: text.slice(at) };
    pieces.push(piece);
    at += piece.text.length;
  }
  return { pieces, rest: '' };
}

/** Control bytes stand alone, so that each is a key of its own. */
function pushText(pieces: Piece[], text: string): void {
  for (const part of text.match(/[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+/g) ?? []) {
    pieces.push({ kind: 'text', text: part });
  }
}

/** The sequence at the begin of a text; null while its end has not come. */
function sequence(text: string): Piece | null {
  if (text.length < 2) return null;
  if (text[1] === '[') {
    const console = consoleKey.exec(text)?.[0];
    if (console) return { kind: 'ss3', text: console };
    const whole = csi.exec(text);
    if (whole) {
      return { kind: 'csi', text: whole[0], body: whole[1] ?? '', final: whole[2] ?? '' };
    }
    if (csiBegun.test(text) || text === '\x1b[[') {
      return text.length < longestSequence ? null : { kind: 'string', text };
    }
    // No sequence after all: what has begun like one is dropped, what follows is not.
    const begun = /^\x1b\[[\x30-\x3f]*[\x20-\x2f]*/.exec(text)?.[0] ?? '\x1b[';
    return begun === '\x1b[' ? { kind: 'alt', text: begun } : { kind: 'string', text: begun };
  }
  if (text[1] === 'O') {
    if (text.length < 3) return null;
    return /^\x1bO[\x40-\x7e]/.test(text)
      ? { kind: 'ss3', text: text.slice(0, 3) }
      : { kind: 'alt', text: '\x1bO' };
  }
  if (strings.test(text)) {
    stringEnd.lastIndex = 2;
    const end = stringEnd.exec(text);
    if (end) return { kind: 'string', text: text.slice(0, end.index + end[0].length) };
    return text.length < longestSequence ? null : { kind: 'string', text };
  }
  // Two Esc are two keys, and the second one may begin a sequence.
  if (text[1] === '\x1b') return { kind: 'text', text: '\x1b' };
  const character = String.fromCodePoint(text.codePointAt(1) as number);
  return { kind: 'alt', text: `\x1b${character}` };
}

/** A key as CSI-u (kitty's protocol, xterm's formatOtherKeys) or modifyOtherKeys tells it. */
export interface ModifiedKey {
  readonly name: string;
  readonly text: string;
  /** The bytes of a terminal that knows nothing of all this. */
  readonly legacy: string;
}

const namedCodes: Readonly<Record<number, readonly [name: string, bytes: string]>> = {
  9: ['tab', '\t'],
  13: ['enter', '\r'],
  27: ['esc', '\x1b'],
  32: ['space', ' '],
  127: ['backspace', '\x7f'],
  57414: ['enter', '\r'],
  57417: ['left', '\x1b[D'],
  57418: ['right', '\x1b[C'],
  57419: ['up', '\x1b[A'],
  57420: ['down', '\x1b[B'],
  57421: ['pageup', '\x1b[5~'],
  57422: ['pagedown', '\x1b[6~'],
  57423: ['home', '\x1b[H'],
  57424: ['end', '\x1b[F'],
  57426: ['delete', '\x1b[3~'],
};

/** Kitty's codes of the keypad's digits and operators, from 57399 on. */
const keypad = '0123456789./*-+';

const release = 3;

/** What a CSI sequence of that kind is for a key; null for one that is none, such as a key's release. */
export function modifiedKey({ body, final }: { readonly body: string; readonly final: string }) {
  const groups = body.split(';').map((group) => group.split(':').map((one) => Number(one || 0)));
  const isOther = final === '~' && groups[0]?.[0] === 27 && groups.length === 3;
  if (final !== 'u' && !isOther) return null;
  const [code = 0, shifted = 0] = (isOther ? groups[2] : groups[0]) ?? [];
  const [modifiers = 1, event = 1] = groups[1] ?? [];
  if (event === release) return null;
  const bits = Math.max(0, (modifiers || 1) - 1);
  return keyOfCode(code, shifted, {
    shift: (bits & 1) > 0,
    alt: (bits & 2) > 0,
    ctrl: (bits & 4) > 0,
  });
}

interface Modifiers {
  readonly shift: boolean;
  readonly alt: boolean;
  readonly ctrl: boolean;
}

function keyOfCode(code: number, shifted: number, modifiers: Modifiers): ModifiedKey | null {
  const { shift, alt, ctrl } = modifiers;
  const prefix = `${ctrl ? 'ctrl+' : ''}${alt ? 'alt+' : ''}`;
  const named = namedCodes[code];
  if (named) {
    const [name, bytes] = named;
    return {
      name: `${prefix}${shift && name !== 'space' ? 'shift+' : ''}${name}`,
      text: name === 'space' && prefix === '' ? ' ' : '',
      legacy: name === 'tab' && shift ? '\x1b[Z' : `${alt ? '\x1b' : ''}${bytes}`,
    };
  }
  const onKeypad = keypad[code - 57399];
  const valid = code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xf900);
  if (onKeypad === undefined && !valid) return null;
  const lower = onKeypad ?? String.fromCodePoint(code);
  const upper = shifted > 32 && shifted <= 0x10ffff ? String.fromCodePoint(shifted) : null;
  const character = shift ? (upper ?? lower.toUpperCase()) : lower;
  if (prefix === '') return { name: character, text: character, legacy: character };
  const control = ctrl ? controlOf(lower) : null;
  return {
    name: `${prefix}${ctrl ? lower.toLowerCase() : character}`,
    text: '',
    legacy: `${alt ? '\x1b' : ''}${control ?? character}`,
  };
}

/** The byte that Ctrl makes of a character; null where there is none. */
function controlOf(character: string): string | null {
  const code = character.toUpperCase().charCodeAt(0);
  if (character === '?') return '\x7f';
  return code >= 64 && code < 96 ? String.fromCharCode(code - 64) : null;
}

/** CSI sequences that are keys: arrows, Home, End, F1 to F4, Shift-Tab, and those with a number. */
const keyFinals = /^[ABCDEFHPQRSZ~]$/;

/** Whether a CSI sequence is a key that every terminal sends so. */
export function isLegacyKey({ body, final }: { readonly body: string; readonly final: string }) {
  if (!keyFinals.test(final) || !/^[\d;]*$/.test(body)) return false;
  // A report of the cursor's place looks like F3 with a modifier.
  if (final === 'R') return body === '' || /^1;\d+$/.test(body);
  return final !== '~' || body !== '';
}

/** A key with kitty's event type: pressed or repeated is the key, released is none. */
export function withoutEventType(body: string): string | null {
  const event = /^(\d*;\d+):(\d)$/.exec(body);
  if (!event) return body;
  return Number(event[2]) === release
    ? null
    : (event[1] ?? '').replace(/^(\d*);1$/, (_, n) => (n === '1' ? '' : n));
}
