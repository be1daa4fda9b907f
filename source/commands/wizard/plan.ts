import path from 'node:path';
import type { Draft, PlanWish, WizardPort } from '../../app/ports.js';
import { checkPlan, chunkFiles } from '../../core/plan/groups.js';
import type { Task } from '../../core/plan/plan.js';
import { readTasks } from '../../core/plan/prd.js';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { resolveTasks } from '../../services/git/repository.js';
import type { Session } from './session.js';

/** The PRD and its groups. */
export function planPort(
  session: Session,
): Pick<WizardPort, 'plan' | 'readTasks' | 'problemsOf' | 'withoutPrd'> {
  const { opened } = session;
  const { focus } = opened;
  return {
    plan: async (wish: PlanWish, progress, signal): Promise<Result<Draft, Failure>> => {
      const place = session.claim();
      if (!place.ok) return place;
      const { record, paths } = place.value;
      const run = await session.prepared(wish.change, wish.maxAgents);
      const { makeConfig } = await import('../compose/config.js');
      const { planWith } = await import('../compose/planning.js');
      const config = makeConfig(record.stamp, run, {
        land: opened.options.land,
        unattended: false,
      });
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
        session.prdSaved = path.relative(session.repo.root, paths.prd);
        return ok({
          prd,
          tasks,
          model: config.geminiModel,
          warnings: [],
          prdPath: session.prdSaved,
        });
      }
      if (!made.ok) return made;
      const { geminiModelUsed, warnings, prdPath } = made.value;
      session.prdSaved = prdPath;
      return ok({ prd, tasks: made.value.tasks, model: geminiModelUsed, warnings, prdPath });
    },
    readTasks: async (prd, change, maxAgents) => {
      const { tasks, problems } = readTasks(prd);
      if (problems.length > 0) return err({ kind: 'plan', source: 'the PRD', problems });
      if (tasks.length === 0) return ok(chunkFiles(focus, maxAgents, change));
      // What is wrong with them is shown, and mended, as groups.
      const resolved = await resolveTasks(session.repo, tasks, false);
      return ok(resolved.problems.length > 0 ? tasks : resolved.tasks);
    },
    problemsOf: async (tasks) => {
      const { problems } = await resolveTasks(session.repo, tasks, false);
      return [...problems, ...checkPlan(tasks)].map((one) => sentence(one));
    },
    withoutPrd: (change, maxAgents) => chunkFiles(focus, maxAgents, change),
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}
