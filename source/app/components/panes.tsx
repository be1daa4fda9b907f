import { Box } from 'ink';
import type { RunState } from '../../core/run/run.js';
import { lookOf } from '../../view/look.js';
import type { AgentRect, PaneLayout } from '../layout.js';
import type { PaneView } from '../pane-source.js';
import { useEnvironment } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { AgentPane } from './agent-pane.js';
import { Line } from './line.js';
import { Overview, type OverviewFacts } from './overview.js';

interface PanesProps {
  readonly layout: PaneLayout;
  readonly area: Rect;
  readonly state: RunState;
  readonly views: (agent: number) => PaneView | null;
  readonly focused: number;
  readonly typing: boolean;
  readonly now: number;
  readonly note: string;
  /** What the overview shows of the agents. */
  readonly overview: OverviewFacts;
}

/** The agents, as the layout has them. */
export function Panes(props: PanesProps) {
  const { layout, area, state, views, focused, typing, now, note, overview } = props;
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
        scrolled={!(views(rect.agent)?.following ?? true)}
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
  if (layout.kind === 'overview') {
    return (
      <Overview
        state={state}
        rect={layout.table}
        focused={focused}
        now={now}
        views={views}
        facts={overview}
      />
    );
  }
  return (
    <Box height={area.height} flexDirection={layout.kind === 'tabs' ? 'column' : 'row'}>
      {layout.kind === 'list' && <AgentList state={state} rect={layout.list} focused={focused} />}
      {layout.kind === 'tabs' && <Tabs state={state} width={area.width} focused={focused} />}
      {paneOf(layout.pane)}
    </Box>
  );
}

/** The first agent of a list that keeps the focused one in sight. */
export function listStart(focused: number, count: number, height: number): number {
  return Math.max(0, Math.min(focused - 2, count - height));
}

function AgentList(props: {
  readonly state: RunState;
  readonly rect: Rect;
  readonly focused: number;
}) {
  const { state, rect, focused } = props;
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const start = listStart(focused, state.agents.length, rect.height);
  return (
    <Box flexDirection="column" width={rect.width} height={rect.height} overflow="hidden">
      {state.agents.slice(start, start + rect.height).map((agent) => {
        const look = lookOf(state, agent);
        const own = agent.index === focused;
        const text = `${own ? glyphs.arrow : ' '}${agent.index} ${glyphs[look.glyph]} ${look.word} ${agent.task.id} ${agent.task.title}`;
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
    const label = `${agent.index}${glyphs[lookOf(state, agent).glyph]}`;
    return agent.index === focused ? `[${label}]` : ` ${label} `;
  });
  // The one in focus stays in sight.
  const from = Math.max(0, Math.min(focused - 2, tabs.length - Math.floor(width / 5)));
  return <Line bold>{fill(tabs.slice(from).join(''), width)}</Line>;
}
