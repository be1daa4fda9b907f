// Longer than 300 lines: the form of each message.
import * as z from 'zod';
import { type Agent, failReasons } from '../agent/agent.js';
import { flawKinds, symptoms } from '../agent/evidence.js';
import { taskSchema } from '../plan/plan.js';
import { refusalKinds } from '../policy/fence.js';
import { machineFaults } from '../policy/machine-fault.js';
import { prerequisiteNames } from '../policy/prerequisite.js';
import { verdicts } from '../policy/review.js';
import { redBases } from '../policy/test-report.js';
import { unreachable } from '../result.js';
import { parseJson } from '../text/parse-json.js';
import { agentBranch } from './branches.js';
import type { Message } from './message.js';
import type { RunState } from './run.js';
import { update } from './update.js';

/**
 * The journal of a run: one JSON object a line. The first line names it and its version; each other one is a
 * message, and together they rebuild the state. What is read back is input like any other: it is held against
 * this form before it is believed. A message that is not known, or has another form, makes the journal unreadable,
 * and so does another version: a state that is rebuilt by half would be believed as a whole.
 */
export const journalVersion = 4;

export interface JournalHead {
  readonly journal: typeof journalVersion;
  readonly run: string;
}

export function journalHead(stamp: string): JournalHead {
  return { journal: journalVersion, run: stamp };
}

const object = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'the name of an object of git');
const index = z.number().int().min(0).max(100_000);
const texts = z.array(z.string());
const reason = z.enum(failReasons);

const fileChange = z.object({
  path: z.string(),
  status: z.string(),
  added: z.number().nullable(),
  removed: z.number().nullable(),
});
const diff = z.object({ files: z.array(fileChange) });
const work = z.object({ commit: object.nullable(), diff });
const checkout = z.object({ worktree: z.string(), branch: z.string(), start: object });
const refusal = z.object({ path: z.string(), why: z.enum(refusalKinds), undone: z.boolean() });
const conflict = z.object({ agent: index, files: texts });
const criterion = z.object({
  id: z.string(),
  text: z.string(),
  kind: z.enum(['requirement', 'acceptance', 'task']),
});
const review = z.object({
  criteria: z.array(
    criterion.extend({
      verdict: z.enum(verdicts),
      file: z.string().nullable(),
      line: z.number().nullable(),
      note: z.string(),
    }),
  ),
  remarks: z.string(),
  model: z.string().nullable(),
  problem: z.string().nullable(),
});
const usage = z.object({
  promptTokens: z.number(),
  completionTokens: z.number(),
  cost: z.number().nullable(),
  knownCost: z.number(),
});
const testRun = z.object({
  state: z.enum(['passed', 'failed', 'stopped', 'faulted']),
  fault: z.enum(machineFaults).exactOptional(),
  lacksSetup: z.literal(true).exactOptional(),
  words: z.string(),
  output: z.string(),
  ms: z.number(),
  flaky: z.boolean(),
  report: z
    .object({
      passed: z.number(),
      skipped: z.number(),
      failed: texts,
      passedNames: texts.nullable(),
    })
    .exactOptional(),
});

const failure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('usage'), message: z.string(), hint: z.string().exactOptional() }),
  z.object({ kind: z.literal('settings'), file: z.string(), problems: texts }),
  z.object({ kind: z.literal('plan'), source: z.string(), problems: texts }),
  z.object({
    kind: z.literal('prerequisites'),
    missing: z.array(
      z.object({ name: z.enum(prerequisiteNames), text: z.string(), mend: z.string() }),
    ),
  }),
  z.object({ kind: z.literal('git'), doing: z.string(), detail: z.string() }),
  z.object({ kind: z.literal('machine'), fault: z.enum(machineFaults), doing: z.string() }),
  z.object({
    kind: z.literal('red_base'),
    command: z.string(),
    words: z.string(),
    output: z.string(),
  }),
  z.object({ kind: z.literal('file'), path: z.string(), detail: z.string() }),
  z.object({ kind: z.literal('aider'), message: z.string(), hint: z.string() }),
  z.object({
    kind: z.literal('planner'),
    problem: z.enum([
      'no_key',
      'bad_key',
      'model_gone',
      'quota',
      'server',
      'blocked',
      'cut_off',
      'broken_json',
      'empty',
      'timeout',
      'network',
      'cancelled',
    ]),
    detail: z.string(),
  }),
]);

/** Patterns are matched against every changed file: their number and length are bounded. */
const globs = z.array(z.string().max(1000)).max(1000);

const config = z.object({
  stamp: z.string().regex(/^\d{8}_\d{6}$/),
  change: z.string(),
  repo: z.string(),
  base: object,
  branch: z.string().nullable(),
  agent: z.object({
    kind: z.enum(['aider', 'command']),
    name: z.string(),
    command: z.string().nullable(),
    takesOver: z.boolean(),
    tellsCost: z.boolean(),
    args: z.array(z.union([z.string(), z.object({ secret: z.string() })])),
    read: texts,
    warm: z.boolean(),
  }),
  model: z.string(),
  provider: z.string(),
  geminiModel: z.string(),
  maxAgents: z.number(),
  maxIterations: z.number(),
  timeoutMs: z.number(),
  land: z.enum(['all', 'any', 'ask', 'none']),
  files: texts,
  planSource: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('planner') }),
    z.object({ kind: z.literal('prd'), path: z.string() }),
    z.object({ kind: z.literal('plan'), path: z.string(), prdPath: z.string().nullable() }),
    z.object({ kind: z.literal('none') }),
  ]),
  testCommand: z
    .object({
      command: z.string(),
      from: z.string(),
      timeoutMs: z.number(),
      report: z.string().nullable(),
    })
    .nullable(),
  redBase: z.enum([...redBases, 'ask']),
  // Journals of earlier versions did not tell these.
  setup: z.string().nullable().default(null),
  copy: globs.default([]),
  protect: globs.default([]),
  maxFileBytes: z.number().positive().nullable().default(null),
  direct: z.boolean().default(false),
  review: z.object({ model: z.string().nullable() }).nullable(),
  budgetUsd: z.number().nullable(),
  unattended: z.boolean(),
  simulated: z.boolean(),
});

const exit = z.object({
  code: z.number().nullable(),
  signal: z.string().nullable(),
  orderly: z.boolean(),
  symptoms: z.array(z.enum(symptoms)),
  edited: texts,
  named: texts,
  edits: z.boolean(),
  flaw: z.object({ kind: z.enum(flawKinds), subject: z.string(), words: z.string() }).nullable(),
  cause: z.string().nullable(),
});

const inspection = z.object({
  diff,
  changed: z.boolean(),
  substantial: z.boolean(),
  refused: z.array(refusal),
  tree: z.string(),
  named: texts,
  unresolved: texts,
  failure: z.object({ reason, detail: z.string() }).nullable(),
});

const landing = z.discriminatedUnion('state', [
  z.object({ state: z.literal('landed'), commit: object, branch: z.string() }),
  z.object({ state: z.literal('not_asked') }),
  z.object({ state: z.literal('waits') }),
  z.object({ state: z.literal('undone'), branch: z.string() }),
  z.object({
    state: z.literal('refused'),
    reason: z.string(),
    how: z.string(),
    tip: object.optional(),
    by: texts.optional(),
  }),
]);

const step = z.object({
  commit: object.nullable(),
  merged: z.array(index),
  conflicts: z.array(conflict),
  broken: z.array(z.object({ agent: index, words: z.string(), output: z.string() })),
  because: z.array(z.object({ agent: index, of: index })),
  diff,
  testRun: testRun.nullable(),
});

const at = { at: z.number() };
const plain = <T extends string>(type: T) => z.object({ type: z.literal(type), ...at });
const ofAgent = <T extends string>(type: T) =>
  z.object({ type: z.literal(type), agent: index, ...at });

export const messageSchema = z.discriminatedUnion('type', [
  plain('run_started').extend({ config }),
  plain('plan_made').extend({
    plan: z.object({
      tasks: z.array(taskSchema),
      prdPath: z.string().nullable(),
      geminiModelUsed: z.string().nullable(),
      warnings: texts,
      criteria: z.array(criterion),
    }),
  }),
  plain('plan_failed').extend({ failure }),
  plain('plan_confirmed'),
  plain('plan_declined'),
  ofAgent('agent_prepared').extend({ checkout }),
  ofAgent('agent_not_prepared').extend({ reason, detail: z.string() }),
  ofAgent('attempt_started').extend({ pid: z.number() }),
  ofAgent('attempt_not_started').extend({ reason, detail: z.string() }),
  ofAgent('turn_started'),
  ofAgent('turn_ended').extend({ usage: usage.nullable() }),
  ofAgent('turn_failed').extend({ cause: z.string().nullable() }),
  ofAgent('agent_edited').extend({ files: texts }),
  ofAgent('agent_asks').extend({ question: z.string() }),
  ofAgent('agent_goes_on'),
  ofAgent('attempt_exited').extend({ exit }),
  ofAgent('attempt_lost'),
  ofAgent('attempt_inspected').extend({ inspection }),
  plain('base_tested').extend({ testRun }),
  plain('red_base_decided').extend({ how: z.enum(redBases) }),
  plain('tests_named').extend({ command: z.string() }),
  ofAgent('agent_reviewed').extend({ review, usage: usage.nullable() }),
  plain('supervised').extend({ commit: object, review, usage: usage.nullable() }),
  ofAgent('agent_tested').extend({ testRun }),
  ofAgent('agent_committed').extend({ work }),
  ofAgent('agent_not_committed').extend({ reason, detail: z.string() }),
  plain('timer_fired').extend({
    timer: z.object({
      kind: z.enum(['wall_clock', 'escalate', 'unanswered']),
      agent: index,
      epoch: z.number(),
    }),
  }),
  plain('rate_changed').extend({
    rate: z
      .object({ window: z.number(), waiting: z.number(), until: z.number().nullable() })
      .nullable(),
  }),
  ofAgent('agent_touched').extend({
    files: z.array(fileChange),
    dangers: z.array(refusal),
    conflicts: z.array(conflict),
  }),
  ofAgent('kill_agent'),
  plain('kill_all'),
  ofAgent('restart_agent').extend({ remark: z.string().nullable() }),
  plain('restart_failed'),
  ofAgent('remark').extend({ text: z.string() }),
  ofAgent('take_over'),
  plain('pause').extend({ paused: z.boolean() }),
  plain('set_budget').extend({ usd: z.number().nullable() }),
  plain('set_slots').extend({ slots: z.number() }),
  ofAgent('leave_out'),
  plain('land_now'),
  plain('tip_merged').extend({
    merged: z.discriminatedUnion('state', [
      z.object({ state: z.literal('merged'), commit: object }),
      z.object({ state: z.literal('refused'), reason: z.string() }),
    ]),
  }),
  plain('tip_tested').extend({ testRun }),
  plain('undo_landing'),
  plain('landing_undone').extend({
    undone: z.discriminatedUnion('state', [
      z.object({ state: z.literal('undone') }),
      z.object({ state: z.literal('refused'), reason: z.string(), how: z.string() }),
    ]),
  }),
  plain('setup_named').extend({ command: z.string().nullable() }),
  plain('model_named').extend({ model: z.string() }),
  plain('files_shared').extend({ run: z.string(), files: texts }),
  plain('interrupt').extend({ signal: z.string() }),
  plain('orphaned').extend({ detail: z.string() }),
  plain('resumed').extend({ idleMs: z.number().min(0), unattended: z.boolean() }),
  plain('integrated').extend({ step }),
  plain('integration_failed').extend({ failure }),
  plain('landing_done').extend({ landing }),
]);

/** Does not compile where the form of a message and its type differ. */
const asMessage = (read: z.infer<typeof messageSchema>): Message => read;

type None<T extends never> = T;
/** Does not compile where the form lacks a message. */
export type Uncovered = None<Exclude<Message['type'], z.infer<typeof messageSchema>['type']>>;

export type ReadJournal =
  | {
      readonly state: 'read';
      readonly run: RunState;
      /** When its last message was written, epoch milliseconds. */
      readonly at: number;
    }
  /** There is nothing in it yet. */
  | { readonly state: 'empty' }
  | { readonly state: 'unreadable'; readonly why: string };

/**
 * The state that the messages of a journal lead to. Half a last line, of a program that was killed, is passed
 * over; anything else that is not as it should be makes the whole journal unreadable, and is named.
 * @param stamp the run that it has to be of
 */
export function readJournal(text: string, stamp: string, onMessage?: OnMessage): ReadJournal {
  const lines = text.split('\n');
  lines.pop();
  const reader = new JournalReader(stamp, onMessage);
  for (const line of lines) {
    const why = reader.read(line);
    if (why !== null) return { state: 'unreadable', why };
  }
  const { run, at } = reader;
  return run === null ? { state: 'empty' } : { state: 'read', run, at };
}

/** Told of a message, with the states after and before it. */
export type OnMessage = (after: RunState, before: RunState | null, message: Message) => void;

/** Reads a journal line by line, also while it is written. */
export class JournalReader {
  run: RunState | null = null;
  /** When the last message was written, epoch milliseconds. */
  at = 0;
  private count = 0;

  /**
   * @param stamp the run that it has to be of
   * @param onMessage told of each message, with the states after and before it
   */
  constructor(
    private readonly stamp: string,
    private readonly onMessage: OnMessage = () => {},
  ) {}

  /** @returns what is wrong with the line, with its number; null when all is well */
  read(line: string): string | null {
    this.count += 1;
    const why = this.count === 1 ? this.readHead(line) : this.readMessage(line);
    return why === null ? null : `line ${this.count} ${why}`;
  }

  private readHead(line: string): string | null {
    const value = parseJson(line);
    if (value === undefined) return 'is no JSON';
    const head = headSchema.safeParse(value);
    if (!head.success) return 'is not the head of a journal';
    if (head.data.journal !== journalVersion) {
      const age = head.data.journal > journalVersion ? 'a newer' : 'an older';
      return `is of ${age} version of aider-orchestrator (${head.data.journal})`;
    }
    return head.data.run === this.stamp ? null : `is of the run ${head.data.run.slice(0, 40)}`;
  }

  private readMessage(line: string): string | null {
    const value = parseJson(line);
    if (value === undefined) return 'is no JSON';
    const parsed = messageSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return `is no message (${issue?.path.join('.') ?? ''}: ${(issue?.message ?? '').slice(0, 80)})`;
    }
    const message = asMessage(parsed.data);
    const before = this.run;
    const wrong = impossible(before, message, this.stamp);
    if (wrong !== null) return wrong;
    this.run = update(before, message)[0];
    this.at = message.at;
    this.onMessage(this.run, before, message);
    return null;
  }
}

const headSchema = z.object({ journal: z.number().int(), run: z.string() });

/** Why a message cannot follow on a state; null when it can. */
function impossible(run: RunState | null, message: Message, stamp: string): string | null {
  if (message.type === 'run_started') {
    if (run !== null) return 'begins the run a second time';
    return message.config.stamp === stamp ? null : 'begins another run';
  }
  if (run === null) return 'comes before the run began';
  const named = agentsOf(message);
  const missing = named.find((agent) => run.agents[agent] === undefined);
  if (missing !== undefined) return `names agent${missing}, which there is not`;
  if (message.type === 'agent_prepared') {
    const agent = run.agents[message.agent] as Agent;
    if (message.checkout.branch !== agentBranch(stamp, agent.index)) {
      return `names a branch that is not agent${agent.index}'s`;
    }
  }
  return null;
}

/** All agents that a message names. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one case for each message.
function agentsOf(message: Message): number[] {
  const own = 'agent' in message ? [message.agent] : [];
  switch (message.type) {
    case 'timer_fired':
      return [message.timer.agent];
    case 'agent_touched':
      return [...own, ...message.conflicts.map(({ agent }) => agent)];
    case 'integrated': {
      const { merged, conflicts, broken, because } = message.step;
      return [
        ...merged,
        ...[...conflicts, ...broken].map(({ agent }) => agent),
        ...because.flatMap(({ agent, of }) => [agent, of]),
      ];
    }
    case 'run_started':
    case 'plan_made':
    case 'plan_failed':
    case 'plan_confirmed':
    case 'plan_declined':
    case 'agent_prepared':
    case 'agent_not_prepared':
    case 'attempt_started':
    case 'attempt_not_started':
    case 'turn_started':
    case 'turn_ended':
    case 'turn_failed':
    case 'agent_edited':
    case 'agent_asks':
    case 'agent_goes_on':
    case 'attempt_exited':
    case 'attempt_lost':
    case 'attempt_inspected':
    case 'base_tested':
    case 'red_base_decided':
    case 'tests_named':
    case 'agent_reviewed':
    case 'supervised':
    case 'agent_tested':
    case 'agent_committed':
    case 'agent_not_committed':
    case 'rate_changed':
    case 'kill_agent':
    case 'kill_all':
    case 'restart_agent':
    case 'restart_failed':
    case 'remark':
    case 'take_over':
    case 'pause':
    case 'set_budget':
    case 'set_slots':
    case 'leave_out':
    case 'land_now':
    case 'tip_merged':
    case 'tip_tested':
    case 'undo_landing':
    case 'landing_undone':
    case 'setup_named':
    case 'model_named':
    case 'files_shared':
    case 'interrupt':
    case 'orphaned':
    case 'resumed':
    case 'integration_failed':
    case 'landing_done':
      return own;
    default:
      return unreachable(message);
  }
}
