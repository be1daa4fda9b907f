import type { FailReason, Outcome, Repair, ScreenText } from './agent.js';
import { unreachable } from './result.js';
import type { Halt } from './run.js';

/** What a person is told about a failure, and what the model is told in its next message. */
interface ReasonWords {
  readonly person: string;
  readonly model: string;
}

const reasons: Record<FailReason, ReasonWords> = {
  no_response: { person: 'no response from the model', model: 'There was no response.' },
  no_change: {
    person: 'replied, but changed nothing',
    model:
      'Your last reply changed no file. Make the change now, as edit blocks in the required format.',
  },
  white_space_only: {
    person: 'changed white space only',
    model:
      'Your last reply changed nothing but white space. Make the change that the task asks for.',
  },
  empty_reply: { person: 'empty reply', model: 'Your last reply was empty.' },
  malformed_edits: {
    person: 'edits in a wrong format',
    model:
      'The edit blocks of your last replies could not be read or did not match the files, so nothing of them was applied. Look at the files as they are now and follow the edit format exactly.',
  },
  edit_failed: {
    person: 'the edits could not be written',
    model:
      'An error occurred while your edits were written, and they were lost. Send all of them again.',
  },
  edits_skipped: {
    person: 'edits to files that git ignores, or that cannot be made, were skipped',
    model:
      'Some of your edits were skipped, because git ignores those files or they cannot be made. Change only the files you were given.',
  },
  reply_cut: {
    person: 'the reply ended within a block (taken back)',
    model:
      'Your last reply ended in the middle of a block; its edits were taken back. Send it again, whole, with every block closed.',
  },
  unsafe_edits: {
    person: 'edits that can be read in more than one way (taken back)',
    model:
      'Your last reply could not be applied safely, and was taken back. Put the exact path of one of your files on the line above each block, use each marker of the edit format only as a marker, leave no code out, and send no other blocks.',
  },
  file_gone: {
    person: 'a file of its group is gone, and the task does not ask for that',
    model: 'A file of yours is gone. Make it again: nobody asked for it to be removed.',
  },
  outside_scope: {
    person: 'changed files outside its group (put back)',
    model:
      'You changed files that are not yours; those changes were taken back. Reach the goal within the files you were given.',
  },
  refused_change: {
    person: 'made a change that no agent may make (put back)',
    model:
      'Some of your changes are not allowed and were taken back: links that lead out of the repository, modes of files, submodules, very large files. Reach the goal without them.',
  },
  dangerous_change: {
    person: 'stopped: changed what would run code on the next start',
    model: 'You changed files that nobody but a person may change.',
  },
  token_limit: {
    person: "hit the model's token limit",
    model:
      'Your last reply was cut by the token limit. Send a shorter one: small edits instead of whole files.',
  },
  auth: { person: 'the provider refused the API key', model: 'Authentication failed.' },
  model_not_found: { person: 'the provider does not know the model', model: 'Model not found.' },
  quota: {
    person: "the provider's quota or credit is used up",
    model: 'The quota is used up.',
  },
  rate_limited: {
    person: 'rate limited until the retries were used up',
    model: 'You were rate limited before you could reply.',
  },
  provider_error: {
    person: 'the provider could not be reached, or its server kept failing',
    model: 'The connection failed before you could reply.',
  },
  request_refused: {
    person: 'the provider refused the request',
    model: 'Your provider refused the last request.',
  },
  stream_broken: {
    person: 'the reply broke off in the middle (taken back)',
    model:
      'Your last reply broke off in the middle; its edits were taken back. Send it again, whole.',
  },
  aider_crashed: {
    person: 'Aider crashed',
    model: 'The tool that applies your edits crashed. Send your edits again.',
  },
  killed_by_signal: {
    person: 'Aider was killed by a signal',
    model: 'The tool that applies your edits was killed. Send your edits again.',
  },
  timeout: { person: 'out of time', model: 'Time ran out.' },
  unanswered_question: {
    person: 'asked a question that nobody answered',
    model: 'Do not ask; decide yourself.',
  },
  max_iterations: {
    person: 'stopped at the iteration limit',
    model: 'The iteration limit was reached.',
  },
  start_failed: { person: 'Aider could not be started', model: 'The tool could not be started.' },
  setup_failed: { person: 'the set-up command failed', model: 'The set-up failed.' },
  worktree_failed: {
    person: 'the worktree could not be made',
    model: 'The worktree could not be made.',
  },
  commit_failed: {
    person: 'the work could not be committed',
    model: 'The work could not be committed.',
  },
  disk_full: { person: 'the disk is full', model: 'The disk is full.' },
  machine_fault: {
    person: 'a fault of this machine, not of the agent',
    model: 'The machine that you work on failed.',
  },
  tests_failed: {
    person: "the project's tests fail with its change",
    model: "The project's tests fail with your change. Make them pass, within your files.",
  },
  review_not_met: {
    person: 'the reviewer finds it not met',
    model: 'The reviewer finds that your change does not meet what was asked for.',
  },
  conflict_left: {
    person: 'left conflict markers in its files',
    model:
      'Your files still hold conflict markers (lines of <, = and >). Resolve each conflict: keep what both sides want, and remove the markers.',
  },
  merge_conflict: {
    person: 'conflicts with work that was merged before it',
    model: 'Your work conflicts with the work of others.',
  },
  breaks_tests: {
    person: "breaks the project's tests together with the work of others",
    model: "Together with the work of others, your work breaks the project's tests.",
  },
  budget: {
    person: 'the budget is spent',
    model: 'The budget is spent.',
  },
  not_started: {
    person: 'not started',
    model: 'Not started.',
  },
  dependency_failed: {
    person: 'not started: what it depends on did not succeed',
    model: 'A dependency failed.',
  },
  dependency_conflict: {
    person: 'not started: what it depends on conflicts',
    model: 'The dependencies conflict.',
  },
};

/** A reason in words for a person, without its detail. */
export function reasonWords(reason: FailReason): string {
  return reasons[reason].person;
}

/** Reasons of agents that were never started; a summary that is read back tells them as text. */
export const unstartedReasons: readonly string[] = [
  'not_started',
  'dependency_failed',
  'dependency_conflict',
];

/** Whether an agent that failed so was never started. */
export function isUnstarted(reason: FailReason): boolean {
  return unstartedReasons.includes(reason);
}

/** An outcome in words for a person, with the detail that tells one case from another. */
export function outcomeWords(outcome: Outcome): string {
  switch (outcome.state) {
    case 'succeeded':
      return 'succeeded';
    case 'killed':
      return outcome.by === 'you' ? 'killed by you' : `killed (${outcome.by})`;
    case 'failed':
      // It did nothing that could have failed.
      if (isUnstarted(outcome.reason)) {
        return `${reasonWords(outcome.reason)}${outcome.detail === '' ? '' : ` (${outcome.detail})`}`;
      }
      return `failed: ${reasonWords(outcome.reason)}${outcome.detail === '' ? '' : ` (${outcome.detail})`}`;
    default:
      return unreachable(outcome);
  }
}

/** What a person can do about a failure that no message to a model cures. */
export const mends: Partial<Record<FailReason, string>> = {
  auth: 'Check the API key of the model, and that it may use it.',
  model_not_found: 'Choose a model that the provider has.',
  disk_full: 'Free some space or inodes (df -h, df -i).',
  machine_fault: 'Fix what is named, then resume.',
  quota: 'Check the plan and the credit of your account with the provider.',
  provider_error: 'Check the network and whether the provider is up, or choose another model.',
  start_failed: 'Check whether Aider is still there: aider-orchestrator doctor.',
  setup_failed: 'Fix the set-up command.',
};

/** Why a run was halted, and the way out. */
export function haltWords({ reason, detail, agents }: Halt): string {
  const why = detail === '' ? reasonWords(reason) : `${reasonWords(reason)} (${detail})`;
  const who = agents.length > 1 ? `${agents.length} agents failed alike, ` : '';
  return `Halted, nothing new starts: ${who}${why}. ${mends[reason] ?? ''}`.trim();
}

/** What the model is told of its work that could not be merged. */
export function repairForModel({ kind, files, words, output }: Repair): string {
  if (kind === 'conflict') {
    return `Your work was good, but others have changed the same lines meanwhile. Your files now hold the work of both; where they conflict, in ${files.join(', ')}, between markers: your version is the second one of each pair. Resolve each conflict so that both changes are kept in meaning, and remove all markers.`;
  }
  return `Your work was good by itself, but together with the work of others, which your files now build on, the project's tests fail (${words}). Mend that within your files.\n\n${output}`;
}

/** Why a repair was given up, for a person. */
export function repairReason({ kind }: Repair): FailReason {
  return kind === 'conflict' ? 'merge_conflict' : 'breaks_tests';
}

/** What the model is told about its last message, so that the next one goes better. */
export function reasonForModel(reason: FailReason, detail: string): string {
  const { model } = reasons[reason];
  return detail === '' || reason === 'aider_crashed' ? model : `${model} (${detail})`;
}

/** Aider's failure texts (0.86), matched on white-space-collapsed text in its own message colours. */
export const screenTexts: readonly { readonly text: ScreenText; readonly pattern: RegExp }[] = [
  { text: 'malformed', pattern: /The LLM did not conform to the edit format\./ },
  { text: 'reflections_exhausted', pattern: /Only \d+ reflections allowed, stopping\./ },
  { text: 'token_limit', pattern: /has hit a token limit!/ },
  { text: 'empty_response', pattern: /Empty response received from LLM\./ },
  {
    text: 'auth',
    pattern:
      /The API provider is not able to authenticate you\.|PermissionDeniedError|litellm\.APIError:.{0,300}?(?:not allowed|permission|forbidden|access denied|not authorized)/i,
  },
  {
    text: 'quota',
    pattern: /exceeded your current quota|insufficient[ _](?:quota|balance|credit)/i,
  },
  { text: 'rate_limited', pattern: /The API provider has rate limited you\./ },
  {
    text: 'server',
    pattern:
      /servers are down or overloaded|litellm\.(APIError|APIConnectionError|InternalServerError|Timeout|ServiceUnavailableError|BadGatewayError)|timed out without returning/,
  },
  {
    text: 'refused',
    pattern: /litellm\.(BadRequestError|UnprocessableEntityError|ContentPolicyViolationError)/,
  },
  // A name that litellm knows no provider for never reaches one.
  { text: 'not_found', pattern: /litellm\.NotFoundError|LLM Provider NOT provided/ },
  { text: 'unable_to_commit', pattern: /Unable to commit:/ },
  { text: 'unable_to_add', pattern: /Unable to add|Cmd\('git'\) failed/ },
  {
    text: 'edits_lost',
    pattern:
      // What Aider takes for an error of git, it tells and forgets; among it is whatever the system says.
      /list index out of range|\[Errno \d+\]|Unable to write file|object has no attribute|object is not (?:iterable|subscriptable|callable)|argument of type/,
  },
  { text: 'skipping_edits', pattern: /Skipping edits to|skipping edits\./ },
  { text: 'edit_exception', pattern: /Exception while updating files:/ },
  { text: 'disk_full', pattern: /No space left on device/ },
];

/** What a person is told whose own commits are signed. */
export const unsignedWords =
  'commit.gpgSign is set, and what the agents do is not signed: a key could ask for its passphrase';
