// Longer than 300 lines: frames, keys and programs share the one terminal; not divided yet.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ReactNode } from 'react';
import sliceAnsi from 'slice-ansi';
import type { KeyHandler, Surface } from '../surface.js';
import { in256Colours } from '../text/colours.js';
import { straighten, styledWidth, toAscii } from '../text/graphemes.js';
import { InkHost } from './ink-host.js';
import {
  Input,
  type InputListener,
  type KeyPress,
  type MouseEvent,
  pasteEnd,
  pasteStart,
} from './input.js';
import { type PaintedPane, Painter, type Rect } from './painter.js';
import { TerminalSession } from './session.js';

export interface HostOptions {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly mouse: boolean;
  readonly notify: 'bell' | 'osc9' | 'off';
  /** The terminal cannot show more than ASCII. */
  readonly ascii: boolean;
  /** Of the programs that it starts; also tells which ones those are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The terminal says that it knows 24-bit colours; else they come as the nearest of 256. */
  readonly trueColour: boolean;
  /** Told of each paint: its characters, and what it took in milliseconds. */
  readonly onFrame?: (length: number, ms: number) => void;
  /** Work that can wait does so for at most these milliseconds; 0 lets it go on. */
  readonly hold?: (ms: number) => void;
}

/** Between two paints that nobody waits for, milliseconds: 30 a second. */
const frameMs = 33;
/** The same for panes that are not in focus: words are read there, keys are not followed. */
const backMs = 100;
/** Painting them takes at most this part of the time, so it is done less often where it takes long. */
const paintShare = 0.04;
const slowestBackMs = 250;
/** How long after a key the pane in focus is painted at once, milliseconds, and how often. */
const eagerMs = 150;
const eagerFrameMs = 8;

type InputEvent =
  | { readonly key: KeyPress }
  | { readonly paste: string }
  | { readonly mouse: MouseEvent };

/**
 * React renders, and runs its effects, each in a turn of the event loop of its own; an effect may set
 * a state and so ask for both once more.
 */
const turnsOfReact = 6;

/** How long other work waits for what a key leads to, milliseconds. */
const holdMs = 15;

/** How long an editor has to end when it is told to, milliseconds. */
const programMs = 500;

/** Brings together the terminal, its keys, Ink and the painter: what the components see of them. */
export class Host implements Surface, InputListener {
  private readonly session: TerminalSession;
  private readonly painter = new Painter();
  private readonly ink: InkHost;
  private readonly input: Input;
  private readonly handlers: KeyHandler[] = [];
  private readonly fallbacks: KeyHandler[] = [];
  private readonly resizeListeners = new Set<() => void>();
  private readonly events: InputEvent[] = [];
  private working = false;
  private cut = new Map<string, string>();
  private timer: NodeJS.Timeout | null = null;
  private timerAt = 0;
  private due = false;
  private lastPaint = 0;
  /** When all panes were painted. */
  private lastAll = 0;
  /** A pane that is not in focus has changed since. */
  private backWaits = false;
  /** What a paint of all takes, milliseconds, averaged over some. */
  private paintMs = 0;
  private lastKey = 0;
  private blocked = false;
  private readonly holes = new Map<string, Rect>();
  private closed = false;
  private current = { cols: 80, rows: 24 };

  constructor(private readonly options: HostOptions) {
    this.session = new TerminalSession(options);
    this.current = this.measure();
    this.input = new Input(this);
    this.ink = new InkHost(this.current.cols, this.current.rows, (lines) => this.onFrame(lines));
    this.painter.resize(this.current.cols, this.current.rows);
  }

  private measure(): { cols: number; rows: number } {
    const { columns, rows } = this.options.stdout;
    return { cols: columns || 80, rows: rows || 24 };
  }

  /** Takes the terminal and shows the screen. */
  open(node: ReactNode): void {
    this.session.enter();
    this.options.stdin.on('data', this.onData);
    this.options.stdout.on('resize', this.onResize);
    this.options.stdout.on('drain', this.onDrain);
    process.on('SIGCONT', this.onContinue);
    this.ink.show(node);
  }

  /** Gives the terminal back, also when another program has it. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.endProgram();
    if (this.timer) clearTimeout(this.timer);
    this.options.stdin.off('data', this.onData);
    this.options.stdout.off('resize', this.onResize);
    this.options.stdout.off('drain', this.onDrain);
    process.off('SIGCONT', this.onContinue);
    // First of all: Ink takes its time.
    this.session.leave();
    this.ink.close();
  }

  // Size

  size(): { cols: number; rows: number } {
    return this.current;
  }

  onSize(listener: () => void): () => void {
    this.resizeListeners.add(listener);
    return () => this.resizeListeners.delete(listener);
  }

  private readonly onResize = () => {
    this.current = this.measure();
    this.cut.clear();
    this.painter.resize(this.current.cols, this.current.rows);
    this.ink.resize(this.current.cols, this.current.rows);
    for (const listener of [...this.resizeListeners]) listener();
    this.requestPaint(true);
  };

  // Drawing

  private onFrame(lines: readonly string[]): void {
    const { cols, rows } = this.current;
    const next = new Map<string, string>();
    this.painter.setFrame(
      lines.slice(0, rows).map((line) => {
        const fitted = this.cut.get(line) ?? clip(line, cols);
        next.set(line, fitted);
        return fitted;
      }),
    );
    this.cut = next;
    this.requestPaint(this.lastPaint === 0 || Date.now() - this.lastKey < eagerMs);
  }

  setPane(id: string, pane: PaintedPane): void {
    this.painter.setPane(id, pane);
    this.requestPaint(true);
  }

  removePane(id: string): void {
    this.painter.removePane(id);
    this.requestPaint(true);
  }

  setHole(id: string, hole: Rect | null): void {
    if (hole) this.holes.set(id, hole);
    else this.holes.delete(id);
    this.painter.setHoles([...this.holes.values()]);
    this.requestPaint(true);
  }

  paneChanged(focused: boolean): void {
    // What a key of ours leads to is drawn with its frame.
    const eager = focused && !this.working && Date.now() - this.lastKey < eagerMs;
    if (!focused) {
      this.backWaits = true;
      this.paintAt(this.lastAll + this.backMs());
    } else if (eager && Date.now() - this.lastPaint < eagerFrameMs) {
      this.paintAt(this.lastPaint + eagerFrameMs);
    } else {
      this.requestPaint(eager);
    }
  }

  private requestPaint(now: boolean): void {
    if (!now) {
      this.paintAt(this.lastPaint + frameMs);
    } else if (!this.due && !this.closed) {
      this.due = true;
      // Right after all that changes with this, not a turn of the event loop later, which may be long.
      queueMicrotask(() => {
        this.due = false;
        if (!this.closed) this.paint();
      });
    }
  }

  /** @param time an earlier one that is planned stays */
  private paintAt(time: number): void {
    if (this.closed) return;
    const at = Math.max(Date.now(), time);
    if (this.timer && this.timerAt <= at) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.paint();
    }, at - Date.now());
  }

  private backMs(): number {
    return Math.min(slowestBackMs, Math.max(backMs, this.paintMs / paintShare));
  }

  private paint(): void {
    // A terminal that does not keep up gets the latest state when it is ready, not every state.
    if (!this.session.active || this.blocked) return;
    this.lastPaint = Date.now();
    const began = performance.now();
    const all = this.lastPaint >= this.lastAll + this.backMs();
    if (all) {
      this.lastAll = this.lastPaint;
      this.backWaits = false;
    }
    const painted = this.painter.paint(all);
    const { ascii, trueColour } = this.options;
    const shown = ascii ? toAscii(painted) : painted;
    const bytes = trueColour ? shown : in256Colours(shown);
    if (bytes !== '' && !this.options.stdout.write(bytes)) {
      this.blocked = this.options.stdout.writableNeedDrain;
    }
    this.options.onFrame?.(bytes.length, performance.now() - began);
    if (all) this.paintMs += (performance.now() - began - this.paintMs) / 8;
    if (bytes !== '' && !this.working) this.options.hold?.(0);
    if (this.backWaits) this.paintAt(this.lastAll + this.backMs());
  }

  private readonly onDrain = () => {
    this.blocked = false;
    this.requestPaint(true);
  };

  // Keys

  private readonly onData = (chunk: Buffer) => {
    this.lastKey = Date.now();
    this.options.hold?.(holdMs);
    this.input.feed(chunk);
  };

  addKeyHandler(handler: KeyHandler, fallback: boolean): () => void {
    const list = fallback ? this.fallbacks : this.handlers;
    list.push(handler);
    return () => {
      const at = list.indexOf(handler);
      if (at >= 0) list.splice(at, 1);
    };
  }

  private ask(wanted: (handler: KeyHandler) => boolean): void {
    const latestFirst = [...this.handlers].reverse();
    [...latestFirst, ...this.fallbacks].some(wanted);
  }

  key(key: KeyPress): void {
    this.enqueue({ key });
  }

  paste(text: string): void {
    this.enqueue({ paste: text });
  }

  mouse(event: MouseEvent): void {
    this.enqueue({ mouse: event });
  }

  /**
   * One event at a time, each after React has drawn what the one before led to: a handler sees the
   * state that the key before it made, however fast they come.
   */
  private enqueue(event: InputEvent): void {
    this.events.push(event);
    if (this.working) return;
    this.working = true;
    void this.work();
  }

  /** Whether keys wait for their turn, or something to be drawn. */
  get busy(): boolean {
    return this.working || this.due || this.timer !== null;
  }

  private async work(): Promise<void> {
    for (let event = this.events.shift(); event; event = this.events.shift()) {
      this.options.hold?.(holdMs);
      this.handle(event);
      for (let turn = 0; turn < turnsOfReact; turn++) await new Promise(setImmediate);
    }
    this.working = false;
    this.options.hold?.(0);
  }

  private handle(event: InputEvent): void {
    if ('paste' in event) this.ask((handler) => handler.paste?.(event.paste) ?? false);
    else if ('mouse' in event) this.ask((handler) => handler.mouse?.(event.mouse) ?? false);
    else {
      const key = this.joined(event.key);
      this.ask((handler) => handler.key(key));
    }
  }

  /** For a field, the letters that wait already come with this one. */
  private joined(key: KeyPress): KeyPress {
    if (key.text === '' || !this.takesText) return key;
    let { text } = key;
    for (;;) {
      const next = this.events[0];
      if (!next || !('key' in next) || next.key.text === '') return { ...key, name: text, text };
      text += next.key.text;
      this.events.shift();
    }
  }

  setRaw(listener: ((bytes: string) => void) | null, leaveKeys: readonly string[] = []): void {
    this.input.setRaw(listener, leaveKeys);
    if (!listener) return;
    // What was typed right after the key that began the mode is the agent's too, up to the key that ends it.
    for (let event = this.events.shift(); event; event = this.events.shift()) {
      if ('key' in event && this.input.isLeaveKey(event.key)) {
        this.input.setRaw(null);
        this.events.unshift(event);
        return;
      }
      if ('key' in event) listener(event.key.sequence);
      else if ('paste' in event) listener(`${pasteStart}${event.paste}${pasteEnd}`);
    }
  }

  /** Whether text is being typed somewhere. */
  get takesText(): boolean {
    return this.handlers.some((handler) => handler.takesText);
  }

  typeIntoInk(bytes: string): void {
    this.ink.type(bytes);
  }

  // The terminal's other sides

  setTitle(title: string): void {
    this.session.setTitle(title);
  }

  ring(text: string): void {
    this.session.ring(text);
  }

  copy(text: string): Promise<string> {
    return this.session.copy(text);
  }

  showDiff(repo: string, from: string, to: string): Promise<number | null> {
    const args = ['diff', '--no-ext-diff', '--stat', '--patch', from, to, '--'];
    // Git's pager may end at once when the text is short; ours waits, so that it can be read.
    const pager = this.options.env['GIT_PAGER'] || this.options.env['PAGER'] || 'less';
    return this.runProgram('git', args, {
      cwd: repo,
      env: { ...this.options.env, LESS: 'R', GIT_PAGER: pager },
    });
  }

  shell(): string {
    return this.options.env['SHELL'] || '/bin/sh';
  }

  /** Stops like any job of the shell, and comes back right (SIGCONT). */
  suspend(): void {
    this.session.leave();
    // To the whole job, as the terminal does it: npm or a script around us stops too. Agents have
    // sessions of their own and go on.
    process.kill(0, 'SIGTSTP');
  }

  private readonly onContinue = () => {
    if (this.closed || this.lent) return;
    // Whoever stopped us may have set the terminal to its own liking.
    this.session.leave();
    this.session.enter();
    this.refresh();
  };

  private refresh(): void {
    this.onResize();
    this.painter.invalidate();
    this.requestPaint(true);
  }

  private lent = false;
  private program: ChildProcess | null = null;

  /** A program that has the terminal is asked to end, and made to. */
  private async endProgram(): Promise<void> {
    const { program } = this;
    if (!program) return;
    const ended = new Promise<void>((resolve) => program.once('exit', () => resolve()));
    this.session.giveUp();
    program.kill('SIGTERM');
    const harsher = setTimeout(() => program.kill('SIGKILL'), programMs);
    await ended;
    clearTimeout(harsher);
    this.session.repair();
  }

  /** Runs a program on the real terminal; gives its exit code, or null when it could not be run. */
  async runProgram(
    file: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env?: Readonly<Record<string, string | undefined>> },
  ): Promise<number | null> {
    this.lent = true;
    try {
      return await this.session.lend(
        () =>
          new Promise<number | null>((resolve) => {
            const [first, ...rest] = holdingNothing(file, args);
            const child = spawn(first, rest, { ...options, stdio: 'inherit' });
            this.program = child;
            // Ctrl-C in an editor is the editor's.
            const ignore = () => {};
            process.on('SIGINT', ignore);
            const end = (code: number | null) => {
              process.off('SIGINT', ignore);
              this.program = null;
              resolve(code);
            };
            child.on('error', () => end(null));
            child.on('exit', (code) => end(code === notFound ? null : (code ?? 1)));
          }),
      );
    } finally {
      this.lent = false;
      if (!this.closed) this.refresh();
    }
  }
}

/** What a shell ends with when it cannot find what it is to become. */
const notFound = 127;

/** Closes what is open beyond the three standard streams, and becomes the program. */
const closing = `for fd in /proc/self/fd/*; do fd=\${fd##*/}; ((fd > 2)) && eval "exec $fd>&-"; done; exec "$@"`;

/** The agents' terminals are open here for whatever is started, and are none of an editor's business. */
function holdingNothing(file: string, args: readonly string[]): [string, ...string[]] {
  const bash = '/bin/bash';
  if (process.platform !== 'linux' || !existsSync(bash)) return [file, ...args];
  return [bash, '-c', closing, 'bash', file, ...args];
}

/** A line that is wider than the terminal would tear the screen. */
function clip(line: string, cols: number): string {
  return straighten(styledWidth(line) > cols ? sliceAnsi(line, 0, cols) : line);
}
