import type { FailReason, Repair } from '../../core/agent/agent.js';
import type { Brief, Feedback } from '../../core/agent/brief.js';
import { notMet, type Review } from '../../core/policy/review.js';
import { unreachable } from '../../core/result.js';

/** How an agent wants to be told what to do. */
export interface PromptStyle {
  /** Reasons that have to do with the form of its edits, in words that fit it. */
  readonly reasons: Partial<Readonly<Record<FailReason, string>>>;
  /** The last sentence: how the change is to be made. */
  readonly closing: string;
}

/** What a model is told of an attempt that failed. */
const reasons: Readonly<Record<FailReason, string>> = {
  no_response: 'There was no response.',
  no_change: 'Your last reply changed no file. Make the change now.',
  white_space_only:
    'Your last reply changed nothing but white space. Make the change that the task asks for.',
  empty_reply: 'Your last reply was empty.',
  malformed_edits:
    'The edits of your last replies could not be read or did not match the files, so nothing of them was applied. Look at the files as they are now.',
  edit_failed:
    'An error occurred while your edits were written, and they were lost. Send all of them again.',
  edits_skipped:
    'Some of your edits were skipped, because git ignores those files or they cannot be made. Change only the files you were given.',
  reply_cut:
    'Your last reply ended in the middle of an edit; its edits were taken back. Send it again, whole.',
  unsafe_edits:
    'Your last reply could not be applied safely, and was taken back. Leave no code out.',
  file_gone: 'A file of yours is gone. Make it again: nobody asked for it to be removed.',
  outside_scope:
    'You changed files that are not yours; those changes were taken back. Reach the goal within the files you were given.',
  refused_change:
    'Some of your changes are not allowed and were taken back: links that lead out of the repository, modes of files, submodules, very large files. Reach the goal without them.',
  dangerous_change: 'You changed files that nobody but a person may change.',
  token_limit:
    'Your last reply was cut by the token limit. Send a shorter one: small edits instead of whole files.',
  auth: 'Authentication failed.',
  model_not_found: 'Model not found.',
  quota: 'The quota is used up.',
  rate_limited: 'You were rate limited before you could reply.',
  provider_error: 'The connection failed before you could reply.',
  request_refused: 'Your provider refused the last request.',
  stream_broken:
    'Your last reply broke off in the middle; its edits were taken back. Send it again, whole.',
  agent_crashed: 'The tool that applies your edits crashed. Send your edits again.',
  killed_by_signal: 'The tool that applies your edits was killed. Send your edits again.',
  timeout: 'Time ran out.',
  unanswered_question: 'Do not ask; decide yourself.',
  max_iterations: 'The iteration limit was reached.',
  start_failed: 'The tool could not be started.',
  setup_failed: 'The set-up failed.',
  worktree_failed: 'The worktree could not be made.',
  commit_failed: 'The work could not be committed.',
  disk_full: 'The disk is full.',
  machine_fault: 'The machine that you work on failed.',
  tests_failed: "The project's tests fail with your change. Make them pass, within your files.",
  review_not_met: 'The reviewer finds that your change does not meet what was asked for.',
  conflict_left:
    'Your files still hold conflict markers (lines of <, = and >). Resolve each conflict: keep what both sides want, and remove the markers.',
  merge_conflict: 'Your work conflicts with the work of others.',
  breaks_tests: "Together with the work of others, your work breaks the project's tests.",
  budget: 'The budget is spent.',
  not_started: 'Not started.',
  dependency_failed: 'A dependency failed.',
  dependency_conflict: 'The dependencies conflict.',
};

/**
 * What an agent is told. Begins with a word of ours, never with `/` or `!`, which Aider takes for
 * commands (`!` runs a shell).
 */
export function promptOf(brief: Brief, style: PromptStyle): string {
  const { task, feedback, remarks, prdPath } = brief;
  const parts = [`Task: ${task.title}`];
  if (feedback !== null) {
    parts.push(`This is not your first try. ${feedbackWords(feedback, style)}`);
  }
  for (const remark of remarks) parts.push(`A person who watches you says: ${remark.trim()}`);
  if (task.description.trim() !== '' && task.description.trim() !== task.title) {
    parts.push(task.description.trim());
  }
  const change = brief.change.trim();
  if (change !== '' && change !== task.description.trim()) {
    parts.push(`The task is one part of this change, the rest is done by others:\n${change}`);
  }
  if (prdPath !== null) {
    const name = prdPath.slice(prdPath.lastIndexOf('/') + 1);
    const served = task.requirements?.length ? ` It serves ${task.requirements.join(', ')}.` : '';
    parts.push(`The PRD is in ${name}, which you can read.${served}`);
  }
  if (task.files.length > 0) {
    parts.push(`Change only these files:\n${task.files.map((file) => `- ${file}`).join('\n')}`);
  }
  parts.push(style.closing);
  return parts.join('\n\n');
}

/** What is told of the work so far, so that the next try goes better. */
function feedbackWords(feedback: Feedback, style: PromptStyle): string {
  switch (feedback.kind) {
    case 'failed':
      return reasonWords(feedback.reason, feedback.detail, style);
    case 'tests':
      return `${reasonWords('tests_failed', feedback.detail, style)}\n\n${feedback.output}`;
    case 'review':
      return reviewWords(feedback.review);
    case 'repair':
      return repairWords(feedback.repair);
    default:
      return unreachable(feedback);
  }
}

function reasonWords(reason: FailReason, detail: string, style: PromptStyle): string {
  const words = style.reasons[reason] ?? reasons[reason];
  return detail === '' || reason === 'agent_crashed' ? words : `${words} (${detail})`;
}

function repairWords({ kind, files, words, output }: Repair): string {
  if (kind === 'conflict') {
    return `Your work was good, but others have changed the same lines meanwhile. Your files now hold the work of both; where they conflict, in ${files.join(', ')}, between markers: your version is the second one of each pair. Resolve each conflict so that both changes are kept in meaning, and remove all markers.`;
  }
  return `Your work was good by itself, but together with the work of others, which your files now build on, the project's tests fail (${words}). Mend that within your files.\n\n${output}`;
}

function reviewWords(review: Review): string {
  const points = notMet(review).map(({ id, text, file, line, note }) => {
    const where = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
    return `- ${id}: ${text}${note === '' ? '' : `\n  ${note}${where}`}`;
  });
  const remarks = review.remarks === '' ? '' : `\n\nThe reviewer remarks: ${review.remarks}`;
  return `A reviewer has read your change. Not met:\n${points.join('\n')}${remarks}`;
}
