import type { Failure } from '../../core/policy/failure.js';
import type { Result } from '../../core/result.js';
import type { PersonMessage } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import type { Anchor } from '../pty/held-rows.js';
import type { PictureRow } from '../pty/picture-row.js';
import type { TerminalSize } from '../pty/terminals.js';

/** What a host needs of an agent's emulator; `Emulator` has it. */
export interface HostedEmulator {
  readonly cols: number;
  readonly rows: number;
  readonly length: number;
  readonly first: number;
  readonly version: number;
  readonly isAlternate: boolean;
  readonly isPacked: boolean;
  readonly modes: { readonly bracketedPaste: boolean; readonly applicationCursor: boolean };
  cursor(): { readonly row: number; readonly column: number; readonly shown: boolean };
  pictureRow(y: number): PictureRow;
  rowCells(y: number): Uint32Array | null;
  anchor(y: number): Anchor | null;
  search(
    text: string,
  ): { readonly row: number; readonly column: number; readonly length: number }[];
  lines(): string[];
  onChange(listener: () => void): () => void;
  onBytes(listener: (bytes: Buffer) => void): () => void;
  printed(rows: number): string | null;
}

export interface HostedTerminals {
  emulator(agent: number): HostedEmulator | null;
  onOpen(listener: () => void): () => void;
  resize(agent: number, size: TerminalSize): void;
  type(agent: number, data: string): void;
}

/** A run as its host gives it to clients. */
export interface HostedRun {
  state(): RunState | null;
  subscribe(listener: () => void): () => void;
  dispatch(message: PersonMessage): void;
  readonly terminals: HostedTerminals;
  diff(agent: number): Promise<Result<string, Failure>>;
  events(agent: number): Promise<string[]>;
  lastMessage(agent: number): Promise<string>;
  prd(): Promise<string | null>;
  /** Variables of its environment that hold keys, by name. */
  keys(): readonly string[];
  setKey(variable: string, key: string): void;
  /** Whether the summary of the run as it is now is on the disk. */
  summaryWritten(): boolean;
}
