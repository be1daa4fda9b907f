import type { FailReason, Outcome, Repair } from '../agent/agent.js';
import { unreachable } from '../result.js';
import type { CircuitBreaker } from '../run/run.js';

/** What a person is told about a failure. */
const reasons: Record<FailReason, string> = {
  no_response: 'no response from the model',
  no_change: 'replied, but changed nothing',
  white_space_only: 'changed white space only',
  empty_reply: 'empty reply',
  malformed_edits: 'edits in a wrong format',
  edit_failed: 'the edits could not be written',
  edits_skipped: 'edits to files that git ignores, or that cannot be made, were skipped',
  reply_cut: 'the reply ended within a block (taken back)',
  unsafe_edits: 'edits that can be read in more than one way (taken back)',
  file_gone: 'a file of its group is gone, and the task does not ask for that',
  outside_scope: 'changed files outside its group (put back)',
  refused_change: 'made a change that no agent may make (put back)',
  dangerous_change: 'stopped: changed what would run code on the next start',
  token_limit: "hit the model's token limit",
  auth: 'the provider refused the API key',
  model_not_found: 'the provider does not know the model',
  quota: "the provider's quota or credit is used up",
  rate_limited: 'rate limited until the retries were used up',
  provider_error: 'the provider could not be reached, or its server kept failing',
  request_refused: 'the provider refused the request',
  stream_broken: 'the reply broke off in the middle (taken back)',
  agent_crashed: 'its program crashed',
  killed_by_signal: 'its program was killed by a signal',
  timeout: 'out of time',
  unanswered_question: 'asked a question that nobody answered',
  max_iterations: 'stopped at the iteration limit',
  start_failed: 'its program could not be started',
  setup_failed: 'the set-up command failed',
  worktree_failed: 'the worktree could not be made',
  commit_failed: 'the work could not be committed',
  disk_full: 'the disk is full',
  machine_fault: 'a fault of this machine, not of the agent',
  tests_failed: "the project's tests fail with its change",
  review_not_met: 'the reviewer finds it not met',
  conflict_left: 'left conflict markers in its files',
  merge_conflict: 'conflicts with work that was merged before it',
  breaks_tests: "breaks the project's tests together with the work of others",
  budget: 'the budget is spent',
  not_started: 'not started',
  dependency_failed: 'not started: what it depends on did not succeed',
  dependency_conflict: 'not started: what it depends on conflicts',
};

/** A reason in words for a person, without its detail. */
export function reasonWords(reason: FailReason): string {
  return reasons[reason];
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
  start_failed: 'Check what is there: aider-orchestrator doctor.',
  setup_failed: 'Fix the set-up command.',
};

/** Why a run was halted, and the way out. */
export function haltWords({ reason, detail, agents }: CircuitBreaker): string {
  const why = detail === '' ? reasonWords(reason) : `${reasonWords(reason)} (${detail})`;
  const who = agents.length > 1 ? `${agents.length} agents failed alike, ` : '';
  return `Halted, nothing new starts: ${who}${why}. ${mends[reason] ?? ''}`.trim();
}

/** Why a repair was given up, for a person. */
export function repairReason({ kind }: Repair): FailReason {
  return kind === 'conflict' ? 'merge_conflict' : 'breaks_tests';
}

/** What a person is told whose own commits are signed. */
export const unsignedWords =
  'commit.gpgSign is set, and what the agents do is not signed: a key could ask for its passphrase';
