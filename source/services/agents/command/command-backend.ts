import type { StopSignal } from '../../../core/agent/agent.js';
import { nothingTold } from '../../../core/agent/evidence.js';
import { problemOfError } from '../../../core/policy/work-problem.js';
import type {
  AgentBackend,
  AttemptEvents,
  AttemptHandle,
  AttemptRequest,
  WorkProblem,
} from '../../../core/ports.js';
import { err, ok, type Result } from '../../../core/result.js';
import { makePrivateFolder, writePrivate } from '../../files/private-files.js';
import type { Identity } from '../../git/repository.js';
import { withoutGitVariables } from '../../git/run-git.js';
import type { LogPaths } from '../../logs/log-paths.js';
import { environment } from '../../machine/environment.js';
import { spawnPty } from '../../pty/pty-process.js';
import { providerSecrets, withoutSecrets } from '../../pty/secret-mask.js';
import type { Terminals } from '../../pty/terminals.js';
import { isCollectorSecret } from '../../telemetry/signals.js';
import { identityVariables } from '../aider/environment.js';
import { type PromptStyle, promptOf } from '../prompt.js';
import { findQuestion, watchQuestions } from '../questions.js';

export interface CommandBackendOptions {
  /** Run by `sh -c` in the agent's worktree. */
  readonly command: string;
  /** Who commits, where no configuration tells it; null where one does. */
  readonly identity: () => Identity | null;
  readonly terminals: Terminals;
  readonly paths: LogPaths;
  readonly onWarning: (warning: string) => void;
}

/** How any program that edits files is asked. */
const style: PromptStyle = {
  reasons: {},
  closing:
    'Make the change completely, in the files of the working folder. Do not commit; do not ask back.',
};

/** Of our caller's terminal, which is not the agent's. */
const unset = ['NO_COLOR', 'FORCE_COLOR', 'COLUMNS', 'LINES', 'TMUX', 'TMUX_PANE', 'STY'];

/**
 * Runs a plain command for each attempt: any program that edits files, given a prompt. It is one turn: it begins
 * with the program and ends with it. Exit code 0 says that it has done what it could; what it did is judged by git
 * and by the tests, as with any agent.
 */
export class CommandBackend implements AgentBackend {
  constructor(private readonly options: CommandBackendOptions) {}

  async start(
    request: AttemptRequest,
    events: AttemptEvents,
    signal: AbortSignal,
  ): Promise<Result<AttemptHandle | null, WorkProblem>> {
    const { command, paths, terminals, onWarning } = this.options;
    const { agent, attempt, brief, checkout, told } = request;
    // It has no log of its own: what it had done nobody can tell.
    if (told !== null && told.sends > 0) {
      terminals.open(agent, brief.task.title);
      events.lost();
      return ok(null);
    }
    try {
      makePrivateFolder(paths.agentFolder(agent));
      const prompt = paths.message(agent, attempt);
      writePrivate(prompt, `${promptOf(brief, style)}\n`);
      const terminal = terminals.open(agent, brief.task.title);
      const { emulator: screen, recording } = terminal;
      const { cols, rows } = screen;
      const env = this.environment(request, prompt);
      if (signal.aborted) return err({ reason: 'start_failed', detail: 'it was told to end' });
      const own = spawnPty({
        file: '/bin/sh',
        args: ['-c', command],
        cwd: checkout.worktree,
        env,
        cols,
        rows,
      });
      const process = withoutSecrets(own, providerSecrets(env));
      terminals.enter(terminal, process, { cols, rows }, attempt);
      const questions = watchQuestions(screen, (lines) => findQuestion(lines), events);
      process.onData((bytes) => recording.output(bytes));
      screen.attach(process, questions.onDrawn);
      process.onExit(async ({ code, signal: by }) => {
        questions.stop();
        terminal.process = null;
        await screen.drawn();
        const problem = recording.problem();
        if (problem !== null) onWarning(`the recording stopped: ${problem}`);
        // One that was ended in the middle has not answered.
        if (by === null) events.turnEnded(null);
        const cause = code === 0 || by !== null ? null : lastLine(screen.lines());
        events.exited({ ...nothingTold, code, signal: by, cause, orderly: true, edits: true });
        terminals.used(agent);
      });
      events.turnStarted();
      return ok({ pid: process.pid, signal: (one: StopSignal) => process.signal(one) });
    } catch (error) {
      return err(problemOfError(error, 'start_failed'));
    }
  }

  private environment({ brief, model, checkout }: AttemptRequest, prompt: string) {
    const { identity } = this.options;
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(withoutGitVariables(environment()))) {
      if (value === undefined || unset.includes(name) || isCollectorSecret(name)) continue;
      env[name] = value;
    }
    const who = identity();
    const { task, alsoRead } = brief;
    return {
      ...env,
      ...(who ? identityVariables(env, who) : {}),
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      GIT_TERMINAL_PROMPT: '0',
      GIT_EDITOR: 'true',
      PWD: checkout.worktree,
      AGENT_PROMPT_FILE: prompt,
      AGENT_FILES: task.files.join('\n'),
      AGENT_READ: [...task.read, ...alsoRead].join('\n'),
      AGENT_MODEL: model,
    };
  }
}

/** What a program that failed has said last, which mostly tells why. */
function lastLine(lines: readonly string[]): string | null {
  const line = lines.findLast((one) => one.trim() !== '');
  return line === undefined ? null : line.trim().slice(0, 200);
}
