import type { ReadStream, WriteStream } from 'node:tty';
import type { ReactNode } from 'react';
import sliceAnsi from 'slice-ansi';
import type { Surface } from '../surface.js';
import { in256Colours } from '../text/colours.js';
import { straighten, styledWidth, toAscii } from '../text/graphemes.js';
import { FocusStack } from './focus-stack.js';
import { InkHost } from './ink-host.js';
import { KeyQueue } from './key-queue.js';
import { LentTerminal, type ProgramOptions } from './lent-terminal.js';
import { PaintSchedule } from './paint-schedule.js';
import { type PaintedPane, Painter, type Rect } from './painter.js';
import { TerminalSession } from './session.js';

export interface SurfaceOptions {
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
  /** Told of what a person types, before it counts. */
  readonly onKey?: () => void;
  /** Work that can wait does so for at most these milliseconds; 0 lets it go on. */
  readonly hold?: (ms: number) => void;
}

/** Brings together the terminal, its keys, Ink and the painter: what the components see of them. */
export class TerminalSurface implements Surface {
  readonly focus = new FocusStack();
  private readonly session: TerminalSession;
  private readonly lent: LentTerminal;
  private readonly painter = new Painter();
  private readonly schedule = new PaintSchedule(() => this.paint());
  private readonly ink: InkHost;
  private readonly keys: KeyQueue;
  private readonly resizeListeners = new Set<() => void>();
  /** Lines of the last frame as they were fitted. */
  private cut = new Map<string, string>();
  private blocked = false;
  private readonly holes = new Map<string, Rect>();
  private closed = false;
  private current = { cols: 80, rows: 24 };

  constructor(private readonly options: SurfaceOptions) {
    this.session = new TerminalSession(options);
    this.lent = new LentTerminal(this.session);
    this.current = this.measure();
    this.keys = new KeyQueue(this.focus, (ms) => options.hold?.(ms));
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
    await this.lent.end();
    this.schedule.close();
    this.options.stdin.off('data', this.onData);
    this.options.stdout.off('resize', this.onResize);
    this.options.stdout.off('drain', this.onDrain);
    process.off('SIGCONT', this.onContinue);
    // First of all: Ink takes its time.
    this.session.leave();
    this.ink.close();
  }

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
    this.schedule.request(true);
  };

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
    this.schedule.frameChanged();
  }

  setPane(id: string, pane: PaintedPane): void {
    this.painter.setPane(id, pane);
    this.schedule.request(true);
  }

  removePane(id: string): void {
    this.painter.removePane(id);
    this.schedule.request(true);
  }

  setHole(id: string, hole: Rect | null): void {
    if (hole) this.holes.set(id, hole);
    else this.holes.delete(id);
    this.painter.setHoles([...this.holes.values()]);
    this.schedule.request(true);
  }

  paneChanged(focused: boolean): void {
    this.schedule.paneChanged(focused, this.keys.busy);
  }

  private paint(): void {
    // A terminal that does not keep up gets the latest state when it is ready, not every state.
    if (this.closed || !this.session.active || this.blocked) return;
    const began = performance.now();
    const all = this.schedule.begin();
    const painted = this.painter.paint(all);
    const { ascii, trueColour } = this.options;
    const shown = ascii ? toAscii(painted) : painted;
    const bytes = trueColour ? shown : in256Colours(shown);
    if (bytes !== '' && !this.options.stdout.write(bytes)) {
      this.blocked = this.options.stdout.writableNeedDrain;
    }
    this.options.onFrame?.(bytes.length, performance.now() - began);
    if (bytes !== '' && !this.keys.busy) this.options.hold?.(0);
    this.schedule.ended(all, performance.now() - began);
  }

  private readonly onDrain = () => {
    this.blocked = false;
    this.schedule.request(true);
  };

  private readonly onData = (chunk: Buffer) => {
    this.options.onKey?.();
    this.schedule.keyCame();
    this.keys.feed(chunk);
  };

  /** Whether keys wait for their turn, or something to be drawn. */
  get busy(): boolean {
    return this.keys.busy || this.schedule.waits;
  }

  setRaw(listener: ((bytes: string) => void) | null, leaveKeys: readonly string[] = []): void {
    this.keys.setRaw(listener, leaveKeys);
  }

  typeIntoInk(bytes: string): void {
    this.ink.type(bytes);
  }

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
    if (this.closed || this.lent.isLent) return;
    // Whoever stopped us may have set the terminal to its own liking.
    this.session.leave();
    this.session.enter();
    this.refresh();
  };

  private refresh(): void {
    this.onResize();
    this.painter.invalidate();
    this.schedule.request(true);
  }

  async runProgram(
    file: string,
    args: readonly string[],
    options: ProgramOptions,
  ): Promise<number | null> {
    try {
      return await this.lent.run(file, args, options);
    } finally {
      if (!this.closed) this.refresh();
    }
  }
}

/** A line that is wider than the terminal would tear the screen. */
function clip(line: string, cols: number): string {
  return straighten(styledWidth(line) > cols ? sliceAnsi(line, 0, cols) : line);
}
