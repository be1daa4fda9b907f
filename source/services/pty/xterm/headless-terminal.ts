import { CoreTerminal } from 'common/CoreTerminal';
import { BufferNamespaceApi } from 'common/public/BufferNamespaceApi';
import { UnicodeV11 } from 'unicode11/UnicodeV11';
import type { HeadlessOptions, XtermBuffer, XtermMarker, XtermTerminal } from './xterm.js';

/** What a line is made of: its cells, and what does not fit into them. */
interface LineInside {
  readonly _data: Uint32Array;
  readonly _combined: object;
  readonly _extendedAttrs: object;
}

/** How far the parser is within a sequence or a character; 0 where it is in none. */
interface ParserInside {
  readonly _parser: { readonly currentState: number };
  readonly _utf8Decoder: { readonly interim: Uint8Array };
}

function hasAny(object: object): boolean {
  for (const _ in object) return true;
  return false;
}

/**
 * xterm.js without a browser, as `@xterm/headless` is, on the sources with our patches. What differs is that
 * bytes are parsed at once: `write` parses in a timer of its own, up to 12 ms for each terminal, and so would
 * hold up keys while many agents print.
 */
export class HeadlessTerminal extends CoreTerminal implements XtermTerminal {
  private readonly buffersApi: BufferNamespaceApi;
  trimmed = 0;

  constructor({ cols, rows, scrollback }: HeadlessOptions) {
    super({ cols, rows, scrollback, logLevel: 'off' });
    this.unicodeService.register(new UnicodeV11());
    this.unicodeService.activeVersion = '11';
    this._setup();
    this._register(this._inputHandler.onRequestReset(() => this.reset()));
    this.buffersApi = this._register(new BufferNamespaceApi(this));
    this.countTrimmed();
  }

  /** A reset makes new buffers. */
  private countTrimmed(): void {
    this._register(
      this.buffers.normal.lines.onTrim((rows) => {
        this.trimmed += rows;
      }),
    );
  }

  parse(bytes: Uint8Array): void {
    // It gives a promise only for handlers that do, and there are none.
    this._inputHandler.parse(bytes);
  }

  get isBetween(): boolean {
    const { _parser, _utf8Decoder } = this._inputHandler as unknown as ParserInside;
    return _parser.currentState === 0 && _utf8Decoder.interim[0] === 0;
  }

  get buffer(): XtermBuffer {
    // Its lines and cells have more than upstream's interface tells of.
    return this.buffersApi.active as XtermBuffer;
  }

  get modes(): XtermTerminal['modes'] {
    const { bracketedPasteMode, applicationCursorKeys } = this.coreService.decPrivateModes;
    return {
      bracketedPaste: bracketedPasteMode,
      applicationCursor: applicationCursorKeys,
      cursorHidden: this.coreService.isCursorHidden,
    };
  }

  onAnswer(listener: (answer: string) => void): void {
    this._register(this.onData(listener));
  }

  ignoreEscape(intermediates: string, final: string): void {
    this._register(this.registerEscHandler({ intermediates, final }, () => true));
  }

  usedCells(y: number): number {
    return this.buffers.active.lines.get(y)?.getNoBgTrimmedLength() ?? 0;
  }

  rowCells(y: number): Uint32Array | null {
    const line = this.buffers.active.lines.get(y) as unknown as LineInside | undefined;
    if (!line || hasAny(line._combined) || hasAny(line._extendedAttrs)) return null;
    return line._data;
  }

  markerAt(row: number): XtermMarker | null {
    const { active, normal } = this.buffers;
    return active === normal ? normal.addMarker(row) : null;
  }

  override resize(cols: number, rows: number): void {
    if (cols !== this.cols || rows !== this.rows) super.resize(cols, rows);
  }

  override reset(): void {
    this._setup();
    super.reset();
    this.countTrimmed();
  }
}
