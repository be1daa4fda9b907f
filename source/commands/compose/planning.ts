import path from 'node:path';
import type { Task } from '../../core/plan/plan.js';
import type { Failure } from '../../core/policy/failure.js';
import { fileFailure } from '../../core/policy/work-problem.js';
import type { PlanRequest, PlanWait } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import type { RunConfig } from '../../core/run/config.js';
import type { MadePlan } from '../../core/run/run.js';
import { writeWhole } from '../../services/files/private-files.js';
import { geminiBaseUrl } from '../../services/gemini/base-url.js';
import { GeminiPlanner } from '../../services/gemini/gemini-planner.js';
import { resolveTasks } from '../../services/git/repository.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import { makePlan } from '../../store/make-plan.js';
import type { PlannedRun } from '../prepare-run.js';

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

export function planWith(config: RunConfig, run: PlannedRun, paths: LogPaths, more: Planning = {}) {
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
