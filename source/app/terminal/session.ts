import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { copyWay } from './clipboard.js';

/**
 * The terminal while the screen has it: alternate screen, raw keys, mouse, bracketed paste, title.
 * Whatever way the program goes out, the terminal is given back as it was.
 */

export interface SessionOptions {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly mouse: boolean;
  /** How a person is called: the bell, a desktop notification (OSC 9) with it, or not at all. */
  readonly notify: 'bell' | 'osc9' | 'off';
  /** Tells which clipboard there is. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

// Without autowrap (7) a line that is wider to the terminal than to us is cut, and tears nothing.
const enterScreen = '\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l\x1b[?7l\x1b[?2004h';
const leaveScreen = '\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l';
// Press, release and drag, with coordinates beyond 223 (SGR).
const mouseOn = '\x1b[?1000h\x1b[?1002h\x1b[?1006h';
const mouseOff = '\x1b[?1006l\x1b[?1002l\x1b[?1000l';
// XTWINOPS: the terminal keeps its title, and gives it back.
const pushTitle = '\x1b[22;0t';
const popTitle = '\x1b[23;0t';

export class TerminalSession {
  private entered = false;
  private title = '';
  private held: string[] = [];
  private readonly writeError = process.stderr.write;
  private readonly onExit = () => this.leaveNow();
  private errorsTaken = false;
  private ended = false;

  constructor(private readonly options: SessionOptions) {}

  get active(): boolean {
    return this.entered;
  }

  enter(): void {
    if (this.entered) return;
    this.entered = true;
    const { stdin, stdout, mouse } = this.options;
    stdin.setRawMode(true);
    stdin.resume();
    stdout.write(`${pushTitle}${enterScreen}${mouse ? mouseOn : ''}${this.titleSequence()}`);
    process.on('exit', this.onExit);
    this.holdErrors();
  }

  /** Gives the terminal back; what was said on standard error meanwhile is said now. */
  leave(): void {
    if (!this.entered) return;
    this.leaveNow();
  }

  private leaveNow(): void {
    if (!this.entered) return;
    this.entered = false;
    process.off('exit', this.onExit);
    const { stdin, stdout, mouse } = this.options;
    const bytes = `${mouse ? mouseOff : ''}${leaveScreen}${popTitle}`;
    // Synchronously: this may be the last moment of the program.
    writeAll((stdout as WriteStream & { readonly fd: number }).fd, bytes);
    try {
      stdin.setRawMode(false);
    } catch {
      // The terminal itself is gone.
    }
    stdin.pause();
    this.giveErrors();
  }

  /**
   * Lends the terminal to another program (an editor, a pager, a shell) and takes it again after.
   * On a signal meanwhile the terminal is whole already, as ours is not on it.
   */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.leave();
    const result = await work();
    if (!this.ended) this.enter();
    return result;
  }

  /** What it is lent to is about to be ended: the terminal is not taken again. */
  giveUp(): void {
    this.ended = true;
  }

  /** After a program that was ended in the middle: its modes go, and ours do not come again. */
  repair(): void {
    const { stdin, stdout } = this.options;
    // Raw and back: the terminal's own settings are those from before the first time.
    stdin.setRawMode(true);
    stdin.setRawMode(false);
    writeAll((stdout as WriteStream & { readonly fd: number }).fd, leaveScreen);
  }

  setTitle(title: string): void {
    if (title === this.title) return;
    this.title = title;
    if (this.entered) this.options.stdout.write(this.titleSequence());
  }

  private titleSequence(): string {
    return this.title === '' ? '' : `\x1b]2;${clean(this.title)}\x07`;
  }

  /** Calls the person: something waits for them. */
  ring(text: string): void {
    const { notify, stdout } = this.options;
    if (notify === 'off' || !this.entered) return;
    stdout.write(notify === 'osc9' ? `\x07\x1b]9;${clean(text)}\x07` : '\x07');
  }

  /** Puts a text on a clipboard, and says what is known of that. */
  async copy(text: string): Promise<string> {
    const { sequence, words } = await copyWay(text, this.options.env);
    if (sequence !== '' && this.entered) this.options.stdout.write(sequence);
    return words;
  }

  /** Warnings of Node or a library would tear the screen; they wait until it is left. */
  private holdErrors(): void {
    if (this.errorsTaken) return;
    this.errorsTaken = true;
    process.stderr.write = ((chunk: unknown) => {
      this.held.push(Buffer.isBuffer(chunk) ? chunk.toString('utf8') : String(chunk));
      return true;
    }) as typeof process.stderr.write;
  }

  private giveErrors(): void {
    if (!this.errorsTaken) return;
    this.errorsTaken = false;
    process.stderr.write = this.writeError;
    const text = this.held.join('');
    this.held = [];
    if (text !== '') writeAll(2, text);
  }
}

function clean(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').slice(0, 200);
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A terminal that is slow to read says so (it is non-blocking); one that is gone does not matter.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
