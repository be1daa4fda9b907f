// Longer than 300 lines: state, keys and view of one screen; what can stand alone is in files beside it.
import { Box } from 'ink';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Agent } from '../../core/agent/agent.js';
import { unreachable } from '../../core/result.js';
import { useActions } from '../actions.js';
import { InputLayer } from '../components/input-layer.js';
import { Line } from '../components/line.js';
import {
  type OverviewFacts,
  overviewAgents,
  overviewHeight,
  overviewStart,
} from '../components/overview.js';
import { KeyHints, StepsLine, useNote } from '../components/page-frame.js';
import { listStart, Panes } from '../components/panes.js';
import { Rows } from '../components/rows.js';
import { StatusBar } from '../components/status-bar.js';
import { TextField } from '../components/text-field.js';
import { Toast } from '../components/toast.js';
import { useClock, useRunState } from '../hooks.js';
import { type Keymap, keyLabel } from '../keymap.js';
import {
  type AgentRect,
  inside,
  layoutPanes,
  neighbour,
  type PaneLayout,
  type RunView,
} from '../layout.js';
import type { RunPort, WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { foldLines } from '../text/fold-lines.js';
import { fill } from '../text/graphemes.js';
import { bannerOf } from './banner.js';
import { useRedBase } from './red-base.js';
import { type Direction, foundWords, hintsFor, useRunActions } from './run-actions.js';
import { useMouse, usePosition, useSizes, useTyping, useViews } from './run-hooks.js';

export interface RunPageProps {
  readonly port: WizardPort;
  readonly run: RunPort;
  readonly onSummary: () => void;
  /** Back to the last step of the wizard, as no agent has begun. */
  /** Null where the run did not come from the wizard. */
  readonly onStartAgain: (() => void) | null;
  readonly onQuit: () => void;
  /** Leaves the screen for the one that comes. */
  readonly onLeave: () => void;
}

/** Where panes may be: what steps, banner, status and keys leave. Small terminals do without some of them. */
function areaOf({ cols, rows }: { readonly cols: number; readonly rows: number }, banner: number) {
  const top = (rows >= 16 ? 1 : 0) + banner;
  const bottom = rows >= 12 ? 2 : 1;
  const area: Rect = { x: 0, y: top, width: cols, height: Math.max(1, rows - top - bottom) };
  return { area, steps: rows >= 16, keys: bottom > 1 };
}

/** The split screen: every agent's terminal live, and the keys to lead them. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function RunPage(props: RunPageProps) {
  const { port, run, onSummary, onStartAgain, onQuit, onLeave } = props;
  const state = useRunState(run);
  const size = useSize();
  const { keymap } = useEnvironment();
  const now = useClock(state.endedAt === null);
  const [focus, setFocus] = useState(0);
  const [runView, setRunView] = useState<RunView>('panes');
  const [table, setTable] = useState<OverviewFacts>({ by: 0, filter: '' });
  const [typing, setTyping] = useState(false);
  const [searching, setSearching] = useState(false);
  const { text: note, say: setNote } = useNote();
  /** Warnings that were seen, those of the plan with it; later ones stand in the banner. */
  const [seen, setSeen] = useState(() => state.warnings.length);
  const views = useViews(run);
  const banner = bannerOf(state, seen, keymap);
  const wrapped = (text: string) =>
    text === ''
      ? []
      : foldLines(text, size.cols - 2, Math.max(2, Math.floor(size.rows / 2)), keymap);
  // What halts the run has a place of its own; what passes lies on the panes, and none is resized for it.
  const halts = banner && !banner.isWarning ? wrapped(banner.text) : [];
  const passing = [
    ...(banner?.isWarning ? wrapped(banner.text) : []).map((text) => ({
      text: ` ${text}`,
      colour: 'yellow' as const,
      bold: true,
    })),
    ...wrapped(note).map((text) => ({ text: ` ${text}`, colour: 'yellow' as const })),
  ];
  const { area, steps, keys } = areaOf(size, halts.length);
  const count = state.agents.length;
  const focused = Math.min(focus, Math.max(0, count - 1));
  const layout = useMemo(
    () => layoutPanes(areaOf(size, halts.length).area, size, count, focused, runView),
    [size, halts.length, count, focused, runView],
  );
  const panes = panesOf(layout);
  useSizes(run, panes);
  const shown = overviewAgents(state, table, now);
  // In a filtered table only what is seen is acted on.
  const agent =
    layout.kind === 'overview'
      ? (shown.find(({ index }) => index === focused) ?? shown[0])
      : state.agents[focused];
  const view = views(focused);
  const height = inside(panes.find((pane) => pane.agent === focused) ?? area).height;
  const position = usePosition(view, height);
  const live = agent !== undefined && canType(agent);

  const choose = (index: number) => setFocus(((index % count) + count) % count);
  const zoom = (index: number) => {
    choose(index);
    setRunView(runView === 'zoomed' ? 'panes' : 'zoomed');
  };
  const rows = rowsOf(layout, shown, focused, count);
  const onMouse = useMouse({ panes, rows }, choose, zoom, views, (selecting) => {
    if (selecting === null) return setNote('');
    const [copy, clear] = [keymap.label('run.copy'), keymap.label('run.unzoom')];
    setNote(
      typing
        ? `Selected. ${keymap.label('typing.leave')}, then ${copy} copies it.`
        : `Selected. ${copy} copies it, ${clear} clears it.`,
      // Its lines may scroll off.
      () => selecting.selected() !== null,
    );
  });
  useTyping(run, typing, focused, live, () => setTyping(false), onMouse);
  useEnding(state.phase === 'finished', () => setSeen(state.warnings.length));

  /** The agent in a direction; null where there is none. */
  const beside = (direction: Direction): number | null => {
    const forward = direction === 'right' || direction === 'down';
    if (layout.kind === 'grid') {
      const other = neighbour(layout.panes, focused, direction);
      return other === focused ? null : other;
    }
    if (layout.kind !== 'overview') return count < 2 ? null : focused + (forward ? 1 : -1);
    const at = shown.findIndex((one) => one.index === agent?.index);
    return shown[at + (forward ? 1 : -1)]?.index ?? null;
  };
  const askAboutRedBase = useRedBase(run, state, setNote, onStartAgain);
  const actions = useRunActions({
    port,
    run,
    state,
    agent,
    view,
    height,
    runView,
    setRunView,
    table,
    setTable,
    say: setNote,
    choose,
    beside,
    noAgent: agent
      ? null
      : count === 0
        ? 'there is no agent yet'
        : `no agent matches the filter; ${keymap.label('run.unzoom')} clears it`,
    shown: layout.kind === 'overview' ? shown : state.agents,
    startTyping: () => setTyping(true),
    canType: live,
    search: () => setSearching(true),
    dismissBanner: banner?.isWarning ? () => setSeen(state.warnings.length) : null,
    seeWarnings: () => setSeen(state.warnings.length),
    askAboutRedBase,
    onSummary,
    onQuit,
    onLeave,
  });
  useActions({ context: 'run', actions, say: setNote, mouse: onMouse });

  // The sentence that asks for room is the application's.
  if (layout.kind === 'too_small') return null;
  return (
    <Box flexDirection="column" width={size.cols} height={size.rows} overflow="hidden">
      {steps && <StepsLine context="run" width={size.cols} />}
      <Rows
        width={size.cols}
        rows={halts.map((line) => ({ text: ` ${line}`, bold: true, colour: 'red' }))}
      />
      <Panes
        layout={layout}
        area={area}
        state={state}
        views={views}
        focused={focused}
        typing={typing}
        now={now}
        note={position}
        overview={table}
      />
      <StatusBar state={state} now={now} width={size.cols} />
      {searching ? (
        <Box height={1} width={size.cols} overflow="hidden">
          <Line>/</Line>
          <InputLayer>
            <TextField
              initial={runView === 'overview' ? table.filter : ''}
              width={size.cols - 1}
              onCancel={() => setSearching(false)}
              onDone={(text) => {
                setSearching(false);
                if (runView === 'overview') setTable({ ...table, filter: text.trim() });
                else if (view && text !== '')
                  void view
                    .find(text, -1, height)
                    .then((found) => setNote(foundWords(text, found)));
              }}
            />
          </InputLayer>
        </Box>
      ) : (
        keys &&
        (typing ? (
          <Line bold>{fill(` ${typingWords(focused, live, keymap)}`, size.cols)}</Line>
        ) : (
          <KeyHints
            actions={actions}
            names={hintsFor(state, runView, table.filter !== '')}
            width={size.cols}
          />
        ))
      )}
      <Toast y={size.rows - (keys ? 2 : 1) - passing.length} width={size.cols} rows={passing} />
    </Box>
  );
}

/** What is to be known while all keys go to an agent. */
function typingWords(agent: number, live: boolean, keymap: Keymap): string {
  const leave = keymap
    .keys('typing.leave')
    .map((key) => keyLabel(key))
    .join(' or ');
  return live
    ? `${leave} stops typing; every other key goes to agent${agent}.`
    : `${leave} stops typing; agent${agent} has ended, and keys go nowhere.`;
}

/** Does something once, when it has come to be so. */
function useEnding(isSo: boolean, work: () => void): void {
  const was = useRef(isSo);
  useEffect(() => {
    if (isSo && !was.current) work();
    was.current = isSo;
  });
}

function panesOf(layout: PaneLayout): readonly AgentRect[] {
  switch (layout.kind) {
    case 'too_small':
    case 'overview':
      return [];
    case 'grid':
      return layout.panes;
    case 'list':
    case 'tabs':
    case 'zoomed':
      return [layout.pane];
    default:
      return unreachable(layout);
  }
}

/** The rows of a list of agents, for the mouse. */
function rowsOf(
  layout: PaneLayout,
  shown: readonly Agent[],
  focused: number,
  count: number,
): readonly AgentRect[] {
  if (layout.kind === 'list') {
    const { list } = layout;
    const start = listStart(focused, count, list.height);
    return Array.from({ length: Math.min(list.height, count - start) }, (_, row) => ({
      ...list,
      y: list.y + row,
      height: 1,
      agent: start + row,
    }));
  }
  if (layout.kind !== 'overview') return [];
  const { table } = layout;
  const height = overviewHeight(table.height);
  const at = Math.max(
    0,
    shown.findIndex((agent) => agent.index === focused),
  );
  const start = overviewStart(at, shown.length, height);
  return shown.slice(start, start + height).map((agent, row) => ({
    ...table,
    y: table.y + 1 + row,
    height: 1,
    agent: agent.index,
  }));
}

function canType({ state }: Agent): boolean {
  return state.name === 'running' || state.name === 'asking';
}
