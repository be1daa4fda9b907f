import { packageFile } from '../../config/package-files.js';
import { type PtyProcess, type PtyRequest, spawnPty } from '../../pty/pty-process.js';

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

const startFile = packageFile('source/services/agents/aider/aider_start.py');

/** Starts Aider anew each time, by its interpreter, so that it takes nothing from its working folder. */
export class IsolatedLauncher implements AiderLauncher {
  constructor(
    /** The script that starts Aider, absolute. */
    private readonly script: string,
    private readonly python: string,
  ) {}

  async start(request: AiderRequest): Promise<PtyProcess> {
    const { args, cwd, env } = request;
    return spawnPty({
      ...request,
      file: this.python,
      args: [startFile, this.script, cwd, ...args],
      // A folder that no import can come from.
      cwd: '/',
      env: { ...env, PWD: cwd },
    });
  }

  close(): void {}
}
