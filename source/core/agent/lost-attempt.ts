import type { Inspection, RunState } from '../run/run.js';
import {
  type Agent,
  type Attempt,
  type Checkout,
  type FailReason,
  iterationsUsed,
} from './agent.js';
import type { Feedback } from './brief.js';
import { judge } from './judge.js';
import { commit, iterationsSpent, nextAttempt, type Step, startAttempt } from './steps.js';

/**
 * An attempt whose process ended with the program that ran it is begun again, with the message that it had; it is no
 * iteration unless the model answered. Edits of an answer that came whole are there, and are told of.
 */
export function beginAgain(
  run: RunState,
  judged: (value: Attempt['verdict']) => Agent,
  attempt: Attempt,
  checkout: Checkout,
  feedback: Feedback | null,
  inspection: Inspection,
  at: number,
): Step {
  const lost = judged('lost');
  const { failure, refused } = inspection;
  const verdict = judge(attempt, inspection);
  if (failure || (refused.length > 0 && !verdict.ok && verdict.reason === 'dangerous_change')) {
    const { reason, detail } = failure ?? (verdict as { reason: FailReason; detail: string });
    return commit(run, lost, checkout, { state: 'failed', reason, detail });
  }
  if (attempt.interactive) {
    // A person who talks to it is there only on a screen.
    if (!run.config.unattended) {
      return startAttempt(run, { ...lost, pendingRequest: 'take_over' }, checkout, null, at);
    }
    const outcome = {
      state: 'failed',
      reason: 'no_response',
      detail: 'a person had taken it over',
    } as const;
    return commit(run, lost, checkout, lost.good ? { state: 'succeeded' } : outcome);
  }
  const used = iterationsUsed(lost);
  if (used >= run.config.maxIterations) {
    const detail = iterationsSpent(used);
    return commit(run, lost, checkout, { state: 'failed', reason: 'max_iterations', detail });
  }
  const isHalf = attempt.responses > 0 && inspection.changed;
  const half: Feedback = { kind: 'failed', reason: 'stream_broken', detail: '' };
  return nextAttempt(run, lost, checkout, isHalf ? half : feedback, at);
}
