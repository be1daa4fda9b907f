import { stripVTControlCharacters } from 'node:util';
import { endProcess } from './process-groups.js';
import { type PtyExit, type PtyProcess, spawnPty } from './pty-process.js';

export interface CommandRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly reading?: ReadOptions;
}

/** When a process is ended before it ends by itself, and who is told of its output. */
export interface ReadOptions {
  readonly onOutput?: (bytes: Buffer) => void;
  /** Asks it to end; what does not heed that is killed soon after. */
  readonly stop?: AbortSignal;
  /** The longest it may take, milliseconds; then it is killed. */
  readonly timeoutMs?: number;
  /** What prints more is killed, bytes. */
  readonly mostOutput?: number;
}

export interface CommandEnd {
  readonly exit: PtyExit;
  /** Why it was ended; null where it ended by itself. */
  readonly ended: 'stopped' | 'timeout' | 'output' | null;
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
  const { file, args, cwd, env, reading } = request;
  return readToEnd(spawnPty({ file, args, cwd, env, ...unseenSize }), reading);
}

/** Reads a process that has just been started to its end, and ends it where a limit says so. */
export async function readToEnd(
  process: PtyProcess,
  options: ReadOptions = {},
): Promise<CommandEnd> {
  const { stop, timeoutMs, mostOutput = Number.POSITIVE_INFINITY, onOutput } = options;
  let ended: CommandEnd['ended'] = null;
  const end = (why: NonNullable<CommandEnd['ended']>) => {
    ended ??= why;
    if (why === 'stopped') endProcess(process);
    else process.signal('SIGKILL');
  };
  const onStop = () => end('stopped');
  stop?.addEventListener('abort', onStop, { once: true });
  if (stop?.aborted) onStop();
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs, 'timeout');
  let printed = 0;
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
    printed += bytes.length;
    if (printed > mostOutput && ended === null) end('output');
  });
  const exit = await new Promise<PtyExit>((resolve) => process.onExit(resolve));
  clearTimeout(timer);
  stop?.removeEventListener('abort', onStop);
  const text = stripVTControlCharacters(Buffer.concat(kept).toString('utf8')).replace(
    /\r\n?/g,
    '\n',
  );
  return { exit, ended, text };
}
