import { iterations } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import type { AgentSummary, Summary } from '../core/run/summary.js';
import { unstartedReasons } from '../core/text/words.js';
import { changedFiles, elapsedMs, testWords, totalTokens } from './agent-facts.js';
import { type AppGlyphs, type GlyphName, lookOf } from './look.js';
import { formatCost, formatDuration, tokensOrUnknown } from './numbers.js';

/** A column of the table: its head, its text, what it is sorted by, and whether it stands right. */
export interface Column {
  readonly head: string;
  readonly text: (row: RowFacts) => string;
  readonly key: (row: RowFacts) => number | string;
  readonly right: boolean;
}

export interface RowFacts {
  readonly index: number;
  readonly name: string;
  readonly task: string;
  readonly outcome: string;
  readonly tests: string;
  readonly iterations: number;
  readonly files: number;
  readonly added: number;
  readonly removed: number;
  readonly tokens: number;
  readonly cost: number | null;
  readonly seconds: number;
}

export const columns: readonly Column[] = [
  { head: 'agent', text: (row) => row.name, key: (row) => row.index, right: false },
  { head: 'task', text: (row) => row.task, key: (row) => row.task, right: false },
  { head: 'outcome', text: (row) => row.outcome, key: (row) => row.outcome, right: false },
  { head: 'tests', text: (row) => row.tests, key: (row) => row.tests, right: false },
  {
    head: 'iter',
    text: (row) => String(row.iterations),
    key: (row) => row.iterations,
    right: true,
  },
  { head: 'files', text: (row) => String(row.files), key: (row) => row.files, right: true },
  {
    head: '+/-',
    text: (row) => `+${row.added} -${row.removed}`,
    key: (row) => row.added + row.removed,
    right: true,
  },
  {
    head: 'tokens',
    text: (row) => tokensOrUnknown(row.tokens, row.cost),
    key: (row) => row.tokens,
    right: true,
  },
  { head: 'cost', text: (row) => formatCost(row.cost), key: (row) => row.cost ?? -1, right: true },
  {
    head: 'time',
    text: (row) => formatDuration(row.seconds),
    key: (row) => row.seconds,
    right: true,
  },
];

/** The rows of a run as it is now, one an agent, in their own order. */
export function rowsOfRun(state: RunState, glyphs: AppGlyphs): RowFacts[] {
  return state.agents.map((agent) => {
    const files = changedFiles(agent);
    // The reason of a failure does not fit into a cell: it stands below the table.
    const look = lookOf(state, agent);
    const merged = state.integration?.merged.includes(agent.index) ?? false;
    const lost = look.word === 'succeeded' && !merged ? ', not merged' : '';
    return {
      index: agent.index,
      name: `agent${agent.index}`,
      task: `${agent.task.id} ${agent.task.title}`,
      outcome: `${glyphs[look.glyph]} ${look.word}${lost}`,
      tests: testWords(state, agent),
      iterations: iterations(agent),
      files: files.length,
      added: files.reduce((sum, file) => sum + (file.added ?? 0), 0),
      removed: files.reduce((sum, file) => sum + (file.removed ?? 0), 0),
      tokens: totalTokens(agent),
      cost: agent.usage.cost,
      seconds: elapsedMs(agent, agent.endedAt ?? 0) / 1000,
    };
  });
}

/** The rows of a run that is told by its summary. */
export function rowsOfSummary(summary: Summary, glyphs: AppGlyphs): RowFacts[] {
  return Object.entries(summary.agents).map(([name, agent], index) => {
    const notMerged =
      agent.success && !agent.merged
        ? `, not merged${agent.conflicts.length > 0 ? ': conflict' : ''}`
        : '';
    const { state, reason } = agent.outcome;
    const [glyph, word] = toldLook(state, unstartedReasons.includes(reason ?? ''));
    const files = agent.files_changed;
    return {
      index,
      name: summary.simulated ? `${name} (simulated)` : name,
      task: `${agent.task.id} ${agent.task.title}`,
      // Why it failed stands below the table, where there is room for it.
      outcome: `${glyphs[glyph]} ${word}${notMerged}`,
      tests: '',
      iterations: agent.iterations,
      files: files.length,
      added: files.reduce((sum, file) => sum + (file.added ?? 0), 0),
      removed: files.reduce((sum, file) => sum + (file.removed ?? 0), 0),
      tokens: agent.prompt_tokens + agent.completion_tokens,
      cost: agent.cost_usd,
      seconds: agent.duration_s,
    };
  });
}

function toldLook(
  state: AgentSummary['outcome']['state'],
  isUnstarted: boolean,
): readonly [GlyphName, string] {
  if (state === 'succeeded') return ['ok', 'succeeded'];
  if (state === 'killed') return ['stopped', 'killed'];
  return isUnstarted ? ['queued', 'not started'] : ['bad', 'failed'];
}

/** Rows sorted by a column: numbers from the largest, the agents' own order for the first column. */
export function sorted(rows: readonly RowFacts[], by: number): RowFacts[] {
  const { key } = columns[by] as Column;
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    const order =
      typeof x === 'number' && typeof y === 'number' ? y - x : String(x).localeCompare(String(y));
    return by === 0 ? a.index - b.index : order || a.index - b.index;
  });
}
