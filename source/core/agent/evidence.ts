/**
 * What an agent's own messages tell of a failure. Each backend finds them in its own way: in the texts on
 * its screen, in an exit code, in an event.
 */
export const symptoms = [
  /** Its edits could not be read, or did not fit the files. */
  'malformed',
  /** It asked again and again for edits that it can read, and stopped asking. */
  'gave_up',
  'token_limit',
  'empty_response',
  'auth',
  'rate_limited',
  'not_committed',
  /** A file could not be given to it, or made. */
  'file_refused',
  'edits_lost',
  'edits_skipped',
  'edit_error',
  'model_unknown',
  'provider_failed',
  'request_refused',
  'quota',
  'disk_full',
] as const;

export type Symptom = (typeof symptoms)[number];

export const flawKinds = [
  /** The reply ends within an edit: the rest never came. */
  'cut',
  /** None of its edits was read. */
  'unread',
  /** An edit for a file that is not its own. */
  'misnamed',
  /** An edit that can be read in more than one way, or was read by halves. */
  'unsafe',
] as const;

/** Why the edits of a reply cannot be trusted, although they may have been applied. */
export interface Flaw {
  readonly kind: (typeof flawKinds)[number];
  /** The name of the other file, where it is misnamed; else ''. */
  readonly subject: string;
  readonly words: string;
}

/** How an agent's process ended, and what it leaves to judge by. */
export interface AttemptExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The agent has told that it had come to its end; a crash tells nothing. */
  readonly orderly: boolean;
  readonly symptoms: readonly Symptom[];
  /** Paths that it says it has edited; a hint where to look, no evidence. */
  readonly edited: readonly string[];
  /** What reads like a path in the model's replies. */
  readonly named: readonly string[];
  /** Whether the last reply holds any edit. */
  readonly edits: boolean;
  /** Why the edits of the last reply cannot be trusted; null when they can. */
  readonly flaw: Flaw | null;
  /** The agent's own words for why it could not do its work; null where it said none. */
  readonly cause: string | null;
}

/** What a process leaves of which nothing is told. */
export const nothingTold: AttemptExit = {
  code: null,
  signal: null,
  orderly: false,
  symptoms: [],
  edited: [],
  named: [],
  edits: false,
  flaw: null,
  cause: null,
};
