import { Box } from 'ink';
import { useEffect, useMemo, useState } from 'react';
import type { Agent } from '../../core/agent.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { Panes } from '../components/panes.js';
import { KeyHints, StepsLine } from '../components/screen-frame.js';
import { StatusBar } from '../components/status-bar.js';
import { TextField } from '../components/text-field.js';
import { useClock, useRunState } from '../hooks.js';
import { type AgentRect, inside, layoutPanes, neighbour, type PaneLayout } from '../layout.js';
import type { RunPort } from '../ports.js';
import { type ActionHandlers, afterClearing, useActions, useSize } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { fill } from '../text/graphemes.js';
import { useRedBase } from './red-base.js';
import { foundWords, hintsFor, useRunActions } from './run-actions.js';
import { useMouse, usePosition, useSizes, useTyping, useViews } from './run-hooks.js';

export interface RunScreenProps {
  readonly run: RunPort;
  readonly onSummary: () => void;
  /** Back to the last step of the wizard, as no agent has begun. */
  readonly onStartAgain: () => void;
  readonly onQuit: () => void;
}

/** Where panes may be: what steps, status and keys leave. Small terminals do without some of them. */
function areaOf({ cols, rows }: { readonly cols: number; readonly rows: number }) {
  const top = rows >= 16 ? 1 : 0;
  const bottom = rows >= 12 ? 2 : 1;
  const area: Rect = { x: 0, y: top, width: cols, height: Math.max(1, rows - top - bottom) };
  return { area, steps: top > 0, keys: bottom > 1 };
}

/** The split screen: every agent's terminal live, and the keys to lead them. */
export function RunScreen({ run, onSummary, onStartAgain, onQuit }: RunScreenProps) {
  const state = useRunState(run);
  const size = useSize();
  const dialogs = useDialogs();
  const now = useClock(state.endedAt === null);
  const [focus, setFocus] = useState(0);
  const [zoomed, setZoomed] = useState(false);
  const [typing, setTyping] = useState(false);
  const [searching, setSearching] = useState(false);
  const [note, setNote] = useState('');
  const views = useViews(run);
  const { area, steps, keys } = areaOf(size);
  const count = state.agents.length;
  const focused = Math.min(focus, Math.max(0, count - 1));
  const layout = useMemo(
    () => layoutPanes(areaOf(size).area, size, count, focused, zoomed),
    [size, count, focused, zoomed],
  );
  const panes = panesOf(layout);
  useSizes(run, panes);
  const agent = state.agents[focused];
  const view = views(focused);
  const height = inside(panes.find((pane) => pane.agent === focused) ?? area).height;
  const position = usePosition(view, height);
  const live = agent !== undefined && canType(agent);

  const stopTyping = () => setTyping(false);
  useTyping(run, typing && live && !dialogs.isOpen, focused, stopTyping);
  useEffect(() => {
    if (typing && !live) setTyping(false);
  }, [typing, live]);

  const choose = (index: number) => {
    setFocus(((index % count) + count) % count);
    setNote('');
  };
  const askAboutRedBase = useRedBase(run, state, onStartAgain);
  const handlers = useRunActions({
    run,
    state,
    agent,
    view,
    height,
    setNote,
    startTyping: () => (live ? setTyping(true) : setNote('this agent has no process to type into')),
    search: () => setSearching(true),
  });
  const move = (direction: 'left' | 'right' | 'up' | 'down') => () => {
    if (layout.kind === 'grid') choose(neighbour(layout.panes, focused, direction));
    else choose(focused + (direction === 'left' || direction === 'up' ? -1 : 1));
  };
  const navigation: ActionHandlers = {
    'run.left': move('left'),
    'run.right': move('right'),
    'run.up': move('up'),
    'run.down': move('down'),
    'run.next': () => choose(focused + 1),
    'run.previous': () => choose(focused - 1),
    'run.focus': (key) => {
      if (Number(key) <= count) choose(Number(key) - 1);
    },
    'run.zoom': () => setZoomed(!zoomed),
    'run.open': () => {
      if (state.phase === 'finished') onSummary();
      else setZoomed(!zoomed);
    },
    'run.unzoom': () => {
      setNote('');
      // First what was searched for goes, then the zoom.
      if (view?.marked()) view.clearMatch();
      else setZoomed(false);
    },
    'run.attention': () => {
      const wants = (one: Agent) => ['asking', 'failed', 'killed'].includes(one.state.name);
      const order = [...state.agents.slice(focused + 1), ...state.agents.slice(0, focused + 1)];
      const next = order.find(wants);
      if (next) choose(next.index);
      else setNote('no agent asks, and none has failed');
    },
    'run.redBase': () => {
      if (state.phase === 'red_base') askAboutRedBase();
      else setNote('the tests do not fail on the base');
    },
    'run.quit': onQuit,
  };
  const onMouse = useMouse(panes, zoomed, choose, setZoomed, views);
  const active = !dialogs.isOpen && !typing && !searching;
  useActions(active, 'run', afterClearing(setNote, { ...handlers, ...navigation }), onMouse);

  // The sentence that asks for room is the application's.
  if (layout.kind === 'too_small') return null;
  return (
    <Box flexDirection="column" width={size.cols} height={size.rows} overflow="hidden">
      {steps && <StepsLine context="run" width={size.cols} />}
      <Panes
        layout={layout}
        area={area}
        state={state}
        views={views}
        focused={focused}
        typing={typing}
        now={now}
        note={note === '' ? position : note}
      />
      <StatusBar state={state} now={now} width={size.cols} />
      {searching && view ? (
        <Box height={1} width={size.cols} overflow="hidden">
          <Line>/</Line>
          <TextField
            initial=""
            onCancel={() => setSearching(false)}
            onDone={(text) => {
              setSearching(false);
              setNote(foundWords(text, view.find(text, -1, height)));
            }}
          />
        </Box>
      ) : (
        keys &&
        (typing ? (
          <Line bold>
            {fill(' Ctrl-] ends typing; every other key goes to the agent', size.cols)}
          </Line>
        ) : (
          <KeyHints actions={hintsFor(state, agent)} width={size.cols} />
        ))
      )}
    </Box>
  );
}

function panesOf(layout: PaneLayout): readonly AgentRect[] {
  switch (layout.kind) {
    case 'too_small':
      return [];
    case 'grid':
      return layout.panes;
    default:
      return [layout.pane];
  }
}

function canType({ state }: Agent): boolean {
  return state.name === 'running' || state.name === 'asking';
}
