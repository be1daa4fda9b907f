import { Box } from 'ink';
import { useEffect, useMemo, useReducer, useRef, useState } from 'react';
import { type Agent, isActive, isDone } from '../../core/agent.js';
import type { RunState } from '../../core/run.js';
import { restartRefusal } from '../../core/update.js';
import { hasSomethingToLose } from '../agent-facts.js';
import { AgentPane } from '../components/agent-pane.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { isWithin } from '../components/popup.js';
import { KeyHints, StatusBar, StepsLine } from '../components/status-bar.js';
import { TextField } from '../components/text-field.js';
import { useClock, useRunState } from '../hooks.js';
import type { ActionName } from '../keymap.js';
import { type AgentRect, inside, layoutPanes, neighbour, type PaneLayout } from '../layout.js';
import { PaneView } from '../pane-source.js';
import type { RunPort } from '../ports.js';
import {
  type ActionHandlers,
  useActions,
  useEnvironment,
  useKeyHandler,
  useSize,
} from '../surface.js';
import type { MouseEvent } from '../terminal/input.js';
import type { Rect } from '../terminal/painter.js';
import { diffLines, plainLines } from '../text/diff-lines.js';
import { cut, fill } from '../text/graphemes.js';
import { glyphsOf, lookOf } from '../theme.js';
import { bytesForAgent } from '../type-mode.js';

export interface RunScreenProps {
  readonly run: RunPort;
  readonly onSummary: () => void;
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
export function RunScreen({ run, onSummary, onQuit }: RunScreenProps) {
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
      view?.clearMatch();
      setNote('');
      setZoomed(false);
    },
    'run.attention': () => {
      const wants = (one: Agent) => one.state.name === 'asking' || one.state.name === 'failed';
      const order = [...state.agents.slice(focused + 1), ...state.agents.slice(0, focused + 1)];
      const next = order.find(wants);
      if (next) choose(next.index);
      else setNote('no agent asks or has failed');
    },
    'run.quit': onQuit,
  };
  const onMouse = useMouse(panes, zoomed, choose, setZoomed, views);
  const active = !dialogs.isOpen && !typing && !searching;
  useActions(active, 'run', { ...handlers, ...navigation }, onMouse);

  if (layout.kind === 'too_small') {
    return (
      <Box width={size.cols} height={size.rows} overflow="hidden">
        <Line>{cut(`Too small: ${size.cols}x${size.rows}, needs 30x8.`, size.cols)}</Line>
      </Box>
    );
  }
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
        keys && <KeyHints actions={hintsFor(state, agent, typing)} width={size.cols} />
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

/** How often a position that moves because an agent prints is told anew, milliseconds. */
const positionMs = 100;

/** Where a pane is scrolled to, in words; '' while it follows its end. */
function usePosition(view: PaneView | null, height: number): string {
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

function foundWords(query: string, found: { index: number; count: number } | null): string {
  return found ? `/${query} ${found.index + 1} of ${found.count}` : `/${query}: not found`;
}

/** The views of the agents' terminals, made when a terminal comes into being. */
function useViews(run: RunPort): (agent: number) => PaneView | null {
  const views = useRef(new Map<number, PaneView>());
  const [, update] = useReducer((n: number) => n + 1, 0);
  useEffect(() => run.terminals.onOpen(update), [run]);
  return (agent) => {
    const screen = run.terminals.screen(agent);
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
function useSizes(run: RunPort, panes: readonly AgentRect[]): void {
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
      .every((one) => run.terminals.screen(Number(one.split(':')[0])) === null);
    if (fresh) {
      apply();
      return;
    }
    const timer = setTimeout(apply, settleMs);
    return () => clearTimeout(timer);
  }, [run, wanted]);
}

/** All keys go to the agent, but for the one that ends it. */
function useTyping(run: RunPort, on: boolean, agent: number, onLeave: () => void): void {
  const { surface } = useEnvironment();
  useEffect(() => {
    if (!on) return;
    surface.setRaw((bytes) => {
      const screen = run.terminals.screen(agent);
      if (screen) run.terminals.type(agent, bytesForAgent(bytes, screen.modes));
    });
    return () => surface.setRaw(null);
  }, [on, agent, run, surface]);
  useKeyHandler(on, {
    key: ({ name }) => {
      if (name === 'ctrl+]') onLeave();
      return true;
    },
  });
}

/** Clicks that follow each other within this time are one double click, milliseconds. */
const doubleClickMs = 400;

function useMouse(
  panes: readonly AgentRect[],
  zoomed: boolean,
  choose: (agent: number) => void,
  setZoomed: (zoomed: boolean) => void,
  views: (agent: number) => PaneView | null,
) {
  const { now } = useEnvironment();
  const last = useRef({ agent: -1, at: 0 });
  return (event: MouseEvent): boolean => {
    const pane = panes.find((one) => isWithin(one, event.x, event.y));
    if (!pane) return false;
    const { height } = inside(pane);
    if (event.kind === 'wheel_up') views(pane.agent)?.scrollBy(-3, height);
    if (event.kind === 'wheel_down') views(pane.agent)?.scrollBy(3, height);
    if (event.kind === 'wheel_up' || event.kind === 'wheel_down') choose(pane.agent);
    if (event.kind !== 'press' || event.button !== 0) return true;
    const again = last.current.agent === pane.agent && now() - last.current.at < doubleClickMs;
    last.current = { agent: pane.agent, at: again ? 0 : now() };
    choose(pane.agent);
    if (again) setZoomed(!zoomed);
    return true;
  };
}

interface ActionFacts {
  readonly run: RunPort;
  readonly state: RunState;
  readonly agent: Agent | undefined;
  readonly view: PaneView | null;
  readonly height: number;
  readonly setNote: (note: string) => void;
  readonly startTyping: () => void;
  readonly search: () => void;
}

/** What the keys do to the agent in focus and to the run. */
function useRunActions(facts: ActionFacts): ActionHandlers {
  const { run, state, agent, view, height, setNote, startTyping, search } = facts;
  const { surface, theme } = useEnvironment();
  const dialogs = useDialogs();
  const [, update] = useReducer((n: number) => n + 1, 0);
  if (!agent) return {};
  const name = `agent${agent.index} (${agent.task.id})`;
  const scroll = (work: () => void) => () => {
    work();
    setNote('');
    update();
  };
  const ask = (title: string, lines: readonly string[], yes: string, onYes: () => void) =>
    dialogs.open({ kind: 'confirm', title, lines, yes, onYes });
  const again = (remark: string | null) =>
    run.dispatch({ type: 'restart_agent', agent: agent.index, remark });
  const mayRestart = () => {
    const refusal = restartRefusal(state, agent);
    if (refusal !== null) setNote(`not now: ${refusal}`);
    return refusal === null;
  };
  const restart = (remark: string | null) => {
    if (!mayRestart()) return;
    const loses = hasSomethingToLose(agent) || agent.state.name === 'succeeded';
    if (!loses) again(remark);
    else {
      ask(
        `Restart ${name}?`,
        ['It begins anew. What it has done so far is kept on a branch.'],
        'restart',
        () => again(remark),
      );
    }
  };
  return {
    'run.pageUp': scroll(() => view?.scrollBy(-height, height)),
    'run.pageDown': scroll(() => view?.scrollBy(height, height)),
    'run.halfUp': scroll(() => view?.scrollBy(-Math.ceil(height / 2), height)),
    'run.halfDown': scroll(() => view?.scrollBy(Math.ceil(height / 2), height)),
    'run.top': scroll(() => view?.scrollTo(0, height)),
    'run.bottom': scroll(() => view?.follow()),
    'run.search': () => (view ? search() : setNote('nothing to search in yet')),
    'run.found': () => {
      if (view?.query) setNote(foundWords(view.query, view.find(view.query, 1, height)));
    },
    'run.foundBack': () => {
      if (view?.query) setNote(foundWords(view.query, view.find(view.query, -1, height)));
    },
    'run.type': startTyping,
    'run.kill': () => {
      const kill = () => run.dispatch({ type: 'kill_agent', agent: agent.index });
      if (isDone(agent)) setNote('it has ended already');
      else if (!hasSomethingToLose(agent)) kill();
      else {
        ask(
          `Kill ${name}?`,
          ['Its process ends now. What it has written so far is kept on its branch.'],
          'kill',
          kill,
        );
      }
    },
    'run.killAll': () => {
      if (!state.agents.some((one) => !isDone(one))) return setNote('all have ended already');
      ask(
        'Kill all agents?',
        ['Their processes end now, queued ones do not start. Work is kept on the branches.'],
        'kill all',
        () => run.dispatch({ type: 'kill_all' }),
      );
    },
    'run.restart': () => restart(null),
    'run.restartRemark': () => {
      if (!mayRestart()) return;
      dialogs.open({
        kind: 'field',
        title: `Restart ${name} with a remark`,
        lines: ['What the agent is told beside its task:'],
        onDone: (text) => again(text.trim() === '' ? null : text.trim()),
      });
    },
    'run.pause': () => run.dispatch({ type: 'pause', paused: !state.paused }),
    'run.more': () => run.dispatch({ type: 'set_slots', slots: state.slots + 1 }),
    'run.fewer': () => run.dispatch({ type: 'set_slots', slots: state.slots - 1 }),
    'run.remark': () => {
      if (isDone(agent)) return setNote('it has ended; R restarts it with a remark');
      dialogs.open({
        kind: 'field',
        title: `Remark to ${name}`,
        lines: ['Goes to the model with the next message:'],
        onDone: (text) => {
          if (text.trim() !== '') {
            run.dispatch({ type: 'remark', agent: agent.index, text: text.trim() });
          }
        },
      });
    },
    'run.takeOver': () => {
      if (isDone(agent) && !mayRestart()) return;
      const take = () => run.dispatch({ type: 'take_over', agent: agent.index });
      if (!hasSomethingToLose(agent)) take();
      else {
        ask(
          `Take over ${name}?`,
          [
            'Its process ends, and an interactive Aider starts in its worktree: i types into it.',
            'When you leave it (/exit), the work is judged like any other.',
          ],
          'take over',
          take,
        );
      }
    },
    'run.shell': () => {
      const { state: now } = agent;
      if (!('place' in now)) return setNote('it has no worktree now');
      void surface.runProgram(process.env.SHELL || '/bin/sh', [], { cwd: now.place.worktree });
    },
    'run.diff': () => {
      void run.diff(agent.index).then((diff) => {
        const text = diff.ok ? diff.value || 'No change so far.' : 'git cannot tell.';
        dialogs.open({
          kind: 'viewer',
          title: `Diff of ${name}`,
          render: (width) => diffLines(text, width, theme),
        });
      });
    },
    'run.events': () => {
      void run.events(agent.index).then((lines) => {
        dialogs.open({
          kind: 'viewer',
          title: `Events of ${name}`,
          render: (width) => plainLines(lines.join('\n') || 'No event so far.', width),
        });
      });
    },
    'run.copy': () => {
      if (!view) return setNote('nothing to copy yet');
      const lines = view.screen.lines();
      while (lines.at(-1)?.trim() === '') lines.pop();
      surface.copy(lines.join('\n'));
      setNote(`${lines.length} lines copied`);
    },
  };
}

/** The keys that matter now. */
function hintsFor(
  state: RunState,
  agent: Agent | undefined,
  typing: boolean,
): (readonly [ActionName, string])[] {
  if (typing) return [];
  if (state.phase === 'finished') {
    return [
      ['run.open', 'summary'],
      ['run.zoom', 'zoom'],
      ['run.restart', 'restart'],
      ['run.quit', 'leave'],
      ['run.diff', 'diff'],
      ['run.events', 'events'],
    ];
  }
  const asks = agent?.state.name === 'asking';
  const done = agent !== undefined && isDone(agent);
  return [
    ...(asks ? ([['run.type', 'answer']] as const) : []),
    ['run.zoom', 'zoom'],
    ...(done || asks ? [] : ([['run.type', 'type']] as const)),
    ...(done ? [] : ([['run.kill', 'kill']] as const)),
    ['run.restart', 'restart'],
    ['run.diff', 'diff'],
    ...(agent && isActive(agent) ? ([['run.takeOver', 'take over']] as const) : []),
    ['run.pause', state.paused ? 'go on' : 'pause'],
    ['run.attention', 'attention'],
    ['run.quit', 'leave'],
  ];
}

interface PanesProps {
  readonly layout: PaneLayout;
  readonly area: Rect;
  readonly state: RunState;
  readonly views: (agent: number) => PaneView | null;
  readonly focused: number;
  readonly typing: boolean;
  readonly now: number;
  readonly note: string;
}

function Panes(props: PanesProps) {
  const { layout, area, state, views, focused, typing, now, note } = props;
  const paneOf = (rect: AgentRect) => {
    const agent = state.agents[rect.agent];
    if (!agent) return null;
    const own = rect.agent === focused;
    return (
      <AgentPane
        key={rect.agent}
        state={state}
        agent={agent}
        rect={rect}
        view={views(rect.agent)}
        focused={own}
        typing={own && typing}
        now={agent.endedAt === null ? now : 0}
        note={own ? note : ''}
      />
    );
  };
  if (layout.kind === 'grid') {
    const rows = new Map<number, AgentRect[]>();
    for (const pane of layout.panes) rows.set(pane.y, [...(rows.get(pane.y) ?? []), pane]);
    return (
      <Box flexDirection="column" height={area.height}>
        {[...rows].map(([y, panes]) => (
          <Box key={y}>{panes.map(paneOf)}</Box>
        ))}
      </Box>
    );
  }
  if (layout.kind === 'too_small') return null;
  return (
    <Box height={area.height} flexDirection={layout.kind === 'tabs' ? 'column' : 'row'}>
      {layout.kind === 'list' && <AgentList state={state} rect={layout.list} focused={focused} />}
      {layout.kind === 'tabs' && <Tabs state={state} width={area.width} focused={focused} />}
      {paneOf(layout.pane)}
    </Box>
  );
}

function AgentList(props: {
  readonly state: RunState;
  readonly rect: Rect;
  readonly focused: number;
}) {
  const { state, rect, focused } = props;
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const start = Math.max(0, Math.min(focused - 2, state.agents.length - rect.height));
  return (
    <Box flexDirection="column" width={rect.width} height={rect.height} overflow="hidden">
      {state.agents.slice(start, start + rect.height).map((agent) => {
        const look = lookOf(agent);
        const own = agent.index === focused;
        const text = `${own ? glyphs.arrow : ' '}${agent.index + 1} ${glyphs[look.glyph]} ${look.word} ${agent.task.id} ${agent.task.title}`;
        return (
          <Line key={agent.index} colour={look.colour} inverse={own}>
            {fill(text, rect.width)}
          </Line>
        );
      })}
    </Box>
  );
}

function Tabs(props: {
  readonly state: RunState;
  readonly width: number;
  readonly focused: number;
}) {
  const { state, width, focused } = props;
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const tabs = state.agents.map((agent) => {
    const label = `${agent.index + 1}${glyphs[lookOf(agent).glyph]}`;
    return agent.index === focused ? `[${label}]` : ` ${label} `;
  });
  // The one in focus stays in sight.
  const from = Math.max(0, Math.min(focused - 2, tabs.length - Math.floor(width / 5)));
  return <Line bold>{fill(tabs.slice(from).join(''), width)}</Line>;
}
