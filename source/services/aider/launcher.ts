import { type PtyProcess, type PtyRequest, spawnPty } from '../pty/pty-process.js';

/** What is asked of an Aider: all but the command itself. */
export type AiderRequest = Omit<PtyRequest, 'file'>;

/** Starts Aider processes, in one way or another; what starts is the same Aider. */
export interface AiderLauncher {
  /** @throws when it cannot be started */
  start(request: AiderRequest): Promise<PtyProcess>;
  /** Ends what it keeps ready. Aider processes that run go too. */
  close(): void;
}

/** Starts the command anew each time. */
export class PlainLauncher implements AiderLauncher {
  /** @param command the executable and, for one that needs it, what comes before Aider's arguments */
  constructor(private readonly command: readonly [string, ...string[]]) {}

  async start(request: AiderRequest): Promise<PtyProcess> {
    const [file, ...before] = this.command;
    return spawnPty({ ...request, file, args: [...before, ...request.args] });
  }

  close(): void {}
}
