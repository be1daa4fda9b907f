import { type RefusalKind, refusalWords } from '../policy/fence.js';
import type { Inspection } from '../run/run.js';
import type { Attempt, FailReason, FileChange } from './agent.js';

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: FailReason; readonly detail: string };

/** Reasons that another message to the model cannot cure; the agent fails at once. */
const hopeless: ReadonlySet<FailReason> = new Set<FailReason>([
  'auth',
  'quota',
  'model_not_found',
  'disk_full',
  'machine_fault',
  'start_failed',
  'worktree_failed',
  'setup_failed',
  'commit_failed',
  'timeout',
  'unanswered_question',
  'max_iterations',
  'dangerous_change',
  'budget',
  'not_started',
]);

/** Reasons that will meet every other agent too: not theirs, but the world's. */
const common: ReadonlySet<FailReason> = new Set<FailReason>([
  'auth',
  'quota',
  'model_not_found',
  'disk_full',
  'machine_fault',
  'provider_error',
  'start_failed',
  'setup_failed',
]);

export function isCommon(reason: FailReason): boolean {
  return common.has(reason);
}

export function isHopeless(reason: FailReason): boolean {
  return hopeless.has(reason);
}

/** What a task asks for by its words. */
export interface Asked {
  /** A change of white space alone. */
  readonly whiteSpace: boolean;
  /** That files go. */
  readonly removal: boolean;
}

/** A new file may be made empty before it is written. */
function isEmptyNewFile(file: FileChange): boolean {
  return file.status === 'A' && file.added === 0;
}

/** True when a message went to the model whose answer never came whole. */
export function brokeOff(attempt: Attempt): boolean {
  return attempt.sends > attempt.responses;
}

/**
 * Decides whether an attempt did what was asked. An exit code of 0 may mean nothing, so all of the
 * evidence must be there: a clean exit that the agent told of, a whole answer to every message, no
 * symptom of a failure, and a diff in the agent's files. The first thing missing names the reason.
 * @param asked what would be no work, or harm, if the task did not ask for it
 */
export function judge(
  attempt: Attempt,
  inspection: Inspection,
  asked: Asked = { whiteSpace: false, removal: false },
): Verdict {
  const { exit } = attempt;
  // What the agent itself names as the cause says more than what came of it.
  const no = (reason: FailReason, detail = ''): Verdict => ({
    ok: false,
    reason,
    detail: [detail, exit?.cause ?? ''].filter(Boolean).join(': '),
  });
  const refused = judgeRefused(inspection);
  // Whatever else went wrong: what would run code is never just another try.
  if (refused && !refused.ok && refused.reason === 'dangerous_change') return refused;
  if (inspection.failure) return no(inspection.failure.reason, inspection.failure.detail);
  if (!exit) return no('agent_crashed', 'it never ended');
  const saw = new Set(exit.symptoms);
  if (saw.has('disk_full')) return no('disk_full');
  if (brokeOff(attempt) || attempt.responses === 0) {
    if (saw.has('quota')) return no('quota');
    if (saw.has('auth')) return no('auth');
    if (saw.has('model_unknown')) return no('model_not_found');
    if (saw.has('rate_limited')) return no('rate_limited');
    if (saw.has('provider_failed')) return no('provider_error');
    if (saw.has('request_refused') && !saw.has('token_limit')) return no('request_refused');
  }
  if (saw.has('token_limit')) return no('token_limit');
  // It may have stumbled over the very same file, so this says more than that it did.
  if (refused) return refused;
  if (exit.signal !== null) return no('killed_by_signal', exit.signal);
  // It has read its settings, and told what is wrong with them.
  if (exit.cause !== null && attempt.sends === 0) return no('start_failed');
  if (exit.code !== 0) return no('agent_crashed', `exit code ${exit.code}`);
  if (attempt.exceptions > 0)
    return no('agent_crashed', 'an exception while it talked to the model');
  if (attempt.sends === 0) return no('no_response');
  if (brokeOff(attempt)) return no('stream_broken');
  if (!exit.orderly) return no('agent_crashed', 'it did not tell that it had ended');
  if (attempt.lastCompletionTokens === 0 || saw.has('empty_response')) return no('empty_reply');
  if (saw.has('gave_up')) {
    return no(saw.has('edit_error') ? 'edit_failed' : 'malformed_edits');
  }
  if (saw.has('edits_skipped')) return no('edits_skipped');
  if (saw.has('file_refused') || saw.has('not_committed') || saw.has('edits_lost')) {
    return no('edit_failed');
  }
  if (exit.flaw?.kind === 'unread') return no('malformed_edits', exit.flaw.words);
  if (exit.flaw) {
    return no(exit.flaw.kind === 'cut' ? 'reply_cut' : 'unsafe_edits', exit.flaw.words);
  }
  // It asked again for what it could not read, and got an answer without any edit.
  if (saw.has('malformed') && !exit.edits) return no('malformed_edits');
  const gone = inspection.diff.files.filter(({ status }) => status === 'D');
  if (gone.length > 0 && !asked.removal && !attempt.interactive) {
    return no('file_gone', gone.map(({ path }) => path).join(', '));
  }
  if (inspection.unresolved.length > 0) {
    return no('conflict_left', inspection.unresolved.join(', '));
  }
  // What an earlier attempt left half done is no work of this one; nor is a file that was only touched.
  if (!inspection.changed || inspection.diff.files.every(isEmptyNewFile)) return no('no_change');
  if (!inspection.substantial && !asked.whiteSpace) return no('white_space_only');
  return { ok: true };
}

/** The gravest of what was refused; null when nothing was. */
function judgeRefused({ refused }: Inspection): Verdict | null {
  const groups: readonly (readonly [FailReason, readonly RefusalKind[]])[] = [
    ['dangerous_change', ['runs_code']],
    ['outside_scope', ['outside', 'beside']],
    ['refused_change', ['link', 'mode', 'submodule', 'size']],
  ];
  for (const [reason, kinds] of groups) {
    const own = refused.filter(({ why }) => kinds.includes(why));
    if (own.length > 0) return { ok: false, reason, detail: own.map(refusalWords).join('; ') };
  }
  return null;
}
