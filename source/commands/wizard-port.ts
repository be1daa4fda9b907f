import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Check,
  CheckAction,
  Draft,
  NeededKey,
  PlanWish,
  RunChoices,
  RunFacts,
  RunPort,
  WizardPort,
} from '../app/ports.js';
import { committedWork } from '../core/agent/agent.js';
import { checkPlan, chunkFiles } from '../core/plan/groups.js';
import type { Task } from '../core/plan/plan.js';
import { readTasks } from '../core/plan/prd.js';
import type { Failure } from '../core/policy/failure.js';
import { geminiKeyVariables, keyVariable } from '../core/policy/providers.js';
import { criteriaOf } from '../core/policy/review.js';
import { err, ok, type Result } from '../core/result.js';
import type { MadePlan, RunState } from '../core/run/run.js';
import { findAider } from '../services/agents/aider/find-aider.js';
import { setupAider } from '../services/agents/aider/setup-aider.js';
import { proposeTest } from '../services/config/test-proposal.js';
import { unless, unlessLater, unreadable } from '../services/files/private-files.js';
import { defaultBaseUrl, listModels } from '../services/gemini/models.js';
import {
  changedTrackedFiles,
  openRepository,
  type Repository,
  resolveTasks,
  signsCommits,
} from '../services/git/repository.js';
import { git } from '../services/git/run-git.js';
import { addToHistory, readHistory } from '../services/logs/change-history.js';
import { type LogPaths, logPaths } from '../services/logs/log-paths.js';
import { environment, setVariable } from '../services/machine/environment.js';
import { forgetDraft, readDraft, writeDraft } from '../services/records/kept-draft.js';
import { claimRun, isHere, type RunRecord, readRecords } from '../services/records/run-records.js';
import type { Arguments } from './arguments.js';
import type { LiveRun } from './live-run.js';
import { modelKeyKnown } from './model-key.js';
import { type AiderCommand, commandOf, findMusts, type Overrides } from './musts.js';
import { type OpenedRun, readText } from './open-run.js';
import type { RunOptions } from './options.js';
import type { PreparedRun } from './prepare-run.js';

/** What the screen is given, and what is left of it when it is closed. */
export interface WizardSession {
  readonly port: WizardPort;
  /** The run, once one was started. */
  live(): LiveRun | null;
  /** The PRD that was saved without a run; null when there is none. */
  savedPrd(): string | null;
  close(): Promise<void>;
}

/** The stamp of a session and what belongs to it; claimed when something is first written. */
interface Claimed {
  readonly record: RunRecord;
  readonly paths: LogPaths;
}

/**
 * Connects the wizard to the services. Keys that a person gives live in this process's environment
 * only, where Aider and the planner look for them.
 */
export function openWizard(
  args: Arguments,
  opened: OpenedRun,
  overrides: Overrides,
  more: {
    readonly change: string;
    readonly warn: (text: string) => void;
  },
): WizardSession {
  const { options, source, given, focus } = opened;
  let { repo } = opened;
  let geminiModel = options.geminiModel;
  let claimed: Claimed | null = null;
  let live: LiveRun | null = null;
  let prdSaved: string | null = null;
  let scratch: string | null = null;

  const claim = (): Result<Claimed, Failure> => {
    if (claimed) return ok(claimed);
    const record = claimRun(repo);
    if (!record.ok) return record;
    claimed = { record: record.value, paths: logPaths(repo.root, record.value.stamp) };
    return ok(claimed);
  };
  // Aider takes a second of CPU to tell its version, so it is asked once.
  let found: ReturnType<typeof findAider> | null = null;
  const findOnce = () => {
    found ??= findAider(options.aider);
    return found;
  };
  const lookForAider = async (): Promise<AiderCommand | null> => {
    if (overrides.aider) return overrides.aider;
    if (options.agentCmd !== null) return null;
    // The first frame comes first: to start a program takes its time.
    await nextTurn();
    const answer = await findOnce();
    return answer.ok ? commandOf(answer.value) : null;
  };
  let aider = lookForAider();
  // Warmed up and made while the change is typed.
  const launch = async () => {
    const found = await aider;
    const { launcherFor } = await import('./prepare-run.js');
    return launcherFor(found, options, options.agentCmd === null);
  };
  const know = async () => {
    const ready = await launcher;
    const { RepoKnowledge } = await import('./repo-knowledge.js');
    return new RepoKnowledge(repo, await aider, options.model, ready, opened.handed);
  };
  let launcher = launch();
  let knowledge = know();
  const prepared = async (change: string, maxAgents: number): Promise<PreparedRun> => ({
    ...opened,
    repo,
    options: { ...options, geminiModel, maxAgents },
    change,
    geminiKey: geminiKey(),
    aider: await aider,
    launcher: await launcher,
    knowledge: await knowledge,
  });
  const inRepo = (file: string) => path.join(repo.root, file);
  const proposal = proposeTest(repo.root);
  let signs = false;
  void nextTurn().then(async () => {
    signs = await signsCommits(repo.root);
  });

  const port: WizardPort = {
    get facts(): RunFacts {
      return {
        repo: repo.root,
        branch: repo.branch,
        base: repo.head,
        baseTitle: repo.title,
        model: options.model,
        geminiModel,
        maxAgents: options.maxAgents,
        maxIterations: options.maxIterations,
        timeoutMs: options.timeoutMs,
        land: options.land,
        setupCmd: options.setupCmd,
        agentCmd: options.agentCmd,
        copy: options.copy,
        check: options.check,
        // One that was ruled out is not proposed again.
        proposal: args.flags.withoutTest ? null : proposal,
        redBase: options.redBase ?? 'ask',
        budgetUsd: options.budgetUsd,
        review: options.review !== null,
        reviewModel: options.reviewModel,
        simulated: overrides.aider?.simulated ?? false,
        signs,
        focus,
        source,
      };
    },
    change: more.change,
    given,
    checks: async (model) => {
      const { runChecks } = await import('./doctor.js');
      const asked = { ...args, flags: { ...args.flags, geminiModel, model } };
      const checks = await runChecks(asked, overrides, findOnce);
      return [...checks, ...otherRuns(repo)]
        .filter(({ name }) => matters(name, source.kind === 'planner'))
        .map((check) => withAction(check, model));
    },
    keys: (model) => neededKeys(model, opened, source.kind === 'planner'),
    stash: async () => {
      const changed = await changedTrackedFiles(repo.root);
      if (!changed.ok) return changed;
      if (changed.value.length === 0) return ok(false);
      const done = await git(repo.root, [
        'stash',
        'push',
        '--message',
        'before aider-orchestrator',
      ]);
      return done.ok ? ok(true) : done;
    },
    setIdentity: async (name, email) => {
      for (const [key, value] of [
        ['user.name', name],
        ['user.email', email],
      ] as const) {
        const done = await git(repo.root, ['config', '--local', key, value]);
        if (!done.ok) return done;
      }
      return ok(undefined);
    },
    keptDraft: () => readDraft(repo.root),
    keepDraft: (draft) => {
      if (draft !== null) return writeDraft(repo.root, { ...draft, tasks: [...draft.tasks] });
      forgetDraft(repo.root);
      return true;
    },
    setKey: (variable, key) => {
      setVariable(variable, key);
    },
    installAider: async (onLine) => {
      const done = await setupAider(onLine);
      if (!done.ok) return done;
      found = null;
      aider = lookForAider();
      launcher = launch();
      knowledge = know();
      return ok(undefined);
    },
    geminiModels: async () => {
      const key = geminiKey();
      if (key === null) return [];
      const base = (environment()['GOOGLE_GEMINI_BASE_URL'] || defaultBaseUrl).replace(/\/+$/, '');
      // Whatever fails there: then there is none to choose from.
      return listModels(base, key, AbortSignal.timeout(10_000)).catch((): string[] => []);
    },
    chooseGeminiModel: (name) => {
      geminiModel = name;
    },
    history: readHistory,
    remember: addToHistory,
    plan: async (wish: PlanWish, progress, signal): Promise<Result<Draft, Failure>> => {
      const place = claim();
      if (!place.ok) return place;
      const { record, paths } = place.value;
      const run = await prepared(wish.change, wish.maxAgents);
      const { makeConfig, planWith } = await import('./live-run.js');
      const config = makeConfig(record.stamp, run, { land: options.land, unattended: false });
      let prd = '';
      let tasks: readonly Task[] = [];
      const planning = {
        ...progress,
        again: wish.again,
        onPrd: (text: string) => {
          prd = text;
        },
        onTasks: (found: readonly Task[]) => {
          tasks = found;
        },
      };
      const made = await planWith(config, run, paths, planning)(signal);
      if (!made.ok && made.failure.kind === 'plan' && prd !== '') {
        // What is wrong with its groups is mended where they are shown.
        prdSaved = path.relative(repo.root, paths.prd);
        return ok({ prd, tasks, model: config.geminiModel, warnings: [], prdPath: prdSaved });
      }
      if (!made.ok) return made;
      const { geminiModelUsed, warnings, prdPath } = made.value;
      prdSaved = prdPath;
      return ok({ prd, tasks: made.value.tasks, model: geminiModelUsed, warnings, prdPath });
    },
    readTasks: async (prd, change, maxAgents) => {
      const { tasks, problems } = readTasks(prd);
      if (problems.length > 0) return err({ kind: 'plan', source: 'the PRD', problems });
      if (tasks.length === 0) return ok(chunkFiles(focus, maxAgents, change));
      // What is wrong with them is shown, and mended, as groups.
      const resolved = await resolveTasks(repo, tasks, false);
      return ok(resolved.problems.length > 0 ? tasks : resolved.tasks);
    },
    problemsOf: async (tasks) => {
      const { problems } = await resolveTasks(repo, tasks, false);
      return [...problems, ...checkPlan(tasks)].map((one) => sentence(one));
    },
    withoutPrd: (change, maxAgents) => chunkFiles(focus, maxAgents, change),
    readText: (file) => readText(file.replace(/^~(?=\/)/, homedir())),
    trackedFiles: () => [...repo.tracked.keys()],
    fileSize: (file) => {
      return unless(unreadable, null, () => statSync(inRepo(file)).size);
    },
    editorCommand: () => {
      const editor = environment()['VISUAL'] || environment()['EDITOR'] || 'vi';
      // By a shell, as git does it: an editor may come with arguments of its own.
      return { name: editor, file: '/bin/sh', args: ['-c', `${editor} "$@"`, editor] };
    },
    scratchFile: (name, text) => {
      scratch ??= mkdtempSync(path.join(tmpdir(), 'aider-orchestrator-'));
      const file = path.join(scratch, name);
      writeFileSync(file, text);
      return file;
    },
    readScratch: (file) => readFileSync(file, 'utf8'),
    start: async (change, draft, maxAgents, choices) => {
      const now = await openRepository(repo.root);
      if (!now.ok) return now;
      if (now.value.head !== repo.head || now.value.branch !== repo.branch) {
        repo = now.value;
        return err({
          kind: 'usage',
          message: 'The base has moved since: check it, and start again.',
        });
      }
      const ready = await prepared(change, maxAgents);
      const run = { ...ready, options: { ...ready.options, ...wished(options, choices) } };
      const known = { ...overrides, ...(run.aider ? { aider: run.aider } : {}) };
      const none = { kind: 'none' } as const;
      const { geminiKey: gemini, handed } = run;
      const must = await findMusts(args, repo, run.options, none, gemini, known, handed);
      if (!must.ok) return must;
      const resolved = await resolveTasks(repo, draft.tasks);
      if (resolved.problems.length > 0) {
        return err({ kind: 'plan', source: 'the groups', problems: resolved.problems });
      }
      const place = claim();
      if (!place.ok) return place;
      const { record, paths } = place.value;
      const { makeConfig, openLiveRun, savePrd } = await import('./live-run.js');
      const plan = finalPlan(opened, draft, resolved.tasks, (prd) =>
        savePrd(paths, repo.root, prd),
      );
      if (!plan.ok) return plan;
      const config = makeConfig(record.stamp, run, { land: choices.land, unattended: false });
      live = openLiveRun({
        config,
        run,
        paths,
        record,
        repoFlag: args.flags.repo,
        plan: async () => plan,
        confirm: async () => true,
        warn: more.warn,
        geminiKey,
        observers: [],
        onFinish: () => {},
      });
      live.dispatch({ type: 'run_started', config });
      return ok(runPort(live, paths));
    },
    giveUp: async () => {
      if (!live) return;
      if (live.state()?.phase !== 'finished') {
        live.dispatch({ type: 'red_base_decided', how: 'stop' });
      }
      await live.close();
      live = null;
      claimed = null;
      prdSaved = null;
      // They went with the run.
      launcher = launch();
      knowledge = know();
    },
  };
  return {
    port,
    live: () => live,
    savedPrd: () => (live ? null : prdSaved),
    close: async () => {
      if (scratch) rmSync(scratch, { recursive: true, force: true });
      if (live) {
        await live.close();
        return;
      }
      const own = await knowledge;
      own.stop();
      (await launcher).close();
      await own.settled();
      claimed?.record.discard();
    },
  };
}

/** The options as a person left them on the last screen. */
function wished(
  { check, testTimeoutMs, testReport, reviewModel }: RunOptions,
  choices: RunChoices,
): Partial<RunOptions> {
  const { testCmd, redBase, review, setupCmd } = choices;
  const rest = {
    model: choices.model,
    maxIterations: choices.maxIterations,
    timeoutMs: choices.timeoutMs,
    budgetUsd: choices.budgetUsd,
    land: choices.land,
    setupCmd: setupCmd === '' ? null : setupCmd,
    copy: choices.copy,
    redBase: redBase === 'ask' ? null : redBase,
    review: review ? { model: reviewModel } : null,
  };
  if (testCmd === '') return { check: null, ...rest };
  if (testCmd === check?.command) return { check, ...rest };
  const plan = {
    command: testCmd,
    from: 'the start screen',
    timeoutMs: testTimeoutMs,
    report: testReport,
  };
  return { check: plan, ...rest };
}

/** The keys that this run needs, and whether they are there. */
function neededKeys(model: string, { options, handed }: OpenedRun, planner: boolean): NeededKey[] {
  const needed: NeededKey[] = [];
  const [gemini] = geminiKeyVariables;
  // A command has its own way to its model.
  const own = options.agentCmd === null ? keyVariable(model) : null;
  const isAider = own === gemini;
  if (planner || isAider) {
    const use = [
      ...(planner ? ['Gemini, which writes the PRD'] : []),
      ...(isAider ? [`Aider's model ${model}`] : []),
    ];
    const isSet = geminiKey() !== null;
    needed.push({ variable: gemini, use: use.join(' and '), isSet, isAider, isPlanner: planner });
  }
  if (own !== null && !isAider) {
    const isSet = modelKeyKnown({ ...options, model }, geminiKey(), handed);
    needed.push({
      variable: own,
      use: `Aider's model ${model}`,
      isSet,
      isAider: true,
      isPlanner: false,
    });
  }
  return needed;
}

/** Runs that go on in this checkout. */
function otherRuns(repo: Repository): Omit<Check, 'action'>[] {
  const { runs } = readRecords(repo);
  return runs
    .filter((run) => run.liveness === 'alive' && isHere(run, repo.root) && run.pid !== process.pid)
    .map((run) => ({
      name: 'runs',
      state: 'warning' as const,
      text: `the run ${run.stamp} is open in this repository (process ${run.pid})`,
      mend: 'Both work on branches of their own; whichever lands second finds that the branch has moved.',
    }));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}

function geminiKey(): string | null {
  for (const name of geminiKeyVariables) {
    const value = environment()[name]?.trim();
    if (value) return value;
  }
  return null;
}

/** What is said before a change is typed: not what only a set-up needs, nor Gemini when it is not asked. */
function matters(name: string, planner: boolean): boolean {
  if (name === 'Python' || name === 'terminal') return false;
  return planner || name !== 'Gemini';
}

function withAction(check: Omit<Check, 'action'>, model: string): Check {
  const action = (): CheckAction | null => {
    if (check.state === 'ok') return null;
    if (check.name === 'Aider' && check.state === 'missing') return { kind: 'install' };
    if (check.name === 'changes') return { kind: 'stash' };
    if (check.name === 'identity') return { kind: 'identity' };
    const variable = keyVariable(model);
    if (check.name === 'model' && variable) return { kind: 'key', variable };
    if (check.name !== 'Gemini' || /cannot be reached/.test(check.text)) return null;
    return /is gone/.test(check.text)
      ? { kind: 'gemini_model' }
      : { kind: 'key', variable: geminiKeyVariables[0] };
  };
  return { ...check, action: action() };
}

/** The plan as a person left it. A PRD that is the file they named stays that file. */
function finalPlan(
  { source, given }: OpenedRun,
  draft: Draft,
  tasks: readonly Task[],
  save: (prd: string) => Result<string, Failure>,
): Result<MadePlan, Failure> {
  const criteria = criteriaOf(draft.prd);
  const plan = { tasks, geminiModelUsed: draft.model, warnings: draft.warnings, criteria };
  if (source.kind === 'plan') {
    const prd = given && 'tasks' in given ? given.withPrd : undefined;
    return ok({ ...plan, criteria: criteriaOf(prd ?? ''), prdPath: source.prdPath });
  }
  if (draft.prd === '') return ok({ ...plan, prdPath: null });
  if (source.kind === 'prd' && given && 'prd' in given && given.prd === draft.prd) {
    return ok({ ...plan, prdPath: source.path });
  }
  const saved = save(draft.prd);
  return saved.ok ? ok({ ...plan, prdPath: saved.value }) : saved;
}

/** A run as the screen sees it. */
function runPort(live: LiveRun, paths: LogPaths): RunPort {
  const { terminals, workspace } = live;
  const state = () => live.state() as RunState;
  return {
    state,
    subscribe: (listener) => live.subscribe(listener),
    dispatch: (message) => live.dispatch(message),
    terminals: {
      screen: (agent) => terminals.screen(agent),
      onOpen: (listener) => terminals.onOpen(listener),
      resize: (agent, size) => terminals.resize(agent, size),
      type: (agent, data) => terminals.type(agent, data),
    },
    diff: async (index) => {
      const agent = state().agents[index];
      if (!agent) return ok('');
      if ('checkout' in agent.state) return workspace.diff(index, agent.state.checkout);
      const commit = committedWork(agent)?.commit;
      return commit ? workspace.committedDiff(commit) : ok('');
    },
    lastMessage: async (index) => {
      const attempt = state().agents[index]?.attempts.length ?? 0;
      if (attempt === 0) return '';
      return unlessLater(unreadable, '', readFile(paths.message(index, attempt), 'utf8'));
    },
    prd: async () => {
      const { prdPath, config } = state();
      if (prdPath === null) return null;
      return unlessLater(unreadable, null, readFile(path.resolve(config.repo, prdPath), 'utf8'));
    },
    events: async (index) => {
      // It is being written: its end may be half a letter.
      const log = await unlessLater(unreadable, '', readFile(paths.agentLog(index), 'utf8'));
      return log === '' ? [] : log.trimEnd().split('\n');
    },
  };
}
