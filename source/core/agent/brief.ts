import type { Task } from '../plan/plan.js';
import type { Review } from '../policy/review.js';
import type { FailReason, Repair } from './work.js';

/** What an agent is given to work by. How it is put to a model is its backend's to say. */
export interface Brief {
  readonly task: Task;
  /** The whole change, of which the task is a part. */
  readonly change: string;
  /** The PRD, relative to the repository; null when there is none. */
  readonly prdPath: string | null;
  /** More files to show to it, relative to the worktree. */
  readonly alsoRead: readonly string[];
  /** What a person who watches it has said. */
  readonly remarks: readonly string[];
  /** Why the attempt before did not do; null for the first one. */
  readonly feedback: Feedback | null;
}

/** What an agent is told of its work so far. */
export type Feedback =
  | { readonly kind: 'failed'; readonly reason: FailReason; readonly detail: string }
  /** The project's tests fail with it. */
  | { readonly kind: 'tests'; readonly detail: string; readonly output: string }
  | { readonly kind: 'review'; readonly review: Review }
  /** It was a success that could not be merged. */
  | { readonly kind: 'repair'; readonly repair: Repair };
