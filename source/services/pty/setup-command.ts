import type { StopSignal } from '../../core/agent/agent.js';
import { maskSecrets } from '../../core/policy/test-run.js';
import { problemOfError, problemOfFault } from '../../core/policy/work-problem.js';
import type { WorkProblem } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import { writePrivate } from '../files/private-files.js';
import { confirmedFault } from '../machine/confirm-fault.js';
import { endProcess } from './process-groups.js';
import { type PtyProcess, spawnPty } from './pty-process.js';
import { readToEnd, unseenSize } from './run-command.js';

/** Runs set-up commands, by `sh -c`, in each worktree before its agent starts. */
export class ShellSetup {
  private readonly running = new Map<number | null, PtyProcess>();

  constructor(
    private readonly env: Readonly<Record<string, string>>,
    /** Where an agent's output of it goes. */
    private readonly logFile: (agent: number | null) => string,
    /** Values that must not be seen in the output. */
    private readonly secrets: readonly string[],
  ) {}

  async run(
    command: string,
    agent: number | null,
    worktree: string,
  ): Promise<Result<void, WorkProblem>> {
    try {
      const started = spawnPty({
        file: '/bin/sh',
        args: ['-c', command],
        cwd: worktree,
        env: this.env,
        ...unseenSize,
      });
      this.running.set(agent, started);
      const end = await readToEnd(started);
      const text = maskSecrets(end.text, this.secrets);
      writePrivate(this.logFile(agent), text);
      if (end.exit.code === 0) return ok(undefined);
      const what = end.exit.signal ?? `exit code ${end.exit.code}`;
      const last = text.trim().split('\n').slice(-2).join(' ').slice(-200);
      const said = last === '' ? '' : `: ${last}`;
      const name = maskSecrets(command, this.secrets).slice(0, 80);
      const fault = confirmedFault(text, worktree);
      return err(
        fault === null
          ? { reason: 'setup_failed', detail: `\`${name}\`, ${what}${said}` }
          : problemOfFault(fault, 'the set-up command'),
      );
    } catch (error) {
      return err(problemOfError(error, 'setup_failed'));
    } finally {
      this.running.delete(agent);
    }
  }

  /** A command that does not heed the signal is killed soon after. */
  signal(agent: number | null, signal: StopSignal): void {
    const process = this.running.get(agent);
    if (process) endProcess(process, signal);
  }
}
