// Longer than 300 lines: a case for each message, and the form of each event.
import { isDone, iterations, outcomeOf, outcomeReason } from '../agent/agent.js';
import { describe } from '../policy/failure.js';
import { notMet, reviewWords } from '../policy/review.js';
import { heldWords } from '../policy/test-report.js';
import { testRunWords } from '../policy/test-run.js';
import { unreachable } from '../result.js';
import { outcomeWords, reasonWords, repairReason } from '../text/words.js';
import type { AgentSpec } from './config.js';
import type { Message } from './message.js';
import type { RunState } from './run.js';
import { exitCode, landingWords, type Summary, summarise } from './summary.js';

/**
 * What a run tells the world while it goes, one JSON object a line (`--json`). Version 1; fields may
 * be added, none is renamed or removed without a new version. `docs/scripting.md` documents each event.
 */
export const eventVersion = 1;

export type PublicEvent =
  | {
      event: 'run_started';
      run: string;
      change: string;
      base: string;
      branch: string | null;
      model: string;
      /** The kind of agents. */
      agents: AgentSpec['kind'];
    }
  | {
      event: 'plan_made';
      tasks: readonly {
        agent: number;
        id: string;
        title: string;
        files: readonly string[];
        read: readonly string[];
        depends_on: readonly string[];
      }[];
      prd_path: string | null;
      gemini_model: string | null;
      max_agents: number;
    }
  | { event: 'warning'; message: string }
  | { event: 'agent_prepared'; agent: number; task: string; worktree: string; branch: string }
  | { event: 'attempt_started'; agent: number; attempt: number; pid: number }
  | {
      event: 'assistant_response';
      agent: number;
      iteration: number;
      prompt_tokens: number;
      completion_tokens: number;
      cost: number | null;
    }
  | { event: 'agent_asks'; agent: number; question: string }
  | { event: 'attempt_failed'; agent: number; attempt: number; reason: string }
  | {
      event: 'agent_done';
      agent: number;
      task: string;
      title: string;
      state: string;
      reason: string | null;
      words: string;
      iterations: number;
      files: number;
      added: number;
      removed: number;
      duration_s: number;
    }
  | { event: 'interrupted'; signal: string }
  /** A later program goes on with the run. */
  | { event: 'run_resumed'; run: string; change: string; idle_s: number }
  | {
      event: 'integrated';
      branch: string | null;
      commit: string | null;
      merged: readonly number[];
      left_out: readonly { agent: number; files: readonly string[]; because: number | null }[];
      /** In words; null when they were not asked. */
      tests: string | null;
    }
  | { event: 'agent_reviewed'; agent: number; words: string; not_met: readonly string[] }
  | { event: 'supervised'; words: string; not_met: readonly string[] }
  | { event: 'rate_limited'; window: number; waiting: number; until: number | null }
  | { event: 'base_checked'; passed: boolean; flaky: boolean; words: string; duration_s: number }
  | { event: 'agent_checked'; agent: number; passed: boolean; words: string; duration_s: number }
  | { event: 'agent_sent_back'; agent: number; reason: string; words: string }
  | { event: 'landing'; landed: boolean; words: string; land_later: string | null }
  | { event: 'run_finished'; exit_code: number; summary: Summary; summary_path: string | null };

/** The events that a message and the state it led to amount to. */
export function publicEvents(
  state: RunState,
  before: RunState | null,
  message: Message,
): PublicEvent[] {
  const known = new Set(before?.warnings ?? []);
  const fresh = state.warnings.filter((warning) => !known.has(warning));
  const events: PublicEvent[] = [
    ...fresh.map((warning) => ({ event: 'warning' as const, message: warning })),
    ...ofMessage(state, before, message),
  ];
  for (const agent of state.agents) {
    const was = before?.agents[agent.index];
    const outcome = outcomeOf(agent);
    if (!outcome || (was && isDone(was))) continue;
    const now = agent.state;
    const files = 'work' in now ? (now.work?.diff.files ?? []) : [];
    events.push({
      event: 'agent_done',
      agent: agent.index,
      task: agent.task.id,
      title: agent.task.title,
      state: outcome.state,
      reason: outcomeReason(outcome),
      words: outcomeWords(outcome),
      iterations: iterations(agent),
      files: files.length,
      added: files.reduce((sum, file) => sum + (file.added ?? 0), 0),
      removed: files.reduce((sum, file) => sum + (file.removed ?? 0), 0),
      duration_s:
        agent.startedAt === null || agent.endedAt === null
          ? 0
          : Math.max(0, agent.endedAt - agent.startedAt) / 1000,
    });
  }
  if (state.phase === 'finished' && before?.phase !== 'finished') {
    const summary = summarise(state);
    events.push({
      event: 'landing',
      landed: summary.landed,
      words: landingWords(state),
      land_later: summary.land_later,
    });
    events.push({
      event: 'run_finished',
      exit_code: exitCode(state),
      summary,
      summary_path: `.aider_logs/summary_${state.config.stamp}.json`,
    });
  }
  return events;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one case for each message.
function ofMessage(state: RunState, before: RunState | null, message: Message): PublicEvent[] {
  switch (message.type) {
    case 'run_started': {
      const { stamp, change, base, branch, model, agent } = state.config;
      const agents = agent.kind;
      return [{ event: 'run_started', run: stamp, change, base, branch, model, agents }];
    }
    case 'plan_made':
      return [
        {
          event: 'plan_made',
          tasks: state.agents.map(({ index, task }) => ({
            agent: index,
            id: task.id,
            title: task.title,
            files: task.files,
            read: task.read,
            depends_on: task.depends_on,
          })),
          prd_path: state.prdPath,
          gemini_model: state.geminiModelUsed,
          max_agents: state.config.maxAgents,
        },
      ];
    case 'plan_failed':
    case 'integration_failed':
      return [{ event: 'warning', message: describe(message.failure).message }];
    case 'agent_prepared': {
      const { worktree, branch } = message.checkout;
      const task = state.agents[message.agent]?.task.id ?? '';
      return [{ event: 'agent_prepared', agent: message.agent, task, worktree, branch }];
    }
    case 'attempt_started': {
      const attempt = state.agents[message.agent]?.attempts.length ?? 0;
      return [
        {
          event: 'attempt_started',
          agent: message.agent,
          attempt,
          pid: message.pid,
        },
      ];
    }
    case 'turn_ended': {
      const agent = state.agents[message.agent];
      if (!agent) return [];
      const { usage } = message;
      return [
        {
          event: 'assistant_response',
          agent: agent.index,
          iteration: iterations(agent),
          prompt_tokens: usage?.promptTokens ?? 0,
          completion_tokens: usage?.completionTokens ?? 0,
          cost: usage?.cost ?? null,
        },
      ];
    }
    case 'agent_asks':
      return [{ event: 'agent_asks', agent: message.agent, question: message.question }];
    case 'attempt_inspected': {
      const agent = state.agents[message.agent];
      const attempt = before?.agents[message.agent]?.attempts.length ?? 0;
      const verdict = agent?.attempts[attempt - 1]?.verdict;
      if (!verdict || verdict === 'ok' || verdict === 'killed') return [];
      return [{ event: 'attempt_failed', agent: message.agent, attempt, reason: verdict }];
    }
    case 'rate_changed': {
      const { rate } = message;
      // That it is lifted is no news; that all wait is.
      const isNews = rate?.until !== null && rate?.until !== before?.rate?.until;
      return rate && isNews ? [{ event: 'rate_limited', ...rate }] : [];
    }
    case 'agent_reviewed':
    case 'supervised': {
      const { review } = message;
      const words = reviewWords(review);
      const not_met = notMet(review).map(({ id }) => id);
      return message.type === 'supervised'
        ? [{ event: 'supervised', words, not_met }]
        : [{ event: 'agent_reviewed', agent: message.agent, words, not_met }];
    }
    case 'base_tested': {
      const { testRun: check } = message;
      const { flaky } = check;
      return [
        {
          event: 'base_checked',
          passed: check.state === 'passed',
          flaky,
          words: testRunWords(check),
          duration_s: check.ms / 1000,
        },
      ];
    }
    case 'agent_tested': {
      const { agent, testRun: check } = message;
      const passed = check.state === 'passed';
      const words = heldWords(state.baseTestRun, check);
      return [{ event: 'agent_checked', agent, passed, words, duration_s: check.ms / 1000 }];
    }
    case 'interrupt':
      return [{ event: 'interrupted', signal: message.signal }];
    case 'integrated': {
      const { integration } = state;
      if (!integration) return [];
      const { branch, commit, merged, leftOut, testRun: check } = integration;
      const { conflicts, broken } = message.step;
      const sentBack = [...conflicts, ...broken].filter(
        ({ agent }) => !leftOut.some((left) => left.agent === agent),
      );
      return [
        {
          event: 'integrated',
          branch: commit ? branch : null,
          commit,
          merged,
          left_out: leftOut,
          tests: check && heldWords(state.baseTestRun, check),
        },
        ...sentBack.map(({ agent }): PublicEvent => {
          const repair = state.agents[agent]?.repair;
          const why = repair ? repairReason(repair) : 'merge_conflict';
          return { event: 'agent_sent_back', agent, reason: why, words: reasonWords(why) };
        }),
      ];
    }
    case 'resumed': {
      const { stamp, change } = state.config;
      return [{ event: 'run_resumed', run: stamp, change, idle_s: message.idleMs / 1000 }];
    }
    case 'plan_confirmed':
    case 'plan_declined':
    case 'agent_not_prepared':
    case 'attempt_not_started':
    case 'turn_started':
    case 'turn_failed':
    case 'agent_edited':
    case 'agent_goes_on':
    case 'attempt_exited':
    case 'attempt_lost':
    case 'red_base_decided':
    case 'tests_named':
    case 'agent_committed':
    case 'agent_not_committed':
    case 'timer_fired':
    case 'agent_touched':
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
    case 'orphaned':
    case 'landing_done':
      return [];
    default:
      return unreachable(message);
  }
}
