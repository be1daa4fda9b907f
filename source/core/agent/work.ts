export interface FileChange {
  readonly path: string;
  /** Git's letter: A, M, D, T. Renames are told as D and A. */
  readonly status: string;
  /** Lines; null for binary files. */
  readonly added: number | null;
  readonly removed: number | null;
}

export interface DiffStat {
  readonly files: readonly FileChange[];
}

export interface CommittedWork {
  /** Null when there was nothing to commit. */
  readonly commit: string | null;
  readonly diff: DiffStat;
}

/** What keeps a success from being merged, for its agent to mend on top of what is merged. */
export interface Repair {
  readonly kind: 'conflict' | 'broken';
  /** Its work so far: what is left when it is not mended. */
  readonly work: CommittedWork;
  /** Files in conflict; empty when it breaks the tests. */
  readonly files: readonly string[];
  /** The failing tests' end and output; '' for a conflict. */
  readonly words: string;
  readonly output: string;
}

/** The closed set of reasons an agent can fail for. Their words are in `words.ts`. */
export const failReasons = [
  'no_response',
  'no_change',
  'white_space_only',
  'empty_reply',
  'malformed_edits',
  'edit_failed',
  'edits_skipped',
  'reply_cut',
  'unsafe_edits',
  'file_gone',
  'outside_scope',
  'refused_change',
  'dangerous_change',
  'token_limit',
  'auth',
  'model_not_found',
  'quota',
  'rate_limited',
  'provider_error',
  'request_refused',
  'stream_broken',
  'agent_crashed',
  'killed_by_signal',
  'timeout',
  'unanswered_question',
  'max_iterations',
  'start_failed',
  'setup_failed',
  'worktree_failed',
  'commit_failed',
  'disk_full',
  'machine_fault',
  'tests_failed',
  'review_not_met',
  'conflict_left',
  'merge_conflict',
  'breaks_tests',
  'budget',
  'not_started',
  'dependency_failed',
  'dependency_conflict',
] as const;

export type FailReason = (typeof failReasons)[number];
