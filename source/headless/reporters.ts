import { failReasons } from '../core/agent/agent.js';
import { unreachable } from '../core/result.js';
import { eventVersion, type PublicEvent, publicEvents } from '../core/run/public-events.js';
import { printable, printableJson } from '../core/text/printable.js';
import { reasonWords } from '../core/text/words.js';
import type { Observer } from '../store/run-store.js';
import type { AppGlyphs } from '../view/look.js';
import { formatCost, formatDuration, formatTokens } from '../view/numbers.js';
import { summaryReport } from '../view/report.js';

export type Verbosity = 'quiet' | 'normal' | 'verbose';
export type Write = (text: string) => void;

/** NDJSON on stdout: one event a line, each with the version, the run and the time (ISO 8601). */
export function jsonReporter(out: Write, summaryWritten: () => boolean): Observer {
  return (state, before, message) => {
    for (const event of publicEvents(state, before, message)) {
      const { event: name, ...rest } = withSummaryPath(event, summaryWritten());
      const time = new Date(message.at).toISOString();
      out(
        `${printableJson({ v: eventVersion, event: name, time, run: state.config.stamp, simulated: state.config.simulated, ...rest })}\n`,
      );
    }
  };
}

/** Names no summary that is not there. */
function withSummaryPath(event: PublicEvent, isThere: boolean): PublicEvent {
  return event.event === 'run_finished' && !isThere ? { ...event, summary_path: null } : event;
}

export interface LineOptions {
  readonly verbosity: Verbosity;
  readonly width: number;
  readonly glyphs: AppGlyphs;
  readonly summaryWritten: () => boolean;
}

/** The run as lines of text. Quiet leaves only the table and what is wrong. */
export function lineReporter(out: Write, options: LineOptions): Observer {
  return (state, before, message) => {
    for (const event of publicEvents(state, before, message)) {
      const lines = eventLines(event, options, state.config.simulated);
      const clock = new Date(message.at).toTimeString().slice(0, 8);
      for (const line of lines)
        out(event.event === 'run_finished' ? `${line}\n` : `${clock}  ${printable(line)}\n`);
    }
  };
}

function agentName(agent: number, simulated: boolean): string {
  return simulated ? `agent${agent} (simulated)` : `agent${agent}`;
}

/** What a turn used; nothing where it does not tell. */
function usedWords(event: PublicEvent & { readonly event: 'assistant_response' }): string {
  const { prompt_tokens: asked, completion_tokens: answered, cost } = event;
  if (asked === 0 && answered === 0 && cost === null) return '';
  return `: ${formatTokens(asked)} tokens in, ${formatTokens(answered)} out, cost ${formatCost(cost)}`;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one case for each event.
function eventLines(event: PublicEvent, options: LineOptions, simulated: boolean): string[] {
  const name = (agent: number) => agentName(agent, simulated);
  const { verbosity, width, glyphs } = options;
  const at = (least: Verbosity, ...lines: string[]) => (shows(verbosity, least) ? lines : []);
  switch (event.event) {
    case 'run_started':
      return at(
        'normal',
        `run ${event.run}  ${event.branch ?? 'detached HEAD'} at ${event.base.slice(0, 12)}, ${event.agents === 'aider' ? `model ${event.model}` : 'agents run by a command'}${simulated ? ', SIMULATED agents' : ''}`,
      );
    case 'run_resumed':
      return at(
        'normal',
        `run ${event.run} goes on, last heard of ${formatDuration(event.idle_s)} ago`,
      );
    case 'plan_made':
      return at('normal', ...planLines(event, name));
    case 'warning':
      return at('quiet', `! ${event.message}`);
    case 'agent_prepared':
      return at(
        'verbose',
        `${name(event.agent)}  worktree ${event.worktree}, branch ${event.branch}`,
      );
    case 'attempt_started':
      return at(
        'normal',
        `${name(event.agent)}  attempt ${event.attempt} started (pid ${event.pid})`,
      );
    case 'assistant_response':
      return at('normal', `${name(event.agent)}  iteration ${event.iteration}${usedWords(event)}`);
    case 'agent_asks':
      return at('quiet', `${name(event.agent)}  asks: ${event.question}`);
    case 'attempt_failed':
      return at(
        'normal',
        `${name(event.agent)}  attempt ${event.attempt}: ${wordsFor(event.reason)}`,
      );
    case 'agent_reviewed':
      return at('normal', `${name(event.agent)}  ${event.words}`);
    case 'supervised':
      return at('normal', `the merged work: ${event.words}`);
    case 'rate_limited':
      return at(
        'normal',
        `rate limited: all wait until ${new Date(event.until ?? 0).toLocaleTimeString('en-GB')}, then at most ${event.window} at once`,
      );
    case 'base_checked':
      return at('normal', `the base: ${event.words}, ${formatDuration(event.duration_s)}`);
    case 'agent_checked':
      return at(
        'normal',
        `${name(event.agent)}  ${event.words}, ${formatDuration(event.duration_s)}`,
      );
    case 'agent_sent_back':
      return at('normal', `${name(event.agent)}  ${event.words}: back to work on top of it`);
    case 'agent_done': {
      const glyph =
        event.state === 'succeeded'
          ? glyphs.ok
          : event.state === 'killed'
            ? glyphs.stopped
            : glyphs.bad;
      const work =
        event.files > 0
          ? `, ${event.files} ${event.files === 1 ? 'file' : 'files'} +${event.added} -${event.removed}`
          : '';
      return at(
        'normal',
        `${name(event.agent)}  ${glyph} ${event.words}${work}, ${formatDuration(event.duration_s)}  ${event.title}`,
      );
    }
    case 'interrupted':
      return at(
        'quiet',
        `interrupted (${event.signal}): the agents are stopped, their work is kept; again to stop at once`,
      );
    case 'integrated':
      return at(
        'normal',
        event.commit
          ? `merged ${event.merged.map((agent) => name(agent)).join(', ')} into ${event.branch}${event.tests === null ? '' : `: ${event.tests}`}`
          : 'nothing to merge',
      );
    case 'landing':
      return at('verbose', event.words);
    case 'run_finished':
      return ['', ...summaryReport(event.summary, width, glyphs, options.summaryWritten())];
    default:
      return unreachable(event);
  }
}

function wordsFor(reason: string): string {
  const known = failReasons.find((candidate) => candidate === reason);
  return known ? reasonWords(known) : reason;
}

function planLines(
  event: PublicEvent & { event: 'plan_made' },
  name: (agent: number) => string,
): string[] {
  const lines = event.tasks.map((task) => {
    const files = task.files.length === 0 ? 'the whole repository' : task.files.join(', ');
    const after = task.depends_on.length > 0 ? `, after ${task.depends_on.join(', ')}` : '';
    return `  ${name(task.agent)}  ${task.id} ${task.title}: ${files}${after}`;
  });
  const count = event.tasks.length === 1 ? '1 task' : `${event.tasks.length} tasks`;
  const writer = event.gemini_model ? ` by ${event.gemini_model}` : '';
  return [
    `plan${writer}: ${count}, at most ${event.max_agents} at once${event.prd_path ? `; PRD: ${event.prd_path}` : ''}`,
    ...lines,
  ];
}

const levels: Record<Verbosity, number> = { quiet: 0, normal: 1, verbose: 2 };

function shows(verbosity: Verbosity, least: Verbosity): boolean {
  return levels[verbosity] >= levels[least];
}
