import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Draft, RunChoices, RunPort, WizardPort } from '../../app/ports.js';
import { committedWork } from '../../core/agent/agent.js';
import type { Task } from '../../core/plan/plan.js';
import { criteriaOf } from '../../core/policy/criteria.js';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import type { MadePlan, RunState } from '../../core/run/run.js';
import { unlessLater, unreadable } from '../../services/files/private-files.js';
import { openRepository, resolveTasks } from '../../services/git/repository.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import type { LiveRun } from '../live-run.js';
import type { ResumedParts } from '../open-left-run.js';
import type { OpenedRun } from '../open-run.js';
import type { RunOptions } from '../options.js';
import type { PreparedRun } from '../prepare-run.js';
import { geminiKey, type Session } from './session.js';

/** The run: started by what a person has left on the last screen, or given up before an agent has begun. */
export function startPort(session: Session): Pick<WizardPort, 'start' | 'giveUp'> {
  const { args, opened } = session;
  const { options } = opened;
  return {
    start: async (change, draft, maxAgents, choices) => {
      const now = await openRepository(session.repo.root);
      if (!now.ok) return now;
      if (now.value.head !== session.repo.head || now.value.branch !== session.repo.branch) {
        session.repo = now.value;
        return err({
          kind: 'usage',
          message: 'The base has moved since: check it, and start again.',
        });
      }
      const ready = await session.prepared(change, maxAgents);
      const run = { ...ready, options: { ...ready.options, ...wished(options, choices) } };
      const there = await lookAgain(session, run);
      if (!there.ok) return there;
      const resolved = await resolveTasks(session.repo, draft.tasks);
      if (resolved.problems.length > 0) {
        return err({ kind: 'plan', source: 'the groups', problems: resolved.problems });
      }
      const claimed = session.claim();
      if (!claimed.ok) return claimed;
      const { record, paths } = claimed.value;
      const { openLiveRun } = await import('../live-run.js');
      const { makeConfig } = await import('../compose/config.js');
      const { savePrd } = await import('../compose/planning.js');
      const plan = finalPlan(opened, draft, resolved.tasks, (prd) =>
        savePrd(paths, session.repo.root, prd),
      );
      if (!plan.ok) return plan;
      const config = makeConfig(record.stamp, run, { land: choices.land, unattended: false });
      const live = openLiveRun({
        config,
        run,
        paths,
        record,
        repoFlag: args.flags.repo,
        plan: async () => plan,
        confirm: async () => true,
        warn: session.warn,
        geminiKey,
        from: null,
        observers: [],
        onFinish: () => {},
      });
      session.live = live;
      await live.begin();
      return ok(runPort(live, paths));
    },
    giveUp: async () => {
      const { live } = session;
      if (!live) return;
      if (live.state()?.phase !== 'finished') {
        live.dispatch({ type: 'red_base_decided', how: 'stop' });
      }
      await live.close();
      session.live = null;
      session.claimed = null;
      session.prdSaved = null;
      session.ready.renew();
    },
  };
}

/** Goes on with a run, as the one of this session. */
export async function resumeIn(session: Session, parts: ResumedParts): Promise<RunPort> {
  const { openLiveRun } = await import('../live-run.js');
  const { planWith } = await import('../compose/planning.js');
  const { config, run, paths, record } = parts;
  session.claimed = { record, paths };
  session.live = openLiveRun({
    ...parts,
    repoFlag: session.args.flags.repo,
    plan: planWith(config, run, paths),
    confirm: async () => true,
    warn: session.warn,
    geminiKey,
    observers: [],
    onFinish: () => {},
  });
  await session.live.begin();
  return runPort(session.live, paths);
}

/** What is missing for the run by now. */
async function lookAgain(
  { repo, overrides, ready }: Session,
  { options, geminiKey, handed }: PreparedRun,
): Promise<Result<unknown, Failure>> {
  const { checkPrerequisites } = await import('../prerequisites/find.js');
  return checkPrerequisites({
    repository: ok(repo),
    options: ok(options),
    // The PRD is there, or none is wanted.
    planner: false,
    agents: true,
    isFinal: true,
    geminiKey,
    handed,
    overrides,
    findAider: ready.findOnce,
  });
}

/** The options as a person left them on the last screen. */
function wished(
  { testCommand: check, testTimeoutMs, testReport, reviewModel }: RunOptions,
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
  if (testCmd === '') return { testCommand: null, ...rest };
  if (testCmd === check?.command) return { testCommand: check, ...rest };
  const plan = {
    command: testCmd,
    from: 'the start screen',
    timeoutMs: testTimeoutMs,
    report: testReport,
  };
  return { testCommand: plan, ...rest };
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
export function runPort(live: LiveRun, paths: LogPaths): RunPort {
  const { terminals, workspace } = live;
  const state = () => live.state() as RunState;
  return {
    state,
    subscribe: (listener) => live.subscribe(listener),
    dispatch: (message) => live.dispatch(message),
    terminals: {
      emulator: (agent) => terminals.emulator(agent),
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
