// Longer than 300 lines: one table with its columns.
import { Box } from 'ink';
import { type Agent, iterations } from '../../core/agent/agent.js';
import type { RunState } from '../../core/run/run.js';
import {
  changedFiles,
  clock,
  elapsedMs,
  failureWords,
  iterationWords,
  queuedWords,
  testWords,
  totalTokens,
} from '../../view/agent-facts.js';
import { type AppGlyphs, lookOf } from '../../view/look.js';
import { formatCost, formatTokens } from '../../view/numbers.js';
import type { Keymap } from '../keymap.js';
import type { PaneView } from '../pane-source.js';
import { useEnvironment } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { proseLines } from '../text/diff-lines.js';
import { foldLines } from '../text/fold-lines.js';
import { cut, displayWidth, fill, fillLeft } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';
import { Rows } from './rows.js';

/** How the table is sorted and filtered. */
export interface OverviewFacts {
  /** The column it is sorted by. */
  readonly by: number;
  /** Only agents whose row has this text; '' for all. */
  readonly filter: string;
}

interface Column {
  readonly head: string;
  readonly text: (agent: Agent, state: RunState, now: number, glyphs: AppGlyphs) => string;
  /** What it is sorted by: numbers from the largest. */
  readonly key: (agent: Agent, state: RunState, now: number) => number | string;
  readonly right?: boolean;
  /** Left out first where there is no room; 0 never is. */
  readonly gives: number;
}

/** Agents that want a person come first. */
const order = [
  'asking',
  'failed',
  'killed',
  'running',
  'stopping',
  'waiting',
  'testing',
  'reviewing',
  'judging',
  'committing',
  'preparing',
  'queued',
  'succeeded',
];

export const overviewColumns: readonly Column[] = [
  {
    head: '#',
    text: (agent) => String(agent.index),
    key: (agent) => -agent.index,
    right: true,
    gives: 0,
  },
  {
    head: 'state',
    text: (agent, state, _now, glyphs) => {
      const look = lookOf(state, agent);
      return `${glyphs[look.glyph]} ${look.word}`;
    },
    key: (agent) => String(order.indexOf(agent.state.name)).padStart(2, '0'),
    gives: 0,
  },
  {
    head: 'iter',
    text: (agent, state) => (iterations(agent) > 0 ? iterationWords(state, agent) : ''),
    key: (agent) => iterations(agent),
    right: true,
    gives: 0,
  },
  {
    head: 'time',
    text: (agent, _state, now) => (agent.startedAt === null ? '' : clock(elapsedMs(agent, now))),
    key: (agent, _state, now) => elapsedMs(agent, now),
    right: true,
    gives: 0,
  },
  {
    head: 'cost',
    text: (agent) => (iterations(agent) > 0 ? formatCost(agent.usage.cost) : ''),
    key: (agent) => agent.usage.knownCost,
    right: true,
    gives: 0,
  },
  {
    head: 'tests',
    text: (agent, state) => testWords(state, agent),
    key: (agent, state) => testWords(state, agent),
    gives: 2,
  },
  {
    head: 'files',
    text: (agent) => String(changedFiles(agent).length || ''),
    key: (agent) => changedFiles(agent).length,
    right: true,
    gives: 3,
  },
  {
    head: 'tokens',
    text: (agent) => (totalTokens(agent) > 0 ? formatTokens(totalTokens(agent)) : ''),
    key: totalTokens,
    right: true,
    gives: 1,
  },
  {
    head: 'task',
    text: (agent) => `${agent.task.id} ${agent.task.title}`,
    key: (agent) => agent.task.id,
    gives: 0,
  },
];

/** The agents of the table in its order. */
export function overviewAgents(
  state: RunState,
  facts: OverviewFacts,
  now: number,
): readonly Agent[] {
  const column = overviewColumns[facts.by];
  const wanted = facts.filter.toLowerCase();
  const shown = state.agents.filter((agent) =>
    `agent${agent.index} ${lookOf(state, agent).word} ${agent.task.id} ${agent.task.title} ${failureWords(agent)}`
      .toLowerCase()
      .includes(wanted),
  );
  if (!column || facts.by === 0) return shown;
  return shown.toSorted((a, b) => {
    const [x, y] = [column.key(a, state, now), column.key(b, state, now)];
    const first =
      typeof x === 'number' && typeof y === 'number' ? y - x : String(x).localeCompare(String(y));
    return first || a.index - b.index;
  });
}

/** The first row of the table that is shown. */
export function overviewStart(at: number, count: number, height: number): number {
  return Math.max(0, Math.min(at - Math.floor(height / 2), count - height));
}

/** Rows of the table for agents: beside them are the head, the filter, and what is told of the one in focus. */
export function overviewHeight(rows: number): number {
  return Math.max(1, rows - 2 - toldRows(rows));
}

/** Rows for what is told of the agent in focus: whole sentences have to fit. */
function toldRows(rows: number): number {
  return Math.max(1, Math.min(4, Math.floor(rows / 4)));
}

/** Least columns that a last line is worth. */
const leastLast = 24;
const leastTask = 10;

/** Every agent in a row. */
export function Overview(props: {
  readonly state: RunState;
  readonly rect: Rect;
  readonly focused: number;
  readonly now: number;
  readonly views: (agent: number) => PaneView | null;
  readonly facts: OverviewFacts;
}) {
  const { state, rect, focused, now, views, facts } = props;
  const { theme, keymap } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const agents = overviewAgents(state, facts, now);
  const { columns, widths, last } = columnsFor(state, agents, now, rect.width, glyphs);
  const height = overviewHeight(rect.height);
  const at = Math.max(
    0,
    agents.findIndex((agent) => agent.index === focused),
  );
  const start = overviewStart(at, agents.length, height);
  const cell = (column: Column, text: string, width: number) =>
    (column.right ? fillLeft : fill)(text, width);
  const head = columns
    .map((column, index) =>
      cell(
        column,
        overviewColumns[facts.by] === column ? column.head.toUpperCase() : column.head,
        widths[index] ?? 0,
      ),
    )
    .join('  ');
  const current = agents[at];
  const told = current
    ? foldLines(
        `agent${current.index}: ${lastWords(state, current, views(current.index), keymap)}`,
        rect.width - 2,
        toldRows(rect.height),
        keymap,
      )
    : [];
  const clear = `${keymap.label('run.unzoom')} clears the filter`;
  const filter =
    facts.filter === ''
      ? ''
      : agents.length === 0
        ? `No agent matches "${facts.filter}"; ${clear}.`
        : `Only "${facts.filter}" (${agents.length} of ${state.agents.length}); ${clear}.`;
  return (
    <Box flexDirection="column" width={rect.width} height={rect.height} overflow="hidden">
      <Line bold>{fill(` ${head}${last > 0 ? '  last line' : ''}`, rect.width)}</Line>
      {agents.slice(start, start + height).map((agent) => {
        const row = columns
          .map((column, index) =>
            cell(column, column.text(agent, state, now, glyphs), widths[index] ?? 0),
          )
          .join('  ');
        const line =
          last > 0 ? `  ${cut(lastWords(state, agent, views(agent.index), keymap), last)}` : '';
        return (
          <Line key={agent.index} colour={lookOf(state, agent).colour} inverse={agent === current}>
            {fill(` ${row}${line}`, rect.width)}
          </Line>
        );
      })}
      {agents.length === 0 && (
        <Rows
          width={rect.width}
          rows={proseLines(filter, Math.max(8, rect.width - 2)).map((text) => ({
            text: ` ${text}`,
            colour: 'yellow' as const,
          }))}
        />
      )}
      <Box flexGrow={1} />
      <Rows width={rect.width} rows={told.map((text) => ({ text: ` ${text}`, dim: true }))} />
      <Line colour="yellow">{fill(agents.length === 0 ? '' : ` ${filter}`, rect.width)}</Line>
    </Box>
  );
}

/** The columns there is room for, their widths, and what is left for the last line. */
function columnsFor(
  state: RunState,
  agents: readonly Agent[],
  now: number,
  width: number,
  glyphs: AppGlyphs,
): { columns: readonly Column[]; widths: readonly number[]; last: number } {
  let columns = overviewColumns;
  const widthsOf = (list: readonly Column[]) =>
    list.map((column) =>
      Math.max(
        displayWidth(column.head),
        ...agents.map((agent) => displayWidth(column.text(agent, state, now, glyphs))),
      ),
    );
  const total = (widths: readonly number[]) =>
    widths.reduce((sum, one) => sum + one, 0) + 2 * (widths.length - 1) + 2;
  let widths = widthsOf(columns);
  const taskAt = () => columns.findIndex((column) => column.head === 'task');
  const least = () => total(widths) - (widths[taskAt()] ?? 0) + leastTask;
  for (let gives = 3; gives >= 1 && least() > width; gives--) {
    columns = columns.filter((column) => column.gives !== gives);
    widths = widthsOf(columns);
  }
  const others = total(widths) - (widths[taskAt()] ?? 0);
  const spare = width - others;
  const wanted = widths[taskAt()] ?? 0;
  // The task's title and the last line share what is left.
  const task =
    spare - wanted >= leastLast + 2
      ? wanted
      : Math.max(leastTask, Math.min(wanted, spare - leastLast - 2));
  const last = spare - task - 2 >= leastLast ? spare - task - 2 : 0;
  const fitted = last > 0 ? task : Math.max(leastTask, Math.min(wanted, spare));
  return { columns, widths: widths.with(taskAt(), fitted), last };
}

/** What an agent waits for, why it failed, or the last line that it printed. */
function lastWords(state: RunState, agent: Agent, view: PaneView | null, keymap: Keymap): string {
  const failure = failureWords(agent);
  if (failure !== '') return failure;
  if (agent.state.name === 'queued') return queuedWords(state, agent, keymap);
  if (agent.state.name === 'asking') return agent.state.question;
  if (!view) return '';
  const { screen } = view;
  for (let y = screen.length - 1; y >= Math.max(0, screen.length - screen.rows); y--) {
    const text = screen
      .row(y, 0, screen.cols, 0, false)
      .replaceAll(/\x1b\[[\d;]*m/g, '')
      .trim();
    if (text !== '') return text;
  }
  return '';
}
