import { Emulator, scrollback } from './emulator.js';
import { parseQueue } from './parse-queue.js';
import type { PtyProcess } from './pty-process.js';
import { attemptMark, recordedOutput } from './recorded-output.js';
import { Recording } from './recording.js';
import { RecordingWriter } from './recording-writer.js';

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** The size of a terminal that nobody looks at. */
const unseen: TerminalSize = { cols: 120, rows: 40 };

/** Screens of agents that are not at work keep their memory, up to so many bytes, the latest ones first. */
const mostIdleBytes = 48e6;

/** So long an echo is waited for, milliseconds. */
const echoMs = 15;

/** One agent's screen and recording; they outlive its attempts. */
export interface AgentTerminal {
  readonly emulator: Emulator;
  readonly recording: Recording;
  /** Null between attempts. */
  process: PtyProcess | null;
}

/** The terminals of a run's agents, whatever runs in them. */
export class Terminals {
  private readonly terminals = new Map<number, AgentTerminal>();
  private readonly sizes = new Map<number, TerminalSize>();
  private readonly listeners = new Set<() => void>();
  /** Agents that were at work or looked at, the latest last. */
  private readonly recent = new Set<number>();
  /** Agents that were typed to and have not answered yet. */
  private readonly echoing = new Set<number>();
  /** One screen at a time gives its memory back. */
  private packing = Promise.resolve();
  /** From the first agent on. */
  private writer: RecordingWriter | null = null;

  /** @param recordingOf the file that an agent's terminal is recorded in */
  constructor(private readonly recordingOf: (agent: number) => string) {}

  /** Told when an agent's terminal comes into being. @returns ends it */
  onOpen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Gives an agent's terminal another size, now or when it starts. */
  resize(agent: number, size: TerminalSize): void {
    const { cols, rows } = size;
    const terminal = this.terminals.get(agent);
    this.sizes.set(agent, size);
    if (!terminal || (terminal.emulator.cols === cols && terminal.emulator.rows === rows)) return;
    terminal.emulator.resize(cols, rows);
    terminal.recording.resize(cols, rows);
    terminal.process?.resize(cols, rows);
  }

  /** What a person types goes to the agent as it is; floods of others wait a moment for what it answers. */
  type(agent: number, data: string): void {
    const terminal = this.terminals.get(agent);
    if (!terminal?.process) return;
    terminal.process.write(data);
    parseQueue.hold(echoMs);
    if (this.echoing.has(agent)) return;
    this.echoing.add(agent);
    const end = terminal.emulator.onChange(() => {
      end();
      this.echoing.delete(agent);
      parseQueue.hold(0);
    });
  }

  /** The screen of an agent, for those who draw it; null before its first attempt. */
  emulator(agent: number): Emulator | null {
    return this.terminals.get(agent)?.emulator ?? null;
  }

  /** An agent's terminal, which is made where there is none yet. */
  open(agent: number, title: string): AgentTerminal {
    const known = this.terminals.get(agent);
    if (known) return known;
    const { cols, rows } = this.sizes.get(agent) ?? unseen;
    this.writer ??= new RecordingWriter();
    const file = this.recordingOf(agent);
    // What a program before this one has recorded.
    const before = recordedOutput(file);
    const terminal: AgentTerminal = {
      emulator: new Emulator(cols, rows, scrollback, () => this.used(agent)),
      recording: new Recording(file, cols, rows, `agent ${agent}: ${title}`, this.writer),
      process: null,
    };
    if (before !== '') terminal.emulator.feed(before);
    this.terminals.set(agent, terminal);
    for (const listener of this.listeners) listener();
    return terminal;
  }

  /** Puts a process into a terminal, at the size that this has by now. @param size what it was started at */
  enter(terminal: AgentTerminal, process: PtyProcess, size: TerminalSize, attempt: number): void {
    const { emulator: screen, recording } = terminal;
    if (screen.cols !== size.cols || screen.rows !== size.rows)
      process.resize(screen.cols, screen.rows);
    recording.mark(attemptMark(attempt));
    terminal.process = process;
  }

  /** An agent has ended an attempt, or is looked at: those that were not for long give memory back. */
  used(agent: number): void {
    this.recent.delete(agent);
    this.recent.add(agent);
    let bytes = 0;
    for (const one of [...this.recent].reverse()) {
      const terminal = this.terminals.get(one) as AgentTerminal;
      if (terminal.process) continue;
      bytes += terminal.emulator.bytes;
      if (one === agent || bytes <= mostIdleBytes) continue;
      this.recent.delete(one);
      this.packing = this.packing.then(() => this.pack(one, terminal));
    }
  }

  close(): void {
    for (const { emulator: screen, recording } of this.terminals.values()) {
      recording.close();
      screen.dispose();
    }
    this.writer?.close();
  }

  private async pack(agent: number, { emulator: screen, process }: AgentTerminal): Promise<void> {
    // Its next attempt has begun, at whose end it is asked again.
    if (process) return;
    // It was drawn on, or resized.
    if (!(await screen.pack()) && screen.bytes > 0) this.recent.add(agent);
  }
}
