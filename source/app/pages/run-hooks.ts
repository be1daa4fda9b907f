import { useEffect, useLayoutEffect, useReducer, useRef } from 'react';
import { isWithin } from '../components/popup.js';
import { type AgentRect, inside } from '../layout.js';
import { type Cell, PaneView } from '../pane-source.js';
import type { RunPort } from '../ports.js';
import { useEnvironment, useInput, useIsTop, useNewLayer } from '../surface.js';
import type { MouseEvent } from '../terminal/input.js';
import { bytesForAgent } from '../type-mode.js';

/** How often a position that moves because an agent prints is told anew, milliseconds. */
const positionMs = 100;

/** Where a pane is scrolled to, in words; '' while it follows its end. */
export function usePosition(view: PaneView | null, height: number): string {
  const [, update] = useReducer((n: number) => n + 1, 0);
  const following = useRef(true);
  following.current = view?.following ?? true;
  useEffect(() => {
    if (!view) return;
    let timer: NodeJS.Timeout | null = null;
    const end = view.onChange(() => {
      if (view.following && following.current) return;
      timer ??= setTimeout(() => {
        timer = null;
        update();
      }, positionMs);
    });
    return () => {
      end();
      if (timer) clearTimeout(timer);
    };
  }, [view]);
  if (!view || view.following) return '';
  const top = view.top(height);
  return `lines ${top + 1}-${Math.min(view.screen.length, top + height)} of ${view.screen.length}`;
}

/** The views of the agents' terminals, made when a terminal comes into being. */
export function useViews(run: RunPort): (agent: number) => PaneView | null {
  const views = useRef(new Map<number, PaneView>());
  const [, update] = useReducer((n: number) => n + 1, 0);
  useEffect(() => run.terminals.onOpen(update), [run]);
  return (agent) => {
    const screen = run.terminals.emulator(agent);
    if (!screen) return null;
    const known = views.current.get(agent);
    if (known?.screen === screen) return known;
    const view = new PaneView(screen);
    views.current.set(agent, view);
    return view;
  };
}

/** While a window is being dragged, the agents' terminals follow when it rests, milliseconds. */
const settleMs = 60;

/** Gives the agents' terminals the size of their panes. */
export function useSizes(run: RunPort, panes: readonly AgentRect[]): void {
  const wanted = panes
    .map((pane) => ({ pane, inner: inside(pane) }))
    .map(({ pane, inner }) => `${pane.agent}:${inner.width}x${inner.height}`)
    .join(' ');
  useEffect(() => {
    const apply = () => {
      for (const one of wanted.split(' ').filter(Boolean)) {
        const [agent = 0, cols = 80, rows = 24] = one.split(/[:x]/).map(Number);
        run.terminals.resize(agent, { cols, rows });
      }
    };
    const fresh = wanted
      .split(' ')
      .every((one) => run.terminals.emulator(Number(one.split(':')[0])) === null);
    if (fresh) {
      apply();
      return;
    }
    const timer = setTimeout(apply, settleMs);
    return () => clearTimeout(timer);
  }, [run, wanted]);
}

/** All keys go to the agent, but for those that end it; to one that has ended they go nowhere. */
export function useTyping(
  run: RunPort,
  on: boolean,
  agent: number,
  canType: boolean,
  onLeave: () => void,
  mouse: (event: MouseEvent) => boolean,
): void {
  const { surface, keymap } = useEnvironment();
  const alive = useRef(canType);
  alive.current = canType;
  const leaveKeys = keymap.keys('typing.leave');
  const layer = useNewLayer(on);
  const isTop = useIsTop(layer);
  useLayoutEffect(() => {
    if (!isTop) return;
    surface.setRaw((bytes) => {
      const screen = run.terminals.emulator(agent);
      if (screen && alive.current) run.terminals.type(agent, bytesForAgent(bytes, screen.modes));
    }, leaveKeys);
    return () => surface.setRaw(null);
  }, [isTop, agent, run, surface, leaveKeys]);
  useInput(
    {
      key: ({ name }) => {
        if (leaveKeys.includes(name)) onLeave();
        return true;
      },
      mouse,
    },
    { layer },
  );
}

/** Clicks that follow each other within this time are one double click, milliseconds. */
const doubleClickMs = 400;

/** Where agents are on the screen, for the mouse. */
export interface MouseTargets {
  readonly panes: readonly AgentRect[];
  /** Rows of a list or table, an agent each. */
  readonly rows: readonly AgentRect[];
}

/**
 * A click focuses, a double click zooms, the wheel scrolls what is under it without taking the focus, and
 * what is dragged over is selected.
 * @param onSelection told of the view when something in it is selected, and of null when that ends
 */
export function useMouse(
  { panes, rows }: MouseTargets,
  choose: (agent: number) => void,
  zoom: (agent: number) => void,
  views: (agent: number) => PaneView | null,
  onSelection: (view: PaneView | null) => void,
) {
  const { now } = useEnvironment();
  const last = useRef({ agent: -1, at: 0 });
  /** Where the button went down, while it is held. */
  const from = useRef<{ readonly agent: number; readonly cell: Cell; moved: boolean } | null>(null);
  // That a pane is scrolled up is told in its border.
  const [, update] = useReducer((n: number) => n + 1, 0);
  /** The place in an agent's terminal that is nearest to the mouse. */
  const cellAt = (pane: AgentRect, view: PaneView, { x, y }: MouseEvent): Cell => {
    const { width, height, ...at } = inside(pane);
    const within = (value: number, most: number) => Math.max(0, Math.min(most, value));
    const row = view.top(height) + within(y - at.y, height - 1);
    return {
      row: within(row, view.screen.length - 1),
      column: within(x - at.x, Math.min(width, view.screen.cols) - 1),
    };
  };
  const drag = (event: MouseEvent): boolean => {
    const start = from.current;
    const pane = start && panes.find((one) => one.agent === start.agent);
    const view = start && views(start.agent);
    if (!start || !pane || !view) return false;
    const { y, height } = inside(pane);
    // Beyond the edge the window follows.
    if (event.y < y) view.scrollBy(-1, height);
    else if (event.y >= y + height) view.scrollBy(1, height);
    const to = cellAt(pane, view, event);
    start.moved ||= to.row !== start.cell.row || to.column !== start.cell.column;
    if (start.moved) view.select(start.cell, to);
    return true;
  };
  return (event: MouseEvent): boolean => {
    if (event.kind === 'drag') return drag(event);
    if (event.kind === 'release') {
      if (from.current?.moved) {
        // What was dragged is no first click of two.
        last.current = { agent: -1, at: 0 };
        onSelection(views(from.current.agent));
      }
      from.current = null;
      return true;
    }
    const pane = panes.find((one) => isWithin(one, event.x, event.y));
    const target = pane ?? rows.find((one) => isWithin(one, event.x, event.y));
    if (!target) return false;
    if (pane) {
      const { height } = inside(pane);
      if (event.kind === 'wheel_up') views(pane.agent)?.scrollBy(-3, height);
      if (event.kind === 'wheel_down') views(pane.agent)?.scrollBy(3, height);
      if (event.kind === 'wheel_up' || event.kind === 'wheel_down') update();
    }
    if (event.kind !== 'press' || event.button !== 0) return true;
    const view = pane && views(pane.agent);
    if (view?.clearSelection()) onSelection(null);
    const cell = pane && view ? cellAt(pane, view, event) : null;
    from.current = cell && { agent: target.agent, cell, moved: false };
    const again = last.current.agent === target.agent && now() - last.current.at < doubleClickMs;
    last.current = { agent: target.agent, at: again ? 0 : now() };
    choose(target.agent);
    if (again) zoom(target.agent);
    return true;
  };
}
