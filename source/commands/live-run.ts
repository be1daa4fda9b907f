import { faultOfError } from '../core/policy/machine-fault.js';
import { secretsIn } from '../core/policy/test-run.js';
import type { RunConfig } from '../core/run/config.js';
import type { MessageBody } from '../core/run/message.js';
import type { RunState } from '../core/run/run.js';
import { unsignedWords } from '../core/text/words.js';
import { setupEnvironment } from '../services/agents/aider/environment.js';
import { changedTrackedFiles, signsCommits } from '../services/git/repository.js';
import { startFromShells } from '../services/git/run-git.js';
import type { GitWorkspace } from '../services/git/workspace.js';
import { steadyClock } from '../services/machine/clock.js';
import { environment } from '../services/machine/environment.js';
import { ShellSetup } from '../services/pty/setup-command.js';
import { Terminals } from '../services/pty/terminals.js';
import { TestRunner } from '../services/pty/test-runner.js';
import { type RunRecord, releaseWorktrees } from '../services/records/run-records.js';
import { composeRun } from './compose/compose-run.js';
import { landCommand } from './compose/config.js';
import type { LiveRunOptions } from './compose/live-run-options.js';
import { RunServices } from './compose/run-services.js';
import { watchNeighbours } from './watch-neighbours.js';

/** A run with its services built and wired, not started yet. */
export interface LiveRun {
  readonly terminals: Terminals;
  readonly workspace: GitWorkspace;
  state(): RunState | null;
  subscribe(listener: () => void): () => void;
  dispatch(message: MessageBody): void;
  /** Starts it, or goes on with it. */
  begin(): Promise<void>;
  /** Whether the summary of the run as it is now is on the disk. */
  summaryWritten(): boolean;
  /** Lets go of everything; to be called once it has finished. */
  close(): Promise<void>;
}

/** Builds the services of a run that goes and connects them to its loop. */
export function openLiveRun(options: LiveRunOptions): LiveRun {
  const { config, run, paths, record, warn, telemetry } = options;
  const { knowledge } = run;
  const endShells = startFromShells();
  recordRules(record, config, warn);
  const clock = steadyClock();
  const terminals = new Terminals((agent) => paths.cast(agent));
  const services = new RunServices(options, terminals, clock);
  const env = setupEnvironment(environment());
  const secrets = secretsIn({ ...environment(), GEMINI_KEY: run.geminiKey ?? '' });
  const composed = composeRun({
    repo: config.repo,
    workspace: {
      rules: config,
      commonDir: run.repo.commonDir,
      paths,
      record,
      worktrees: record.worktrees,
      commands: {
        setup: new ShellSetup(env, (agent) => paths.setup(agent), secrets),
        check: new TestRunner(env, secrets),
      },
      landLater: landCommand(config.stamp, options.repoFlag),
      warn,
    },
    services: (own) => services.portsFor(own),
    warn,
    clock,
    observers: [...options.observers, ...(telemetry ? [telemetry.observe] : [])],
    onFinish: options.onFinish,
    from: options.from?.state ?? null,
  });
  const { workspace, recorder, state, subscribe, dispatch } = composed;
  const endWatch = watchNeighbours(record.file, state, dispatch);
  return {
    terminals,
    workspace,
    state,
    subscribe,
    dispatch,
    begin: async () => {
      const { from } = options;
      if (from === null) return dispatch({ type: 'run_started', config });
      for (const { index, task, attempts } of from.state.agents) {
        // What they showed is seen again.
        if (attempts.length > 0) terminals.open(index, task.title);
      }
      await services.open(composed);
      const { unattended } = from;
      dispatch({ type: 'resumed', idleMs: Math.max(0, clock() - from.at), unattended });
    },
    summaryWritten: () => recorder.summaryWritten,
    close: async () => {
      endWatch();
      knowledge.stop();
      run.launcher.close();
      await Promise.all([knowledge.settled(), workspace.settled()]);
      endShells();
      releaseWorktrees(record.worktrees);
      await Promise.all([services.close(), telemetry?.close()]);
      terminals.close();
      recorder.close();
      // Without its summary its books stay open, and the next start writes it.
      if (recorder.summaryWritten && state()?.phase === 'finished') record.close('finished');
      else record.letGo();
    },
  };
}

/** Says what of the checkout does not count: changes that agents do not see, signing. */
export async function warnOfCheckout(
  config: RunConfig,
  warn: (text: string) => void,
): Promise<void> {
  if (await signsCommits(config.repo)) warn(`${unsignedWords}.`);
  const changed = await changedTrackedFiles(config.repo);
  if (!changed.ok || changed.value.length === 0) return;
  const landing = config.land === 'none' ? '' : ', and nothing can land while they are changed';
  warn(
    `Tracked files have changes that the agents do not see${landing}: ${changed.value.slice(0, 5).join(', ')}`,
  );
}

/** What a later start judges by, if this program dies; a disk that is full will be told of by what follows. */
function recordRules(record: RunRecord, config: RunConfig, warn: (text: string) => void): void {
  try {
    record.rules({ protect: config.protect, maxFileBytes: config.maxFileBytes });
  } catch (error) {
    if (faultOfError(error) === null) throw error;
    warn(`What agents may not change could not be recorded: ${(error as Error).message}.`);
  }
}
