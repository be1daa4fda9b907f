import type { Usage } from '../../core/agent/agent.js';
import type { Task } from '../../core/plan/plan.js';
import type { Criterion } from '../../core/policy/criteria.js';
import { describe, type Failure } from '../../core/policy/failure.js';
import { noReview, type Review, readReview, reviewPrompt } from '../../core/policy/review.js';
import { withoutNames } from '../../core/policy/test-report.js';
import type { Result } from '../../core/result.js';
import type { Handlers, Ports, Stops } from './handlers.js';

type Judging = 'inspect_attempt' | 'test_agent' | 'review_agent' | 'supervise' | 'commit_agent';

/** What an agent has done: looked at, tested, read, committed. */
export function judgingHandlers({ workspace, reviewer }: Ports, stops: Stops): Handlers<Judging> {
  return {
    inspect_attempt: async ({ agent, attempt, task, checkout, rollBack, hints }, dispatch) => {
      const inspection = await workspace.inspect(agent, attempt, task, checkout, rollBack, hints);
      dispatch({ type: 'attempt_inspected', agent, inspection });
    },
    test_agent: async (effect, dispatch) => {
      const { agent } = effect;
      const check = await workspace.testAgent(effect, stops.begin(agent));
      dispatch({ type: 'agent_tested', agent, testRun: withoutNames(check) });
    },
    review_agent: async ({ agent, task, checkout, criteria }, dispatch) => {
      const patch = await workspace.patch(agent, checkout);
      dispatch({ type: 'agent_reviewed', agent, ...(await read(agent, criteria, task, patch)) });
    },
    supervise: async ({ commit, criteria }, dispatch) => {
      const patch = await workspace.patchOf(commit);
      dispatch({ type: 'supervised', commit, ...(await read(null, criteria, null, patch)) });
    },
    commit_agent: async (effect, dispatch) => {
      const { agent } = effect;
      const done = await workspace.commit(effect);
      dispatch(
        done.ok
          ? { type: 'agent_committed', agent, work: done.value }
          : { type: 'agent_not_committed', agent, ...done.failure },
      );
    },
  };

  /** Has a change read; whatever keeps that from happening, nobody can tell. */
  async function read(
    key: number | null,
    criteria: readonly Criterion[],
    task: Task | null,
    patch: Result<string, Failure>,
  ): Promise<{ review: Review; usage: Usage | null }> {
    const none = (why: string) => ({ review: noReview(criteria, why), usage: null });
    if (!patch.ok) return none(describe(patch.failure).message);
    const prompt = reviewPrompt(criteria, task, patch.value);
    const answer = await reviewer?.review(prompt, stops.begin(key));
    if (!answer) return none('there is no reviewer');
    if (!answer.ok) return none(describe(answer.failure).message);
    const { text, model, usage } = answer.value;
    return { review: readReview(text, criteria, patch.value, model), usage };
  }
}
