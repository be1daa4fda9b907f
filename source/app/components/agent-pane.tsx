import { Box } from 'ink';
import { memo, useEffect, useMemo } from 'react';
import { type Agent, iterations } from '../../core/agent.js';
import type { RunState } from '../../core/run.js';
import { formatCost, formatTokens } from '../../headless/table.js';
import {
  changedFiles,
  clashes,
  clock,
  elapsedMs,
  iterationWords,
  stillWords,
  totalTokens,
} from '../agent-facts.js';
import { inside } from '../layout.js';
import { type PaneView, paneSource } from '../pane-source.js';
import { useEnvironment, usePane } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { cut, displayWidth } from '../text/graphemes.js';
import { type AppGlyphs, type Colour, glyphsOf, lookOf, paintColour } from '../theme.js';
import { Line } from './line.js';

export interface AgentPaneProps {
  readonly state: RunState;
  readonly agent: Agent;
  readonly rect: Rect;
  readonly view: PaneView | null;
  readonly focused: boolean;
  readonly typing: boolean;
  readonly now: number;
  /** Such as the position of a search. */
  readonly note: string;
}

/** The pieces of a pane's head, most important first; what does not fit is left out. */
function headPieces(state: RunState, agent: Agent, now: number): string[] {
  const files = changedFiles(agent).length;
  const begun = agent.startedAt !== null;
  return [
    ...(begun ? [`iter ${iterationWords(state, agent)}`, clock(elapsedMs(agent, now))] : []),
    ...(files > 0 ? [`${files} ${files === 1 ? 'file' : 'files'}`] : []),
    ...(iterations(agent) > 0
      ? [`${formatTokens(totalTokens(agent))} tok`, formatCost(agent.usage.cost)]
      : []),
  ];
}

/** A line of the border with words in it, exactly as wide as the pane. */
export function borderLine(
  width: number,
  [start, end]: readonly [string, string],
  left: string,
  right: readonly string[],
  glyphs: AppGlyphs,
): string {
  const room = width - 4;
  // The state is always told; the other facts as far as half of the line is left for the title.
  let facts = right[0] ?? '';
  for (const piece of right.slice(1)) {
    const longer = `${facts} ${glyphs.dot} ${piece}`;
    const needed = Math.min(displayWidth(left), Math.max(10, Math.floor(room / 3)));
    if (displayWidth(longer) + needed + 4 > room) break;
    facts = longer;
  }
  const end2 = facts === '' ? '' : ` ${cut(facts, Math.max(1, room - 2))} `;
  const title = cut(left, Math.max(0, room - displayWidth(end2) - 2));
  const begin = title === '' ? '' : ` ${title} `;
  const line = glyphs.line.repeat(
    Math.max(0, width - 4 - displayWidth(begin) - displayWidth(end2)),
  );
  return `${start}${glyphs.line}${begin}${line}${end2}${glyphs.line}${end}`;
}

/** One agent: a border with all facts about it, and its terminal within. */
export const AgentPane = memo(function AgentPane(props: AgentPaneProps) {
  const { state, agent, rect, view, focused, typing, now, note } = props;
  const { theme, surface } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const look = lookOf(agent);
  const colour: Colour | null = typing
    ? 'magenta'
    : focused
      ? 'cyan'
      : look.colour === 'yellow'
        ? 'yellow'
        : null;
  const title = `${focused ? glyphs.arrow : ''}${agent.index + 1} ${agent.task.id} ${agent.task.title}`;
  const facts = [`${glyphs[look.glyph]} ${look.word}`, ...headPieces(state, agent, now)];
  const clash = clashes(state, agent);
  const foot = [
    ...(typing ? ['Ctrl-] ends TYPING: all keys go to the agent'] : []),
    ...agent.conflicts.map(
      (one) => `${glyphs.bad} conflicts with agent${one.agent} in ${one.files[0]}`,
    ),
    ...(clash.length > 0 && agent.conflicts.length === 0
      ? [
          `${glyphs.clash} ${clash[0]?.file} also changed by ${clash[0]?.others.map((one) => `agent${one}`).join(', ')}`,
        ]
      : []),
    ...(agent.refused.length > 0
      ? [`${glyphs.bad} refused: ${agent.refused.at(-1)?.path.split('/').at(-1)}`]
      : []),
    ...(agent.remarks.length > 0 ? ['remark waits for the next message'] : []),
    ...(note === '' ? [] : [note]),
    ...(!focused && view && !view.following ? ['scrolled up'] : []),
  ].join(` ${glyphs.dot} `);
  const inner = inside(rect);
  const inColour = (line: string, part: string, wanted: Colour | null) =>
    theme.colour && wanted && !typing ? line.replace(part, paintColour(part, wanted)) : line;
  useEffect(() => view?.onChange(() => surface.paneChanged(focused)), [view, surface, focused]);
  const corner = [glyphs.topLeft, glyphs.topRight] as const;
  const below = [glyphs.bottomLeft, glyphs.bottomRight] as const;
  const still = view ? [] : stillWords(state, agent);
  return (
    <Box flexDirection="column" width={rect.width} height={rect.height} overflow="hidden">
      <Line colour={colour} bold={focused} dim={!focused && agent.state.name === 'queued'}>
        {inColour(
          borderLine(rect.width, corner, title, facts, glyphs),
          facts[0] ?? '',
          look.colour,
        )}
      </Line>
      <PaneBody {...inner} colour={colour} text={still.join('\n')} />
      <Line colour={colour} bold={typing}>
        {borderLine(rect.width, below, foot, [], glyphs)}
      </Line>
      {view && (
        <LivePane
          id={`agent${agent.index}`}
          rect={inner}
          view={view}
          front={focused}
          typing={typing}
        />
      )}
    </Box>
  );
});

/** The border beside the terminal, and what is said while there is none. */
const PaneBody = memo(function PaneBody(props: {
  readonly width: number;
  readonly height: number;
  readonly colour: Colour | null;
  readonly text: string;
}) {
  const { width, height, colour } = props;
  const glyphs = glyphsOf(useEnvironment().theme);
  const lines = props.text.split('\n');
  const rows = Array.from({ length: height }, (_, row) => {
    const text = cut(lines[row] ?? '', width);
    const rest = ' '.repeat(Math.max(0, width - displayWidth(text)));
    return `${glyphs.bar}${text}${rest}${glyphs.bar}`;
  });
  return <Line colour={colour}>{rows.join('\n')}</Line>;
});

function LivePane(props: {
  readonly id: string;
  readonly rect: Rect;
  readonly view: PaneView;
  readonly front: boolean;
  readonly typing: boolean;
}) {
  const { id, view, front, typing } = props;
  const { x, y, width, height } = props.rect;
  const { theme } = useEnvironment();
  const pane = useMemo(
    () => paneSource({ x, y, width, height }, view, { colour: theme.colour, front, typing }),
    [x, y, width, height, view, front, typing, theme.colour],
  );
  usePane(id, pane);
  return null;
}
