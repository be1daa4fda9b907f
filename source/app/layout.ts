import type { Rect } from './terminal/painter.js';

/** How the agents' panes share a terminal. Pure; all in columns and rows from 0. */
export type PaneLayout =
  | { readonly kind: 'too_small' }
  /** Every pane at once. */
  | { readonly kind: 'grid'; readonly panes: readonly AgentRect[] }
  /** A list of the agents beside one big pane. */
  | { readonly kind: 'list'; readonly list: Rect; readonly pane: AgentRect }
  /** One pane, the others as tabs above it. */
  | { readonly kind: 'tabs'; readonly tabs: Rect; readonly pane: AgentRect }
  | { readonly kind: 'zoomed'; readonly pane: AgentRect }
  /** A table of all agents, and no pane. */
  | { readonly kind: 'overview'; readonly table: Rect };

/** What a person has chosen to see. */
export type RunView = 'panes' | 'zoomed' | 'overview';

export interface AgentRect extends Rect {
  readonly agent: number;
}

/** Below it nothing can be shown. */
export const least = { cols: 30, rows: 8 } as const;
/** Below it there is room for one pane only. */
const leastSplit = { cols: 60, rows: 16 } as const;
/** A pane in a grid: the text is about 40x8, and a border is around it. */
const leastPane = { cols: 40, rows: 10 } as const;
/** What Aider's output likes to have. */
const goodPane = { cols: 82, rows: 26 } as const;

/**
 * @param area where panes may be
 * @param terminal the whole terminal
 */
export function layoutPanes(
  area: Rect,
  terminal: { readonly cols: number; readonly rows: number },
  agents: number,
  focus: number,
  view: RunView,
): PaneLayout {
  if (terminal.cols < least.cols || terminal.rows < least.rows) return { kind: 'too_small' };
  if (agents === 0) return { kind: 'grid', panes: [] };
  if (view === 'overview') return { kind: 'overview', table: area };
  if (view === 'zoomed' || agents === 1) return { kind: 'zoomed', pane: { agent: focus, ...area } };
  if (terminal.cols < leastSplit.cols || terminal.rows < leastSplit.rows) {
    const pane = { ...area, y: area.y + 1, height: area.height - 1, agent: focus };
    return { kind: 'tabs', tabs: { ...area, height: 1 }, pane };
  }
  const columns = bestColumns(area, agents);
  if (columns !== null) return { kind: 'grid', panes: gridRects(area, agents, columns) };
  const width = Math.min(32, Math.max(20, Math.floor(area.width / 3)));
  return {
    kind: 'list',
    list: { ...area, width },
    pane: { ...area, x: area.x + width, width: area.width - width, agent: focus },
  };
}

/** The number of columns that suits Aider's output best; null when no grid leaves room enough. */
function bestColumns({ width, height }: Rect, agents: number): number | null {
  let best: number | null = null;
  let bestScore = 0;
  for (let columns = 1; columns <= agents; columns++) {
    const rows = Math.ceil(agents / columns);
    const cols = Math.floor(width / columns);
    const lines = Math.floor(height / rows);
    if (cols < leastPane.cols || lines < leastPane.rows) continue;
    const score = Math.min(cols / goodPane.cols, lines / goodPane.rows);
    if (score > bestScore) {
      best = columns;
      bestScore = score;
    }
  }
  return best;
}

/** Splits a length into even parts, the first ones larger by one where it does not divide. */
function parts(length: number, count: number): { from: number; size: number }[] {
  const size = Math.floor(length / count);
  const larger = length % count;
  let from = 0;
  return Array.from({ length: count }, (_, index) => {
    const own = size + (index < larger ? 1 : 0);
    const part = { from, size: own };
    from += own;
    return part;
  });
}

function gridRects(area: Rect, agents: number, columns: number): AgentRect[] {
  const rows = Math.ceil(agents / columns);
  const panes: AgentRect[] = [];
  for (const [row, { from: y, size: height }] of parts(area.height, rows).entries()) {
    // The last row may have fewer panes, which then are wider.
    const count = Math.min(columns, agents - row * columns);
    for (const [column, { from: x, size: width }] of parts(area.width, count).entries()) {
      panes.push({
        agent: row * columns + column,
        x: area.x + x,
        y: area.y + y,
        width,
        height,
      });
    }
  }
  return panes;
}

/** Where a pane's terminal is within its border. */
export function inside({ x, y, width, height }: Rect): Rect {
  return { x: x + 1, y: y + 1, width: Math.max(1, width - 2), height: Math.max(1, height - 2) };
}

/** The agent in a direction from another one: the nearest pane on that side; itself when there is none. */
export function neighbour(
  panes: readonly AgentRect[],
  from: number,
  direction: 'left' | 'right' | 'up' | 'down',
): number {
  const own = panes.find((pane) => pane.agent === from);
  if (!own) return from;
  const middle = (pane: Rect) => ({ x: pane.x + pane.width / 2, y: pane.y + pane.height / 2 });
  const centre = middle(own);
  let best = from;
  let nearest = Number.POSITIVE_INFINITY;
  for (const pane of panes) {
    const other = middle(pane);
    const dx = other.x - centre.x;
    const dy = other.y - centre.y;
    const onSide =
      direction === 'left'
        ? pane.x + pane.width <= own.x
        : direction === 'right'
          ? pane.x >= own.x + own.width
          : direction === 'up'
            ? pane.y + pane.height <= own.y
            : pane.y >= own.y + own.height;
    // A row is about twice as high as a column is wide.
    const distance = Math.hypot(dx, 2 * dy);
    if (onSide && distance < nearest) {
      best = pane.agent;
      nearest = distance;
    }
  }
  return best;
}

/** A rectangle in the middle of the terminal, not larger than it. */
export function centred(
  terminal: { readonly cols: number; readonly rows: number },
  width: number,
  height: number,
): Rect {
  const own = {
    width: Math.max(1, Math.min(width, terminal.cols)),
    height: Math.max(1, Math.min(height, terminal.rows)),
  };
  return {
    ...own,
    x: Math.floor((terminal.cols - own.width) / 2),
    y: Math.floor((terminal.rows - own.height) / 2),
  };
}
