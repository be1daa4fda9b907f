import { EventEmitter } from 'node:events';
import { emitKeypressEvents, type Key as NodeKey } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import { unreachable } from '../../core/result.js';
import {
  cutSequences,
  isLegacyKey,
  modifiedKey,
  type Piece,
  withoutEventType,
} from './sequences.js';

/** A key, by the name the key table uses: `a`, `A`, `ctrl+c`, `shift+tab`, `enter`, `up`, `f1`, … */
export interface KeyPress {
  readonly name: string;
  /** The text it types; '' for keys that type none. */
  readonly text: string;
  /** The bytes of it, as every program knows them. */
  readonly sequence: string;
}

export interface MouseEvent {
  readonly kind: 'press' | 'release' | 'drag' | 'wheel_up' | 'wheel_down';
  readonly button: number;
  /** From 0. */
  readonly x: number;
  readonly y: number;
}

export interface InputListener {
  key(key: KeyPress): void;
  paste(text: string): void;
  mouse(event: MouseEvent): void;
  /** Whether text is being typed somewhere: then lines that come at once are a paste. */
  readonly takesText?: boolean;
}

/** Takes the keys as bytes. */
export type RawListener = (bytes: string) => void;

export const pasteStart = '\x1b[200~';
export const pasteEnd = '\x1b[201~';

/** Milliseconds after which a lone escape byte is the Esc key and not the begin of a sequence. */
const escapeMs = 40;
/** Milliseconds a sequence that has begun may take; then it is dropped. */
const sequenceMs = 500;
/** Milliseconds between the parts of a paste; then it has ended, whatever the terminal says. */
const pasteMs = 5000;

/** ESC and what begins a longer sequence. */
const begins = /^\x1b[[\]OPX^_]$/;

/** Some lines of text in one piece, from a terminal that does not mark what is pasted. */
const unmarkedPaste = /[^\x00-\x1f\x7f]{2}[\r\n]+[^\x00-\x1f\x7f]{2}/;

/**
 * Reads what a terminal sends. Keys go to Node's own key parser, one sequence at a time; mouse reports and
 * pastes are told apart; replies and whatever else is no key are dropped. In the raw mode all keys go to an agent, as bytes.
 */
export class Input {
  /** Hands a sequence to the parser at once, as a stream would not. */
  private readonly keys = new EventEmitter();
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';
  private timer: NodeJS.Timeout | null = null;
  private pasted: string[] | null = null;
  private raw: RawListener | null = null;
  private leaveKeys: ReadonlySet<string> = new Set();
  private parsed: KeyPress[] = [];

  constructor(private readonly listener: InputListener) {
    // Node's parser reads the timeout from an interface, of which it needs no more than this.
    emitKeypressEvents(this.keys as never, { escapeCodeTimeout: escapeMs } as never);
    this.keys.on('keypress', (text: string | undefined, key: NodeKey) => {
      const press = keyOf(text, key);
      if (press) this.parsed.push(press);
    });
  }

  /**
   * All that is typed goes to the listener, as bytes, until null is set or one of the keys comes that leave
   * the mode; that one is told as a key.
   */
  setRaw(listener: RawListener | null, leaveKeys: readonly string[] = []): void {
    this.raw = listener;
    this.leaveKeys = new Set(leaveKeys);
  }

  isLeaveKey({ name }: KeyPress): boolean {
    return this.leaveKeys.has(name);
  }

  feed(chunk: Buffer): void {
    const decoded = this.decoder.write(chunk);
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.read(this.rest + decoded);
  }

  private read(given: string): void {
    this.rest = '';
    let text = given;
    while (text !== '') {
      if (this.pasted !== null) text = this.readPaste(text);
      else {
        const start = text.indexOf(pasteStart);
        const before = start < 0 ? text : text.slice(0, start);
        const { pieces, rest } = cutSequences(before);
        this.takeAll(before, pieces);
        if (start < 0) {
          this.rest = rest;
          text = '';
        } else {
          // A sequence that another one breaks off never ends.
          this.pasted = [];
          text = text.slice(start + pasteStart.length);
        }
      }
    }
    this.wait();
  }

  private readPaste(text: string): string {
    const end = text.indexOf(pasteEnd);
    if (end >= 0) {
      this.pasted?.push(text.slice(0, end));
      this.endPaste();
      return text.slice(end + pasteEnd.length);
    }
    // The mark may be cut between two chunks.
    const begun = /\x1b(?:\[(?:2(?:0(?:1)?)?)?)?$/.exec(text)?.[0] ?? '';
    this.pasted?.push(text.slice(0, text.length - begun.length));
    this.rest = begun;
    return '';
  }

  private endPaste(): void {
    const pasted = (this.pasted ?? []).join('');
    this.pasted = null;
    if (this.raw) this.raw(`${pasteStart}${pasted}${pasteEnd}`);
    else this.listener.paste(pasted.replace(/\r\n?/g, '\n'));
  }

  /** What has begun and does not go on is not waited for without end. */
  private wait(): void {
    if (this.pasted === null && this.rest === '') return;
    const alone = /^\x1b[^\x1b]?$/.test(this.rest) && this.pasted === null;
    const ms = this.pasted !== null ? pasteMs : alone ? escapeMs : sequenceMs;
    this.timer = setTimeout(() => {
      this.timer = null;
      const held = this.rest;
      this.rest = '';
      if (this.pasted !== null) {
        this.pasted.push(held);
        this.endPaste();
      } else if (held.length === 1) {
        this.take({ kind: 'text', text: held });
      } else if (held.length === 2) {
        this.take({ kind: 'alt', text: held });
      }
    }, ms);
  }

  private takeAll(text: string, pieces: readonly Piece[]): void {
    const isPaste =
      this.raw === null && this.listener.takesText === true && unmarkedPaste.test(text);
    if (isPaste && pieces.every((piece) => piece.kind === 'text')) {
      this.listener.paste(text.replace(/\r\n?/g, '\n'));
      return;
    }
    for (const piece of pieces) this.take(piece);
  }

  private take(piece: Piece): void {
    for (const press of this.pressesOf(piece)) {
      if (this.raw === null) this.listener.key(press);
      else if (this.isLeaveKey(press)) {
        // What follows it in the same moment is for us already.
        this.raw = null;
        this.listener.key(press);
      } else {
        this.raw(press.sequence);
      }
    }
  }

  private pressesOf(piece: Piece): readonly KeyPress[] {
    switch (piece.kind) {
      case 'string':
        return [];
      case 'csi':
        return this.pressesOfCsi(piece);
      case 'text':
        if (piece.text === '\x1b') return [{ name: 'esc', text: '', sequence: '\x1b' }];
        // Text for an agent needs no names.
        if (this.raw && piece.text > '\x1f' && piece.text !== '\x7f') {
          return [{ name: piece.text, text: piece.text, sequence: piece.text }];
        }
        return this.parse(piece.text);
      case 'alt':
        // These would make Node's parser wait for the rest of a sequence.
        if (begins.test(piece.text)) {
          return [{ name: `alt+${piece.text[1]}`, text: '', sequence: piece.text }];
        }
        return this.parseOne(piece.text);
      case 'ss3':
        return this.parseOne(piece.text);
      default:
        return unreachable(piece);
    }
  }

  private pressesOfCsi(piece: Piece & { readonly kind: 'csi' }): readonly KeyPress[] {
    const { body, final } = piece;
    if (body.startsWith('<')) {
      this.onMouse(body, final);
      return [];
    }
    const key = modifiedKey(piece);
    if (key) return [{ name: key.name, text: key.text, sequence: key.legacy }];
    const plain = withoutEventType(body);
    if (plain === null || !isLegacyKey({ body: plain, final })) return [];
    return this.parseOne(`\x1b[${plain}${final}`);
  }

  /** A key of one sequence, which an agent gets whole, whatever its name. */
  private parseOne(text: string): readonly KeyPress[] {
    const [press] = this.parse(text);
    if (press) return [{ ...press, sequence: text }];
    return this.raw ? [{ name: '', text: '', sequence: text }] : [];
  }

  /** What Node's parser makes of a whole sequence, or of text. */
  private parse(text: string): readonly KeyPress[] {
    this.parsed = [];
    this.keys.emit('data', text);
    return this.parsed;
  }

  private onMouse(body: string, final: string): void {
    const [code, x, y] = body.slice(1).split(';').map(Number);
    if (code === undefined || x === undefined || y === undefined) return;
    const button = code & 3;
    const kind =
      code & 64
        ? button === 0
          ? 'wheel_up'
          : button === 1
            ? 'wheel_down'
            : null
        : code & 32
          ? 'drag'
          : final === 'M'
            ? 'press'
            : 'release';
    if (kind && x >= 1 && y >= 1) this.listener.mouse({ kind, button, x: x - 1, y: y - 1 });
  }
}

const names: Record<string, string> = {
  return: 'enter',
  enter: 'enter',
  escape: 'esc',
  ' ': 'space',
};

/** Control bytes that are neither letters nor keys of their own. */
const controls: Record<string, string> = {
  '\x1c': 'ctrl+\\',
  '\x1d': 'ctrl+]',
  '\x1e': 'ctrl+^',
  '\x1f': 'ctrl+_',
  '\x00': 'ctrl+space',
  '\n': 'ctrl+j',
};

/** The name the key table uses; null for what is no key. */
export function keyOf(text: string | undefined, key: NodeKey): KeyPress | null {
  const { name, ctrl, meta, shift, sequence = '' } = key;
  const control = controls[sequence];
  if (control !== undefined) return { name: control, text: '', sequence };
  const typed = text !== undefined && !ctrl && !meta && /^\P{Cc}+$/u.test(text) ? text : '';
  if (typed !== '' && name !== 'space' && !(name && names[name]))
    return { name: typed, text: typed, sequence };
  if (name === undefined || name === 'undefined') return null;
  const plain = names[name] ?? name;
  const prefix = `${ctrl ? 'ctrl+' : ''}${meta && plain !== 'esc' ? 'alt+' : ''}${shift && plain.length > 1 ? 'shift+' : ''}`;
  return { name: prefix + plain, text: typed, sequence };
}
