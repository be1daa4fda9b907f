import type { RunConfig } from '../../core/run/config.js';
import type { MessageBody } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import { agentKinds } from '../../services/agents/agent-kinds.js';
import { GitWorkspace } from '../../services/git/workspace.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import type { ShellSetup } from '../../services/pty/setup-command.js';
import type { TestRunner } from '../../services/pty/test-runner.js';
import { neighboursOf } from '../../services/records/landings.js';
import type { RunRecord } from '../../services/records/run-records.js';
import { createEffectRunner, type Ports } from '../../store/effect-runner.js';
import { createRunStore, type Observer } from '../../store/run-store.js';
import { RunRecorder } from '../run-recorder.js';
import type { Rescued } from '../write-summary.js';
import { debugged, debugObservers } from './debug-effects.js';

/** What a run's work in git is made of. */
export interface WorkspaceParts {
  /** What work is judged by; of a run that died by our own record, to which they were written before any agent started. */
  readonly rules: RunConfig;
  readonly commonDir: string;
  readonly paths: LogPaths;
  /** Our own record of the run, with the folder of its worktrees. */
  readonly record: RunRecord;
  readonly worktrees: string;
  /** Run the project's commands; null where none is run any more. */
  readonly commands: { readonly setup: ShellSetup; readonly check: TestRunner } | null;
  /** The command that lands later. */
  readonly landLater: string;
  readonly warn?: (text: string) => void;
}

export function composeWorkspace(parts: WorkspaceParts): GitWorkspace {
  const { rules, commonDir, paths, record, worktrees, commands, landLater, warn } = parts;
  return new GitWorkspace({
    config: rules,
    paths,
    commonDir,
    worktrees,
    record,
    isOver: commands === null,
    setup: commands?.setup ?? null,
    tests: commands?.check ?? null,
    landLater,
    neighbours: neighboursOf(record.file),
    coAuthor: agentKinds[rules.agent.kind].author,
    ...(warn ? { warn } : {}),
  });
}

/** What a run is made of, whether it goes or its books are closed. */
export interface RunParts {
  readonly repo: string;
  readonly workspace: WorkspaceParts;
  /** What runs agents and reads work; made when the run's own parts are there. */
  readonly services: (run: ComposedRun) => Omit<Ports, 'workspace'>;
  readonly warn: (text: string) => void;
  readonly clock: () => number;
  /** Told of each message after it is on the disk. */
  readonly observers: readonly Observer[];
  /** Told each time the run has finished. */
  readonly onFinish: () => void;
  /** The state to go on from; null for a new run. */
  readonly from?: RunState | null;
  /** Work that was committed after its agent had ended. */
  readonly rescued?: Rescued;
}

/** The services of a run and its loop, not started yet. */
export interface ComposedRun {
  readonly workspace: GitWorkspace;
  readonly recorder: RunRecorder;
  state(): RunState | null;
  subscribe(listener: () => void): () => void;
  dispatch(message: MessageBody): void;
}

/** The one place where a run is put together: its work in git, what is written down of it, and its loop. */
export function composeRun(parts: RunParts): ComposedRun {
  const { repo, warn, clock, observers, onFinish, rescued, from = null } = parts;
  const { paths, record } = parts.workspace;
  const workspace = composeWorkspace(parts.workspace);
  const recorder = new RunRecorder(repo, paths, record, warn, rescued);
  const composed: ComposedRun = {
    workspace,
    recorder,
    state: () => store.getState().run,
    subscribe: (listener) => store.subscribe(listener),
    dispatch: (message) => dispatch(message),
  };
  const runner = createEffectRunner({ workspace, ...parts.services(composed) }, onFinish);
  const { store, dispatch } = createRunStore(
    debugged(runner.handle),
    [...debugObservers(), recorder.observe, ...observers],
    clock,
    from,
  );
  return composed;
}
