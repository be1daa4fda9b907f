// Longer than 300 lines: where the services of a run are built.
import path from 'node:path';
import type { Task } from '../core/plan/plan.js';
import { secretsIn } from '../core/policy/check.js';
import type { Failure } from '../core/policy/failure.js';
import { faultOfError } from '../core/policy/machine-fault.js';
import { providerOf } from '../core/policy/providers.js';
import { fileFailure } from '../core/policy/work-problem.js';
import type { PlanRequest, PlanWait, Reviewer } from '../core/ports.js';
import { err, ok, type Result } from '../core/result.js';
import type { ReviewPlan, RunConfig } from '../core/run/config.js';
import type { MessageBody } from '../core/run/message.js';
import type { MadePlan, RunState } from '../core/run/run.js';
import { unsignedWords } from '../core/text/words.js';
import { agentKinds, agentSpec } from '../services/agents/agent-kinds.js';
import { AiderReviewer } from '../services/agents/aider/aider-reviewer.js';
import { setupEnvironment } from '../services/agents/aider/environment.js';
import { handedArguments } from '../services/agents/aider/handed-files.js';
import { writeWhole } from '../services/files/private-files.js';
import { geminiBaseUrl } from '../services/gemini/base-url.js';
import { GeminiPlanner } from '../services/gemini/gemini-planner.js';
import { GeminiReviewer } from '../services/gemini/gemini-reviewer.js';
import {
  changedTrackedFiles,
  type Identity,
  resolveTasks,
  signsCommits,
  unwrittenIdentity,
} from '../services/git/repository.js';
import { startFromShells } from '../services/git/run-git.js';
import { GitWorkspace } from '../services/git/workspace.js';
import { debugNote, isDebugged } from '../services/logs/debug-log.js';
import type { LogPaths } from '../services/logs/log-paths.js';
import { steadyClock } from '../services/machine/clock.js';
import { environment } from '../services/machine/environment.js';
import { type OpenProvider, openProvider } from '../services/provider/open-provider.js';
import type { RateFacts } from '../services/provider/rate-limiter.js';
import { CheckCommand } from '../services/pty/check-command.js';
import { ShellSetup } from '../services/pty/setup-command.js';
import { Terminals } from '../services/pty/terminals.js';
import { type RunRecord, releaseWorktrees } from '../services/records/run-records.js';
import { createEffectRunner, type Ports } from '../store/effect-runner.js';
import { makePlan } from '../store/make-plan.js';
import { createRunStore, type EffectHandler, type Observer } from '../store/run-store.js';
import type { PreparedRun } from './prepare-run.js';
import { RunRecorder } from './run-recorder.js';

/** Everything a run is given, whether a screen shows it or not. */
export interface LiveRunOptions {
  readonly config: RunConfig;
  readonly run: PreparedRun;
  readonly paths: LogPaths;
  /** Our own record of the run, with the folder of its worktrees. */
  readonly record: RunRecord;
  /** The `--repo` flag, for the command that lands later. */
  readonly repoFlag: string | undefined;
  readonly plan: (signal: AbortSignal) => Promise<Result<MadePlan, Failure>>;
  readonly confirm: () => Promise<boolean>;
  readonly warn: (text: string) => void;
  /** Gemini's key as it is now, where a person can give another one. */
  readonly geminiKey?: () => string | null;
  /** Told of each message after it is on disk. */
  readonly observers: readonly Observer[];
  /** Told each time the run has finished: a person may lead it on. */
  readonly onFinish: () => void;
}

/** A run with its services built and wired, not started yet. */
export interface LiveRun {
  readonly terminals: Terminals;
  readonly workspace: GitWorkspace;
  state(): RunState | null;
  subscribe(listener: () => void): () => void;
  dispatch(message: MessageBody): void;
  /** Whether the summary of the run as it is now is on the disk. */
  summaryWritten(): boolean;
  /** Lets go of everything; to be called once it has finished. */
  close(): Promise<void>;
}

/** Builds the services of a run and connects them to its loop. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: all services of a run, wired where it can be seen at once.
export function openLiveRun(options: LiveRunOptions): LiveRun {
  const { config, run, paths, record, warn } = options;
  const { knowledge } = run;
  const keyNow = () => options.geminiKey?.() ?? run.geminiKey;
  const endShells = startFromShells();
  let provider: OpenProvider | null = null;
  let identity: Identity | null = null;
  const mostRequests = () => state()?.slots ?? config.maxAgents;
  const onRate = ({ window, waiting, until }: RateFacts) => {
    const felt = until !== null || window < mostRequests();
    dispatch({ type: 'rate_changed', rate: felt ? { window, waiting, until } : null });
  };
  recordRules(record, config, warn);
  const clock = steadyClock();
  const recorder = new RunRecorder(config.repo, paths, record, warn);
  const terminals = new Terminals((agent) => paths.cast(agent));
  const kind = agentKinds[config.agent.kind];
  const backend = kind.open({
    command: config.agent.command,
    launcher: run.launcher,
    executable: run.aider?.command[0] ?? 'aider',
    geminiKey: keyNow,
    identity: () => identity,
    // The rateLimiter stands before one provider; a model of another one reaches its own by itself.
    provider: () => (state()?.config.provider === config.provider ? provider : null),
    terminals,
    onEvent: (agent, event) => recorder.agentLogs.own(agent, event, clock() / 1000),
    extra: [...handedArguments(run.handed), ...run.options.aiderArgs],
    read: run.handed.read,
    repo: config.repo,
    paths,
    repoMap: () => knowledge.mapFile,
    onWarning: warn,
  });
  const workspace = new GitWorkspace({
    config,
    paths,
    commonDir: run.repo.commonDir,
    worktrees: record.worktrees,
    warn,
    record,
    setup: setupCommand(run, paths),
    check: new CheckCommand(setupEnvironment(environment()), secretsOf(run)),
    landLater: landCommand(config.stamp, options.repoFlag),
    coAuthor: kind.author,
  });
  const ports: Ports = {
    workspace,
    backend,
    reviewer: config.review && reviewerOf(config, config.review, run, keyNow, () => provider),
    plan: async (signal) => {
      identity = await unwrittenIdentity(config.repo);
      if (!config.direct) {
        provider = await openProvider(config.model, environment(), mostRequests, onRate);
      }
      const made = await options.plan(signal);
      if (made.ok) await knowledge.writeMapFor(made.value.tasks, paths.repoMap);
      return made;
    },
    confirm: options.confirm,
  };
  const noteMessage: Observer = (next, _, message) =>
    debugNote('message', { ...shortOf(message), phase: next.phase });
  const runner = createEffectRunner(ports, options.onFinish);
  const { store, dispatch } = createRunStore(
    isDebugged() ? noted(runner.handle) : runner.handle,
    [...(isDebugged() ? [noteMessage] : []), recorder.observe, ...options.observers],
    clock,
  );
  const state = (): RunState | null => store.getState().run;
  return {
    terminals,
    workspace,
    state,
    subscribe: (listener) => store.subscribe(listener),
    dispatch,
    summaryWritten: () => recorder.summaryWritten,
    close: async () => {
      knowledge.stop();
      run.launcher.close();
      await Promise.all([knowledge.settled(), workspace.settled()]);
      endShells();
      releaseWorktrees(record.worktrees);
      await provider?.close();
      terminals.close();
      recorder.close();
      // Without its summary its books stay open, and the next start writes it.
      if (recorder.summaryWritten && state()?.phase === 'finished') record.close('finished');
      else record.letGo();
    },
  };
}

/** What was decided before a run, for its journal. */
export function makeConfig(
  stamp: string,
  run: PreparedRun,
  more: Pick<RunConfig, 'unattended' | 'land'>,
): RunConfig {
  const { repo, options } = run;
  return {
    stamp,
    change: run.change,
    repo: repo.root,
    base: repo.head,
    branch: repo.branch,
    agent: agentSpec(options.agentCmd),
    model: options.model,
    provider: providerOf(options.model),
    geminiModel: options.geminiModel,
    maxAgents: options.maxAgents,
    maxIterations: options.maxIterations,
    timeoutMs: options.timeoutMs,
    files: run.focus,
    planSource: run.source,
    check: options.check,
    setup: options.setupCmd,
    copy: options.copy,
    protect: options.protect,
    maxFileBytes: options.maxFileBytes,
    direct: options.direct,
    redBase: options.redBase ?? (more.unattended ? 'stop' : 'ask'),
    budgetUsd: options.budgetUsd,
    review: options.review,
    simulated: run.aider?.simulated ?? false,
    ...more,
  };
}

/** How a plan is made for a run: by the planner, or from what was given. */
export interface Planning {
  readonly again?: PlanRequest['again'];
  readonly onText?: (prd: string) => void;
  readonly onWait?: (wait: PlanWait) => void;
  /** Told of the tasks, also of those that turn out not to work. */
  readonly onTasks?: (tasks: readonly Task[]) => void;
  /** Told of the PRD as it was saved. */
  readonly onPrd?: (prd: string) => void;
}

export function planWith(
  config: RunConfig,
  run: PreparedRun,
  paths: LogPaths,
  more: Planning = {},
) {
  const { knowledge } = run;
  const planner =
    run.source.kind === 'planner' && run.geminiKey !== null
      ? new GeminiPlanner({
          key: run.geminiKey,
          model: config.geminiModel,
          baseUrl: geminiBaseUrl(),
        })
      : null;
  return (signal: AbortSignal): Promise<Result<MadePlan, Failure>> =>
    makePlan(
      config,
      {
        planner,
        digest: () => knowledge.digest(config.change, config.files),
        resolve: (tasks: readonly Task[], lenient: boolean) =>
          resolveTasks(run.repo, tasks, lenient),
        isTracked: (file) => run.repo.tracked.has(file),
        savePrd: async (text) => {
          more.onPrd?.(text);
          return savePrd(paths, config.repo, text);
        },
        given: run.given,
        again: more.again ?? null,
        ...(more.onText ? { onText: more.onText } : {}),
        ...(more.onWait ? { onWait: more.onWait } : {}),
        ...(more.onTasks ? { onTasks: more.onTasks } : {}),
      },
      signal,
    );
}

/** Writes a PRD; gives its path relative to the repository. */
export function savePrd(paths: LogPaths, repo: string, text: string): Result<string, Failure> {
  try {
    writeWhole(paths.prd, text, 0o666);
    return ok(path.relative(repo, paths.prd));
  } catch (error) {
    return err(fileFailure(error, paths.prd));
  }
}

function landCommand(stamp: string, repo: string | undefined): string {
  return `aider-orchestrator land ${stamp}${repo === undefined ? '' : ` --repo ${repo}`}`;
}

/** Gemini by the same port that plans, or a model of Aider's. */
function reviewerOf(
  config: RunConfig,
  { model }: ReviewPlan,
  run: PreparedRun,
  keyNow: () => string | null,
  provider: () => OpenProvider | null,
): Reviewer | null {
  if (model !== null) {
    return new AiderReviewer({
      launcher: run.launcher,
      model,
      geminiKey: run.geminiKey,
      extra: [...handedArguments(run.handed), ...run.options.aiderArgs],
      // The rateLimiter holds the agents' provider alone.
      provider: () => (providerOf(model) === config.provider ? provider() : null),
    });
  }
  const first = keyNow();
  if (first === null) return null;
  const baseUrl = geminiBaseUrl();
  const withKey = (key: string) => new GeminiReviewer({ key, model: config.geminiModel, baseUrl });
  let known = { key: first, reviewer: withKey(first) };
  return {
    review: (prompt, signal) => {
      const key = keyNow() ?? known.key;
      if (key !== known.key) known = { key, reviewer: withKey(key) };
      return known.reviewer.review(prompt, signal);
    },
  };
}

/** Values that the output of commands must not show. */
function secretsOf(run: PreparedRun): string[] {
  return secretsIn({ ...environment(), GEMINI_KEY: run.geminiKey ?? '' });
}

function setupCommand(run: PreparedRun, paths: LogPaths): ShellSetup {
  const env = setupEnvironment(environment());
  return new ShellSetup(env, (agent) => paths.setup(agent), secretsOf(run));
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

/** Takes note of each effect when it begins and each time it answers. */
function noted(handle: EffectHandler): EffectHandler {
  return (effect, dispatch) => {
    const began = performance.now();
    debugNote('effect', shortOf(effect));
    handle(effect, (message) => {
      const answer = { ...shortOf(effect), answer: message.type };
      debugNote('effect', answer, performance.now() - began);
      dispatch(message);
    });
  };
}

/** What it is and whose, without any text. */
function shortOf(one: { readonly type: string }): Record<string, unknown> {
  return 'agent' in one ? { type: one.type, agent: one.agent } : { type: one.type };
}
