import { stripVTControlCharacters } from 'node:util';
import { type PtyExit, type PtyProcess, spawnPty } from './pty-process.js';

export interface CommandRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Called with the process as soon as it lives, for those who may have to end it. */
  readonly onStart?: (process: PtyProcess) => void;
  readonly onOutput?: (bytes: Buffer) => void;
}

export interface CommandEnd {
  readonly exit: PtyExit;
  /** What it printed, without control sequences; of a very long output only the end. */
  readonly text: string;
}

/** The size of a terminal in which a command runs that nobody looks at. */
export const unseenSize = { cols: 200, rows: 50 } as const;

const keepBytes = 4 * 1024 * 1024;

/**
 * Runs a command to its end in a pseudo-terminal: when this program dies in whatever way, the kernel
 * hangs the terminal up and the command goes too, which no pipe does. Throws when it cannot be started.
 */
export async function runCommand(request: CommandRequest): Promise<CommandEnd> {
  const { file, args, cwd, env, onStart, onOutput } = request;
  const process = spawnPty({ file, args, cwd, env, ...unseenSize });
  const end = readToEnd(process, onOutput);
  onStart?.(process);
  return end;
}

/** Reads a process that has just been started to its end. */
export async function readToEnd(
  process: PtyProcess,
  onOutput?: (bytes: Buffer) => void,
): Promise<CommandEnd> {
  let kept: Buffer[] = [];
  let length = 0;
  process.onData((bytes) => {
    kept.push(bytes);
    length += bytes.length;
    if (length > 2 * keepBytes) {
      kept = [Buffer.concat(kept).subarray(-keepBytes)];
      length = keepBytes;
    }
    onOutput?.(bytes);
  });
  const exit = await new Promise<PtyExit>((resolve) => process.onExit(resolve));
  const text = stripVTControlCharacters(Buffer.concat(kept).toString('utf8')).replace(
    /\r\n?/g,
    '\n',
  );
  return { exit, text };
}
