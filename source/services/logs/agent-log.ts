import path from 'node:path';
import { currentAttempt, iterations, outcomeOf, outcomeReason } from '../../core/agent/agent.js';
import { unreachable } from '../../core/result.js';
import type { Message } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import { parseJson } from '../../core/text/parse-json.js';
import { outcomeWords } from '../../core/text/words.js';
import { readStart } from '../files/read-part.js';
import { LineFile } from './line-file.js';
import { ensureLogs, type LogPaths } from './log-paths.js';

/** No log of an agent that is read again is larger, bytes. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Writes `agent<N>_<stamp>.jsonl`: the events of the agent's own log as they come, an `assistant_response` for
 * each response of the model, and our own facts. Every line has `event` and `time` (epoch seconds, as in Aider's
 * log) and, but for the agent's own events, `attempt`.
 */
export class AgentLogs {
  private readonly files = new Map<number, LineFile>();

  constructor(
    private readonly paths: LogPaths,
    private readonly onProblem: (problem: string) => void,
  ) {}

  /** Takes note of a message and of the state it led to. */
  note(state: RunState, before: RunState | null, message: Message): void {
    for (const { agent, line } of linesOf(state, before, message)) this.file(agent).append(line);
  }

  /**
   * Writes what a journal tells and the logs do not have: of a program that was killed between the two, or whose
   * last lines a power cut has taken.
   * @param lines what the whole journal tells, in its order
   */
  complete(lines: readonly AgentLine[]): void {
    const known = new Map<number, ReadonlySet<string> | null>();
    for (const { agent, line } of lines) {
      const there = known.get(agent);
      const names = there === undefined ? namesIn(this.paths.agentLog(agent)) : there;
      known.set(agent, names);
      // Of one that is too large nobody can tell what it lacks.
      if (names !== null && !names.has(nameOf(line))) this.file(agent).append(line);
    }
  }

  /** Takes note of an event of an agent's own log. @param now epoch seconds */
  own(agent: number, { event, properties, said, time }: OwnEvent, now: number): void {
    const words = said === undefined ? {} : { said };
    this.file(agent).append({ event, properties, ...words, time: time ?? now });
  }

  close(): void {
    for (const file of this.files.values()) file.close();
  }

  private file(agent: number): LineFile {
    let file = this.files.get(agent);
    if (!file) {
      const prepare = () => ensureLogs(path.dirname(this.paths.logs));
      file = new LineFile(this.paths.agentLog(agent), this.onProblem, { prepare });
      this.files.set(agent, file);
    }
    return file;
  }
}

/** An event as an agent tells it in a log of its own. */
export interface OwnEvent {
  readonly event: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The same in a person's words; absent where there are none. */
  readonly said?: string;
  /** Epoch seconds; null where it tells none. */
  readonly time: number | null;
}

/** A line of an agent's log that a message makes. */
export interface AgentLine {
  readonly agent: number;
  readonly line: Record<string, unknown>;
}

/** What tells a line from all others of its log, also where it was read back. */
function nameOf({ event, time, attempt, iteration }: Record<string, unknown>): string {
  return JSON.stringify([event, time, attempt ?? null, iteration ?? null]);
}

/**
 * The names of a log's whole lines: none where there is no such file, null where it is too large to be read.
 * A last line without its end is not there: appending drops it.
 */
function namesIn(file: string): ReadonlySet<string> | null {
  const bytes = readStart(file, mostBytes + 1);
  if (bytes !== null && bytes.length > mostBytes) return null;
  return new Set(
    (bytes?.toString('utf8') ?? '')
      .split('\n')
      .slice(0, -1)
      .map(parseJson)
      .filter((line) => typeof line === 'object' && line !== null)
      .map((line) => nameOf(line as Record<string, unknown>)),
  );
}

/** What a message adds to the agents' logs. @param state what it led to */
export function linesOf(state: RunState, before: RunState | null, message: Message): AgentLine[] {
  const lines = agentLines(state, message);
  if (before === state) return lines;
  for (const [index, agent] of state.agents.entries()) {
    const outcome = outcomeOf(agent);
    const was = before?.agents[index];
    if (!outcome || (was && outcomeOf(was))) continue;
    const line = {
      event: 'outcome',
      time: message.at / 1000,
      state: outcome.state,
      reason: outcomeReason(outcome),
      words: outcomeWords(outcome),
      iterations: iterations(agent),
      simulated: state.config.simulated,
    };
    lines.push({ agent: index, line });
  }
  return lines;
}

function agentLines(state: RunState, message: Message): AgentLine[] {
  if (!('agent' in message)) return [];
  const agent = state.agents[message.agent];
  if (!agent) return [];
  const line = (event: string, more: Record<string, unknown> = {}): AgentLine => ({
    agent: agent.index,
    line: { event, time: message.at / 1000, attempt: agent.attempts.length, ...more },
  });
  switch (message.type) {
    case 'agent_prepared':
      return [
        line('prepared', {
          ...message.checkout,
          attempt: 0,
          task: agent.task.id,
          files: agent.task.files,
        }),
      ];
    case 'attempt_started':
      return [line('started', { pid: message.pid, simulated: state.config.simulated })];
    case 'turn_ended': {
      const { usage } = message;
      return [
        line('assistant_response', {
          iteration: iterations(agent),
          prompt_tokens: usage?.promptTokens ?? null,
          completion_tokens: usage?.completionTokens ?? null,
          cost: usage?.cost ?? null,
        }),
      ];
    }
    case 'agent_asks':
      return [line('asked', { question: message.question })];
    case 'attempt_exited':
      return [line('exited', { ...message.exit })];
    case 'attempt_lost':
      return [line('lost')];
    case 'attempt_inspected':
      return [
        line('judged', {
          verdict: currentAttemptVerdict(state, agent.index),
          files: message.inspection.diff.files.map((file) => file.path),
          refused: message.inspection.refused,
        }),
      ];
    case 'agent_not_prepared':
    case 'attempt_not_started':
    case 'turn_started':
    case 'turn_failed':
    case 'agent_edited':
    case 'agent_goes_on':
    case 'agent_reviewed':
    case 'agent_tested':
    case 'agent_committed':
    case 'agent_not_committed':
    case 'agent_touched':
    case 'kill_agent':
    case 'restart_agent':
    case 'remark':
    case 'take_over':
    case 'leave_out':
      return [];
    default:
      return unreachable(message);
  }
}

/** The verdict on the attempt that was just judged; a following one may have begun by now. */
function currentAttemptVerdict(state: RunState, index: number): string | null {
  const agent = state.agents[index];
  const last = agent && currentAttempt(agent);
  if (last?.verdict) return last.verdict;
  return agent?.attempts[agent.attempts.length - 2]?.verdict ?? null;
}
