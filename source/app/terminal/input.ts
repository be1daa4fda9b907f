import { emitKeypressEvents, type Key as NodeKey } from 'node:readline';
import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A key, by the name the key table uses: `a`, `A`, `ctrl+c`, `shift+tab`, `enter`, `up`, `f1`, … */
export interface KeyPress {
  readonly name: string;
  /** The text it types; '' for keys that type none. */
  readonly text: string;
  /** The bytes as the terminal sent them. */
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
}

/** Takes the keys as they are; gives back what it does not want, such as the key that leaves the mode. */
export type RawListener = (bytes: string) => void;

/** The key that leaves the mode in which all keys go to an agent: Ctrl-] as in telnet. */
export const leaveKey = '\x1d';

const mousePattern = /\x1b\[<(\d+);(\d+);(\d+)([Mm])/g;
const partialMouse = /\x1b(?:\[(?:<[\d;]*)?)?$/;
const pasteStart = '\x1b[200~';
const pasteEnd = '\x1b[201~';

/** Milliseconds after which a lone escape byte is the Esc key and not the begin of a sequence. */
const escapeMs = 40;

/**
 * Reads what a terminal sends: mouse reports are taken out, the rest goes to Node's own key parser; or,
 * in the raw mode, to an agent as it is.
 */
export class Input {
  private readonly keys = new PassThrough();
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';
  private restTimer: NodeJS.Timeout | null = null;
  private pasted: string | null = null;
  private raw: RawListener | null = null;

  constructor(private readonly listener: InputListener) {
    // Node's parser reads the timeout from an interface, of which it needs no more than this.
    emitKeypressEvents(this.keys, { escapeCodeTimeout: escapeMs } as never);
    this.keys.on('keypress', (text: string | undefined, key: NodeKey) => this.onKey(text, key));
  }

  /** All that is typed goes to the listener, as bytes, until null is set. */
  setRaw(listener: RawListener | null): void {
    this.raw = listener;
  }

  feed(chunk: Buffer): void {
    const given = this.rest + this.decoder.write(chunk);
    if (this.restTimer) clearTimeout(this.restTimer);
    this.restTimer = null;
    let text = given.replace(mousePattern, (_, code, x, y, final) => {
      this.onMouse(Number(code), Number(x) - 1, Number(y) - 1, final === 'M');
      return '';
    });
    // The begin of a report may wait for its end; a lone Esc does not wait long.
    this.rest = partialMouse.exec(text)?.[0] ?? '';
    if (this.rest !== '') {
      text = text.slice(0, -this.rest.length);
      this.restTimer = setTimeout(() => {
        const held = this.rest;
        this.rest = '';
        this.pass(held);
      }, escapeMs);
    }
    if (text !== '') this.pass(text);
  }

  private pass(text: string): void {
    if (this.raw) this.passRaw(text);
    else this.keys.write(text);
  }

  private passRaw(text: string): void {
    // Within a paste the leaving key is a byte like others.
    const inPaste = text.includes(pasteStart);
    const at = inPaste ? -1 : text.indexOf(leaveKey);
    if (at < 0) {
      this.raw?.(text);
      return;
    }
    if (at > 0) this.raw?.(text.slice(0, at));
    this.listener.key({ name: 'ctrl+]', text: '', sequence: leaveKey });
    const after = text.slice(at + 1);
    if (after !== '') this.pass(after);
  }

  private onKey(text: string | undefined, key: NodeKey): void {
    if (key.name === 'paste-start') {
      this.pasted = '';
    } else if (key.name === 'paste-end') {
      const pasted = this.pasted ?? '';
      this.pasted = null;
      this.listener.paste(pasted.replace(/\r\n?/g, '\n'));
    } else if (this.pasted !== null) {
      this.pasted += text ?? key.sequence ?? '';
    } else {
      const press = keyOf(text, key);
      if (press) this.listener.key(press);
    }
  }

  private onMouse(code: number, x: number, y: number, down: boolean): void {
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
          : down
            ? 'press'
            : 'release';
    if (kind) this.listener.mouse({ kind, button, x, y });
  }
}

const names: Record<string, string> = {
  return: 'enter',
  enter: 'enter',
  escape: 'esc',
  ' ': 'space',
};

/** The name the key table uses; null for what is no key. */
export function keyOf(text: string | undefined, key: NodeKey): KeyPress | null {
  const { name, ctrl, meta, shift, sequence = '' } = key;
  if (sequence === leaveKey) return { name: 'ctrl+]', text: '', sequence };
  if (sequence === '\n') return { name: 'ctrl+j', text: '', sequence };
  const typed = text !== undefined && !ctrl && !meta && /^\P{Cc}+$/u.test(text) ? text : '';
  if (typed !== '' && name !== 'space' && !(name && names[name]))
    return { name: typed, text: typed, sequence };
  if (name === undefined) return null;
  const plain = names[name] ?? name;
  const prefix = `${ctrl ? 'ctrl+' : ''}${meta && plain !== 'esc' ? 'alt+' : ''}${shift && plain.length > 1 ? 'shift+' : ''}`;
  return { name: prefix + plain, text: typed, sequence };
}

export { pasteEnd, pasteStart };
