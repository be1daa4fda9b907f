import type { Draft, RunChoices, RunPort, WizardPort } from '../../app/ports.js';
import type { Task } from '../../core/plan/plan.js';
import { criteriaOf } from '../../core/policy/criteria.js';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import type { MadePlan } from '../../core/run/run.js';
import { openRepository, resolveTasks } from '../../services/git/repository.js';
import type { LeftRunHere } from '../find-left-run.js';
import { type BeginOrder, partsOf } from '../host/orders.js';
import type { HeldRun } from '../host/run-host.js';
import type { OpenedRun } from '../open-run.js';
import type { RunOptions } from '../options.js';
import type { PlannedRun } from '../prepare-run.js';
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
      const { makeConfig } = await import('../compose/config.js');
      const { savePrd } = await import('../compose/planning.js');
      const plan = finalPlan(opened, draft, resolved.tasks, (prd) =>
        savePrd(paths, session.repo.root, prd),
      );
      if (!plan.ok) return plan;
      const config = makeConfig(record.stamp, run, { land: choices.land, unattended: false });
      const { worktrees, file } = record;
      const { agentArgs, aider } = run;
      const order: BeginOrder = {
        config,
        opened: partsOf({ ...opened, options: run.options }),
        agentArgs,
        geminiKey: run.geminiKey,
        aider,
        plan: plan.value,
        record: { worktrees, file },
        repoFlag: args.flags.repo,
      };
      const host = await session.ready.host;
      const begun = await host.begin(order, session.repo);
      if (!begun.ok) {
        session.ready.renew();
        return begun;
      }
      // It is the host's now.
      record.letGo();
      session.hold(begun.value);
      return ok(begun.value.port);
    },
    giveUp: async () => {
      const { held } = session;
      if (!held) return;
      if (held.port.state().phase !== 'finished') {
        held.port.dispatch({ type: 'red_base_decided', how: 'stop' });
        await finished(held);
      }
      // From here on its end is no loss.
      session.held = null;
      await held.close();
      session.claimed = null;
      session.prdSaved = null;
      session.ready.renew();
    },
  };
}

/** Resolves when a run has finished, or cannot be heard of any more. */
export function finished({ port, lost }: HeldRun): Promise<void> {
  if (port.state().phase === 'finished') return Promise.resolve();
  return new Promise((resolve) => {
    const end = port.subscribe(() => {
      if (port.state().phase !== 'finished') return;
      end();
      resolve();
    });
    void lost.then(() => resolve());
  });
}

/** Goes on with a run, as the one of this session. */
export async function resumeIn(
  session: Session,
  left: LeftRunHere,
): Promise<Result<RunPort, Failure>> {
  const { args, opened, repo } = session;
  const host = await session.openHost();
  const order = {
    run: left.run.stamp,
    opened: partsOf(opened),
    geminiKey: geminiKey(),
    repoFlag: args.flags.repo,
  };
  const held = await host.resume(order, left, repo);
  if (!held.ok) {
    await host.close();
    return held;
  }
  session.hold(held.value);
  return ok(held.value.port);
}

/** What is missing for the run by now. */
async function lookAgain(
  { repo, overrides, ready }: Session,
  { options, geminiKey, handed }: PlannedRun,
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
