// Longer than 300 lines: one document with its schema.

import * as z from 'zod';
import {
  type Agent,
  committedWork,
  currentAttempt,
  iterations,
  type Outcome,
  outcomeOf,
  outcomeReason,
  timeSpent,
} from '../agent/agent.js';
import { ancestors } from '../plan/groups.js';
import { moneyOf } from '../policy/budget.js';
import { describe, type Failure } from '../policy/failure.js';
import { refusalKinds } from '../policy/fence.js';
import { type Review, reviewWords, verdicts } from '../policy/review.js';
import { heldWords, stateOfNamed, testsNamedIn } from '../policy/test-report.js';
import { testRunWords } from '../policy/test-run.js';
import { unreachable } from '../result.js';
import { outcomeWords } from '../text/words.js';
import { agentBranch } from './branches.js';
import { type RunState, runTime } from './run.js';

/** Summaries are read back, and git is asked by what stands in them: so it has to be what it says. */
const objectName = z
  .string()
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'the name of an object of git');
const branchName = z.union([
  z.string().regex(/^aider\/\d{8}_\d{6}\/(agent\d+(-round\d+)?|merged)$/, 'a branch of the run'),
  z.literal(''),
]);
const stampName = z.string().regex(/^\d{8}_\d{6}$/, 'YYYYMMDD_HHMMSS');

/**
 * `summary_<stamp>.json`. The keys of the original script keep their names and meaning, except that
 * `success` is decided by evidence. The JSON schema that ships in the package is made from this.
 */
const fileChangeSchema = z.strictObject({
  path: z.string(),
  status: z.string(),
  added: z.number().int().nullable(),
  removed: z.number().int().nullable(),
});

const reviewedSchema = z
  .strictObject({
    words: z.string(),
    model: z.string().nullable(),
    criteria: z.array(
      z.strictObject({
        id: z.string(),
        verdict: z.enum(verdicts),
        file: z.string().nullable(),
        line: z.number().nullable(),
        note: z.string(),
      }),
    ),
    remarks: z.string(),
  })
  .describe('What a reviewer said, with evidence in the diff; null when none was asked');

/** From a requirement of the PRD to what was done for it. */
const requirementSchema = z.strictObject({
  id: z.string(),
  text: z.string(),
  tasks: z.array(z.string()).describe('Tasks that serve it; empty when none does'),
  commits: z.array(objectName).describe('Their merged work'),
  files: z.array(z.string()),
  tests: z.string().nullable(),
  reviewers: z
    .enum(verdicts)
    .nullable()
    .describe('The least of what the reviewers of its tasks said'),
  supervisor: z.enum(verdicts).nullable(),
  named_tests: z
    .array(z.strictObject({ name: z.string(), state: z.enum(['passes', 'fails', 'not run']) }))
    .optional()
    .describe('Tests that the requirement points at, and what they say of the merged work'),
});

const agentSummarySchema = z.strictObject({
  log_file: z.string().describe('The agent log, relative to the repository'),
  iterations: z.number().int().describe('Responses of the model, over all attempts'),
  success: z.boolean(),
  error: z.string().nullable().describe('Why it did not succeed, in words'),
  outcome: z.strictObject({
    state: z.enum(['succeeded', 'failed', 'killed']),
    reason: z.string().nullable().describe('One of a closed set when failed; who, when killed'),
  }),
  task: z.strictObject({ id: z.string(), title: z.string() }),
  files: z.array(z.string()).describe('The file group; empty means the whole repository'),
  files_changed: z.array(fileChangeSchema),
  files_put_back: z.array(z.string()).describe('Changed against the rules and put back'),
  refused: z
    .array(
      z.strictObject({
        path: z.string(),
        why: z.enum(refusalKinds),
        undone: z.boolean().describe('false where nobody can tell what was there before'),
      }),
    )
    .optional()
    .describe('What it changed and must not have'),
  branch: branchName.describe("Where its work is; '' when no branch stands at its commit"),
  commit: objectName.nullable(),
  left_in: z
    .string()
    .nullable()
    .optional()
    .describe('The worktree in which its work lies, where it could not be committed'),
  merged: z.boolean().describe('Whether its work is in the integration branch'),
  conflicts: z.array(z.string()).describe('Files that kept it out of the integration branch'),
  review: reviewedSchema.nullable().optional(),
  tests: z
    .string()
    .nullable()
    .optional()
    .describe("What the project's tests said of its work last"),
  repairs: z
    .number()
    .int()
    .optional()
    .describe('Times it mended what kept its work from being merged'),
  left_out: z.string().nullable().optional().describe('Why a success is not merged, in words'),
  attempts: z.number().int().describe('Aider processes'),
  duration_s: z.number(),
  exit_code: z.number().int().nullable().describe('Of the last Aider process; 0 means little'),
  signal: z.string().nullable(),
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  cost_usd: z.number().nullable().describe('null when the price of the model is not known'),
});

export const summarySchema = z.strictObject({
  timestamp: stampName.describe('YYYYMMDD_HHMMSS; the id of the run'),
  agents: z.record(z.string().regex(/^agent\d+$/), agentSummarySchema),
  total_iterations: z.number().int(),
  successful_agents: z.number().int(),
  failed_agents: z.number().int().describe('Failed and killed ones'),
  prd_path: z.string().nullable(),
  change: z.string(),
  model_used: z.string(),
  provider: z.string(),
  landed: z.boolean(),
  landed_commit: objectName.nullable().optional().describe('What landed last'),
  landed_from: objectName
    .nullable()
    .optional()
    .describe('Where the branch was before, when it had moved since the run started'),
  landing: z.string().describe('What happened to the merged work, in words'),
  tests: z
    .strictObject({
      command: z.string(),
      base: z.string().nullable().describe('What they said of the base, in words'),
      merged: z.string().nullable().describe('What they said of the merged work, in words'),
    })
    .nullable()
    .optional()
    .describe('null when the work was not tested'),
  land_later: z.string().nullable().describe('The command that lands it later'),
  integration_branch: branchName.nullable(),
  integration_commit: objectName.nullable(),
  base: objectName.describe('The commit all work started from'),
  base_branch: z.string().nullable(),
  gemini_model_used: z.string().nullable(),
  requirements: z.array(requirementSchema).optional(),
  supervisor: reviewedSchema.nullable().optional(),
  cost_usd: z
    .number()
    .nullable()
    .optional()
    .describe('Of all agents and reviews; null when the price of some of it is not known'),
  review_cost_usd: z
    .number()
    .nullable()
    .optional()
    .describe('The part of it for reviews by a model of Aider; Gemini tells no price'),
  budget_usd: z.number().nullable().optional(),
  simulated: z.boolean(),
  interrupted_by: z.string().nullable(),
  error: z.string().nullable().describe('What kept the run from its end, in words'),
  warnings: z.array(z.string()),
  duration_s: z.number(),
  exit_code: z.number().int().optional().describe('What the run ended with'),
});

export type AgentSummary = z.infer<typeof agentSummarySchema>;
export type Summary = z.infer<typeof summarySchema>;

export function agentLogName(stamp: string, agent: number): string {
  return `.aider_logs/agent${agent}_${stamp}.jsonl`;
}

/** Why the work of a success is not merged; null when it is, or was never to be. */
function leftOutWords(state: RunState, { index, state: now }: Agent): string | null {
  const { integration } = state;
  if (now.name !== 'succeeded' || integration?.merged.includes(index)) return null;
  if (state.excluded.includes(index)) return 'you left it out';
  const tasks = state.agents.map(({ task }) => task);
  const needs = ancestors(tasks, state.agents[index]?.task.id ?? '');
  const out = state.excluded.find((other) => needs.has(state.agents[other]?.task.id ?? ''));
  if (out !== undefined) return `what it builds on, the work of agent${out}, was left out`;
  const left = integration?.leftOut.find(({ agent }) => agent === index);
  if (left && left.files.length > 0) return `it conflicts in ${left.files.join(', ')}`;
  if (left && left.because !== null) {
    return `what it builds on, the work of agent${left.because}, was left out`;
  }
  if (left) return 'it breaks the tests together with the work of others';
  return 'the run ended before that';
}

/** An agent that the run ended without. */
function unfinished(agent: Agent): Outcome {
  return agent.attempts.length === 0
    ? { state: 'failed', reason: 'not_started', detail: '' }
    : { state: 'killed', by: 'the end of the run' };
}

function summariseAgent(state: RunState, agent: Agent): AgentSummary {
  const { stamp } = state.config;
  const outcome = outcomeOf(agent) ?? unfinished(agent);
  const work = committedWork(agent);
  const exit = currentAttempt(agent)?.exit ?? null;
  const leftOut = state.integration?.leftOut.find((left) => left.agent === agent.index);
  return {
    log_file: agentLogName(stamp, agent.index),
    iterations: iterations(agent),
    success: outcome.state === 'succeeded',
    error: outcome.state === 'succeeded' ? null : outcomeWords(outcome),
    outcome: {
      state: outcome.state,
      reason: outcomeReason(outcome),
    },
    task: { id: agent.task.id, title: agent.task.title },
    files: [...agent.task.files],
    files_changed: (work?.diff.files ?? []).map((file) => ({ ...file })),
    files_put_back: agent.refused.filter((one) => one.undone).map((one) => one.path),
    refused: agent.refused.map((one) => ({ ...one })),
    branch: agentBranch(stamp, agent.index),
    commit: work?.commit ?? null,
    left_in: agent.leftIn,
    merged: state.integration?.merged.includes(agent.index) ?? false,
    conflicts: [...(leftOut?.files ?? agent.repair?.files ?? [])],
    tests: agent.testRun && heldWords(state.baseTestRun, agent.testRun),
    repairs: agent.repairs,
    review: agent.review && summariseReview(agent.review),
    left_out: leftOutWords(state, agent),
    attempts: agent.attempts.length,
    duration_s: Math.round(timeSpent(agent, agent.endedAt ?? agent.startedAt ?? 0) / 100) / 10,
    exit_code: exit?.code ?? null,
    signal: exit?.signal ?? null,
    prompt_tokens: agent.usage.promptTokens,
    completion_tokens: agent.usage.completionTokens,
    cost_usd: agent.usage.cost,
  };
}

/** Whether the merged work is tested, in words. */
export function testedWords({ integration, baseTestRun }: RunState): string {
  const check = integration?.testRun ?? null;
  if (check === null) return 'untested';
  if (baseTestRun?.report && check.report) return heldWords(baseTestRun, check);
  return check.state !== 'passed' && baseTestRun?.state !== 'passed'
    ? `${testRunWords(check)}, as on the base`
    : testRunWords(check);
}

function summariseReview(review: Review): z.infer<typeof reviewedSchema> {
  return {
    words: reviewWords(review),
    model: review.model,
    criteria: review.criteria.map(({ id, verdict, file, line, note }) => ({
      id,
      verdict,
      file,
      line,
      note,
    })),
    remarks: review.remarks,
  };
}

/** The chain of each requirement: who served it, by which commits and files, and what was said of it. */
function requirementsOf(state: RunState): z.infer<typeof requirementSchema>[] {
  const wanted = state.criteria.filter(({ kind }) => kind === 'requirement');
  return wanted.map(({ id, text }) => {
    const serving = state.agents.filter((agent) =>
      (agent.task.requirements ?? []).some((one) => one.toUpperCase() === id),
    );
    const merged = serving.filter((agent) => state.integration?.merged.includes(agent.index));
    const said = serving.flatMap(
      (agent) => agent.review?.criteria.find((one) => one.id === id)?.verdict ?? [],
    );
    const least = (['not_met', 'cannot_tell', 'met'] as const).find((one) => said.includes(one));
    const files = merged.flatMap((agent) => committedWork(agent)?.diff.files ?? []);
    return {
      id,
      text,
      tasks: serving.map((agent) => agent.task.id),
      commits: merged.flatMap((agent) => committedWork(agent)?.commit ?? []),
      files: [...new Set(files.map((file) => file.path))],
      tests: state.integration?.testRun ? testRunWords(state.integration.testRun) : null,
      reviewers: least ?? null,
      named_tests: testsNamedIn(text).map((name) => ({
        name,
        state: stateOfNamed(state.integration?.testRun ?? null, name),
      })),
      supervisor: state.review?.criteria.find((one) => one.id === id)?.verdict ?? null,
    };
  });
}

/** What happened to the merged work, in words. */
export function landingWords(state: RunState): string {
  const { said, more } = landingParts(state);
  return said + more;
}

/** Whether the work landed, and what there is to say beside, for where there is little room. */
export function landingParts(state: RunState): { readonly said: string; readonly more: string } {
  const { landing, config } = state;
  const not = (why: string) => ({ said: 'not landed', more: why });
  switch (landing?.state) {
    case 'landed':
      return { said: `landed on ${landing.branch}`, more: `, ${testedWords(state)}` };
    case 'not_asked':
      return not(', as asked');
    case 'waits':
      return not(`: it waits for your look, ${testedWords(state)}`);
    case 'undone':
      return { said: `taken back from ${landing.branch}`, more: '' };
    case 'refused':
      return not(`: ${landing.reason}`);
    case undefined:
      break;
    default:
      return unreachable(landing);
  }
  if (state.failure) return not(`: ${describe(state.failure).message.replace(/\.$/, '')}`);
  if (state.interruptedBy) return not(`: interrupted (${state.interruptedBy})`);
  return not(config.land === 'none' ? ', as asked' : '');
}

/** The command that lands the work later; null where there is nothing to land. */
function landLater({ landing, config }: RunState): string | null {
  if (landing?.state === 'undone' || landing?.state === 'waits')
    return `aider-orchestrator land ${config.stamp}`;
  return landing?.state === 'refused' && landing.how !== '' ? landing.how : null;
}

/** The summary of a run that has ended. */
export function summarise(state: RunState): Summary {
  const { config, integration, landing } = state;
  const agents = state.agents.map((agent) => summariseAgent(state, agent));
  const successful = agents.filter((agent) => agent.success).length;
  return {
    timestamp: config.stamp,
    agents: Object.fromEntries(agents.map((agent, index) => [`agent${index}`, agent])),
    total_iterations: agents.reduce((sum, agent) => sum + agent.iterations, 0),
    successful_agents: successful,
    failed_agents: agents.length - successful,
    prd_path: state.prdPath,
    change: config.change,
    model_used: config.model,
    provider: config.provider,
    landed: landing?.state === 'landed',
    landed_commit: state.landed,
    landed_from: state.landedFrom,
    landing: landingWords(state),
    tests: config.testCommand && {
      command: config.testCommand.command,
      base: state.baseTestRun && testRunWords(state.baseTestRun),
      merged: integration?.testRun ? testRunWords(integration.testRun) : null,
    },
    land_later: landLater(state),
    integration_branch: integration?.commit ? integration.branch : null,
    integration_commit: integration?.commit ?? null,
    base: config.base,
    base_branch: config.branch,
    gemini_model_used: state.geminiModelUsed,
    requirements: requirementsOf(state),
    supervisor: state.review && summariseReview(state.review),
    cost_usd: moneyOf(state).isPartial ? null : moneyOf(state).spent,
    review_cost_usd: state.reviewUsage.cost,
    budget_usd: state.budgetUsd,
    simulated: config.simulated,
    interrupted_by: state.interruptedBy,
    error: state.failure ? describe(state.failure).message : null,
    warnings: [...state.warnings],
    duration_s: state.endedAt === null ? 0 : Math.round(runTime(state, state.endedAt) / 100) / 10,
    exit_code: exitCode(state),
  };
}

/** The exit code of a run that has ended; those of earlier versions did not write it down. */
export function exitCodeOf({ exit_code, failed_agents, landed }: Summary): number {
  return exit_code ?? (failed_agents === 0 && landed ? 0 : 1);
}

/**
 * The exit code for a failure before any work: 2 for what a person mends by another call, 1 for what
 * is the world's, such as a used-up quota.
 */
export function failureCode(failure: Failure): number {
  if (failure.kind === 'planner') {
    return ['no_key', 'bad_key', 'model_gone'].includes(failure.problem) ? 2 : 1;
  }
  return ['git', 'machine', 'red_base'].includes(failure.kind) ? 1 : 2;
}

const signalCodes: Record<string, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** 0 all succeeded and landed (or was asked not to); 1 something failed; 2 no work begun; 128+n by signal. */
export function exitCode(state: RunState): number {
  if (state.interruptedBy !== null) return signalCodes[state.interruptedBy] ?? 1;
  if (state.failure) return state.agents.length === 0 ? failureCode(state.failure) : 1;
  const succeeded = state.agents.every((agent) => agent.state.name === 'succeeded');
  const merged = state.integration?.leftOut.length === 0;
  const landed = state.landing?.state === 'landed' || state.landing?.state === 'not_asked';
  return succeeded && merged && landed ? 0 : 1;
}
