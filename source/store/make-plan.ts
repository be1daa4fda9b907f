import { checkPlan, chunkFiles, mergeAll, repairTasks } from '../core/plan/groups.js';
import type { Task } from '../core/plan/plan.js';
import { readTasks, renderPrd } from '../core/plan/prd.js';
import { criteriaOf } from '../core/policy/criteria.js';
import type { Failure } from '../core/policy/failure.js';
import type { Planner, PlanRequest } from '../core/ports.js';
import { err, ok, type Result } from '../core/result.js';
import type { RunConfig } from '../core/run/config.js';
import type { MadePlan } from '../core/run/run.js';

/** A plan that was given: tasks, perhaps with the PRD they serve, or a PRD. */
export type GivenPlan =
  | { readonly tasks: readonly Task[]; readonly withPrd?: string }
  | { readonly prd: string };

export interface PlanningPorts {
  /** Null when the run needs none. */
  readonly planner: Planner | null;
  readonly digest: () => Promise<string>;
  /** Checks paths; `lenient` drops files to be read that do not exist, where a model named them. */
  readonly resolve: (
    tasks: readonly Task[],
    lenient: boolean,
  ) => Promise<{ tasks: Task[]; problems: string[] }>;
  readonly isTracked: (file: string) => boolean;
  /** Saves the PRD and gives its path. */
  readonly savePrd: (text: string) => Promise<Result<string, Failure>>;
  /** Tasks of a `--plan` file, or the text of a `--prd` file; read and checked already. */
  readonly given: GivenPlan | null;
  readonly onText?: (prd: string) => void;
  readonly onWait?: PlanRequest['onWait'];
  /** Told of the tasks before they are held against the rules. */
  readonly onTasks?: (tasks: readonly Task[]) => void;
  readonly again?: PlanRequest['again'];
}

/** Makes the tasks of a run: from the planner, a PRD, a plan, or the files alone. */
export async function makePlan(
  config: RunConfig,
  ports: PlanningPorts,
  signal: AbortSignal,
): Promise<Result<MadePlan, Failure>> {
  const source = config.planSource;
  switch (source.kind) {
    case 'planner':
      return fromPlanner(config, ports, signal);
    case 'plan': {
      const given = ports.given && 'tasks' in ports.given ? ports.given : { tasks: [] };
      const criteria = criteriaOf(given.withPrd ?? '');
      const { tasks } = given;
      return ok({ tasks, prdPath: source.prdPath, geminiModelUsed: null, warnings: [], criteria });
    }
    case 'prd': {
      const text = ports.given && 'prd' in ports.given ? ports.given.prd : '';
      const tasks = await tasksOfPrd(text, source.path, config, ports.resolve);
      if (!tasks.ok) return tasks;
      return ok({
        tasks: tasks.value,
        prdPath: source.path,
        geminiModelUsed: null,
        warnings: [],
        criteria: criteriaOf(text),
      });
    }
    case 'none':
      return ok({
        tasks: chunkFiles(config.files, config.maxAgents, config.change),
        prdPath: null,
        geminiModelUsed: null,
        warnings: [],
        criteria: [],
      });
  }
}

/** The tasks that stand in a PRD or, when none do, the files in chunks. A person wrote it: no repairs. */
export async function tasksOfPrd(
  text: string,
  path: string,
  config: Pick<RunConfig, 'files' | 'maxAgents' | 'change'>,
  resolve: PlanningPorts['resolve'],
): Promise<Result<Task[], Failure>> {
  const { tasks: written, problems: unread } = readTasks(text);
  if (unread.length > 0) return err({ kind: 'plan', source: path, problems: unread });
  if (written.length === 0) return ok(chunkFiles(config.files, config.maxAgents, config.change));
  const { tasks, problems } = await resolve(written, false);
  const all = [...problems, ...checkPlan(tasks)];
  return all.length > 0 ? err({ kind: 'plan', source: path, problems: all }) : ok(tasks);
}

async function fromPlanner(
  config: RunConfig,
  ports: PlanningPorts,
  signal: AbortSignal,
): Promise<Result<MadePlan, Failure>> {
  if (!ports.planner) return err({ kind: 'planner', problem: 'no_key', detail: '' });
  const answer = await ports.planner.makePlan({
    change: config.change,
    digest: await ports.digest(),
    focus: config.files,
    maxAgents: config.maxAgents,
    signal,
    again: ports.again ?? null,
    ...(ports.onText ? { onText: ports.onText } : {}),
    ...(ports.onWait ? { onWait: ports.onWait } : {}),
  });
  if (!answer.ok) return answer;
  const { prd, model, parallel } = answer.value;
  const warnings = [...answer.value.warnings];
  const resolved = await ports.resolve(answer.value.tasks, true);
  const focused = keepFocus(resolved.tasks, config, ports.isTracked, warnings);
  const repaired = repairTasks(focused);
  warnings.push(...repaired.notes.map((note) => `Plan: ${note}.`));
  const tasks = parallel || repaired.tasks.length < 2 ? repaired.tasks : [mergeAll(repaired.tasks)];
  ports.onTasks?.(tasks);
  const problems = [...resolved.problems, ...checkPlan(tasks)];
  const saved = await ports.savePrd(renderPrd(prd, tasks));
  if (!saved.ok) return saved;
  if (problems.length > 0) return err({ kind: 'plan', source: saved.value, problems });
  const criteria = criteriaOf(prd);
  return ok({ tasks, prdPath: saved.value, geminiModelUsed: model, warnings, criteria });
}

/**
 * With `--files`, tasks may change those and new files; others they name are only to be read. A task
 * with nothing left is dropped, and when all are, the files are split instead.
 */
function keepFocus(
  tasks: readonly Task[],
  config: RunConfig,
  isTracked: (file: string) => boolean,
  warnings: string[],
): Task[] {
  if (config.files.length === 0) return [...tasks];
  const kept = tasks.flatMap((task) => {
    const others = task.files.filter((file) => isTracked(file) && !config.files.includes(file));
    if (task.files.length === 0) {
      warnings.push(`Plan: ${task.id} was dropped, as it names no files.`);
      return [];
    }
    if (others.length === 0) return [task];
    const files = task.files.filter((file) => !others.includes(file));
    warnings.push(
      `Plan: ${task.id} may not change ${others.join(', ')}, as --files does not name them.`,
    );
    return files.length === 0
      ? []
      : [{ ...task, files, read: [...new Set([...task.read, ...others])] }];
  });
  return kept.length > 0 ? kept : chunkFiles(config.files, config.maxAgents, config.change);
}
