import { Box } from 'ink';
import { memo, useEffect, useMemo } from 'react';
import { type Agent, isDone, iterations } from '../../core/agent/agent.js';
import type { RunState } from '../../core/run/run.js';
import {
  changedFiles,
  clashes,
  clock,
  elapsedMs,
  failureWords,
  iterationWords,
  queuedWords,
  stillWords,
  testWords,
  totalTokens,
} from '../../view/agent-facts.js';
import { type AppGlyphs, type Colour, lookOf } from '../../view/look.js';
import { formatCost, formatTokens } from '../../view/numbers.js';
import type { Keymap } from '../keymap.js';
import { inside } from '../layout.js';
import { type PaneView, paneSource } from '../pane-source.js';
import { useEnvironment, usePane } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { proseLines } from '../text/diff-lines.js';
import { foldLines } from '../text/fold-lines.js';
import { cut, displayWidth } from '../text/graphemes.js';
import { glyphsOf, paintColour } from '../theme.js';
import { Line } from './line.js';

export interface AgentPaneProps {
  readonly state: RunState;
  readonly agent: Agent;
  readonly rect: Rect;
  readonly view: PaneView | null;
  /** It does not follow its end. */
  readonly scrolled: boolean;
  readonly focused: boolean;
  readonly typing: boolean;
  readonly now: number;
  /** Such as the position of a search. */
  readonly note: string;
}

/** The facts of a pane's border, most important first; what does not fit is left out. */
function factsOf(state: RunState, agent: Agent, now: number): string[] {
  const files = changedFiles(agent).length;
  const begun = agent.startedAt !== null;
  const answered = iterations(agent) > 0;
  const tests = testWords(state, agent);
  return [
    ...(begun ? [`iter ${iterationWords(state, agent)}`, clock(elapsedMs(agent, now))] : []),
    ...(answered ? [formatCost(agent.usage.cost)] : []),
    ...(tests === '' ? [] : [`tests ${tests}`]),
    ...(files > 0 ? [`${files} ${files === 1 ? 'file' : 'files'}`] : []),
    ...(answered && totalTokens(agent) > 0 ? [`${formatTokens(totalTokens(agent))} tok`] : []),
  ];
}

/** How many facts fit beside a title; the first one always does. */
function fitting(room: number, title: string, facts: readonly string[], glyphs: AppGlyphs): number {
  const needed = Math.min(displayWidth(title), Math.max(10, Math.floor(room / 3)));
  let count = Math.min(1, facts.length);
  while (count < facts.length) {
    const longer = facts.slice(0, count + 1).join(` ${glyphs.dot} `);
    if (displayWidth(longer) + (title === '' ? 0 : needed) + 4 > room) break;
    count += 1;
  }
  return count;
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
  const facts = right.slice(0, fitting(room, left, right, glyphs)).join(` ${glyphs.dot} `);
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
  const { state, agent, rect, view, scrolled, focused, typing, now, note } = props;
  const { theme, surface, keymap } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const look = lookOf(state, agent);
  const colour: Colour | null = typing
    ? 'magenta'
    : focused
      ? 'cyan'
      : look.colour === 'yellow'
        ? 'yellow'
        : null;
  const title = `${focused ? glyphs.arrow : ''}${agent.index} ${agent.task.id} ${agent.task.title}`;
  const facts = [`${glyphs[look.glyph]} ${look.word}`, ...factsOf(state, agent, now)];
  const above = fitting(rect.width - 4, title, facts, glyphs);
  const clash = clashes(state, agent);
  const foot = [
    ...(typing ? [isDone(agent) ? 'HAS ENDED' : 'TYPING'] : []),
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
    ...(agent.remarks.length > 0 ? [remarkWords(agent, keymap)] : []),
    ...(note === '' ? [] : [note]),
    ...(!focused && scrolled ? ['scrolled up'] : []),
  ].join(` ${glyphs.dot} `);
  const inner = inside(rect);
  const inColour = (line: string, part: string, wanted: Colour | null) =>
    theme.colour && wanted && !typing ? line.replace(part, paintColour(part, wanted)) : line;
  useEffect(() => view?.onChange(() => surface.paneChanged(focused)), [view, surface, focused]);
  const corner = [glyphs.topLeft, glyphs.topRight] as const;
  const below = [glyphs.bottomLeft, glyphs.bottomRight] as const;
  const still = view ? [] : stillWords(state, agent, keymap);
  // Why it failed stands below its screen, which then is a little lower; its terminal keeps its size.
  const reason = view ? reasonLines(state, agent, inner, keymap) : [];
  const live = { ...inner, height: Math.max(1, inner.height - reason.length) };
  return (
    <Box flexDirection="column" width={rect.width} height={rect.height} overflow="hidden">
      <Line colour={colour} bold={focused} dim={!focused && agent.state.name === 'queued'}>
        {inColour(
          borderLine(rect.width, corner, title, facts, glyphs),
          facts[0] ?? '',
          look.colour,
        )}
      </Line>
      <PaneBody
        {...inner}
        colour={colour}
        text={reason.length === 0 ? still : [...Array(live.height).fill(''), ...reason]}
      />
      <Line colour={colour} bold={typing}>
        {borderLine(rect.width, below, foot, facts.slice(above), glyphs)}
      </Line>
      {view && (
        <LivePane
          id={`agent${agent.index}`}
          rect={live}
          view={view}
          front={focused}
          typing={typing}
        />
      )}
    </Box>
  );
});

function remarkWords(agent: Agent, keymap: Keymap): string {
  return isDone(agent)
    ? `a remark was not delivered: ${keymap.label('run.restartRemark')} restarts with it`
    : 'a remark waits for the next message';
}

/** Why an agent did not succeed, or what it waits for, as lines for its pane; at most a third of it. */
function reasonLines(
  state: RunState,
  agent: Agent,
  { width, height }: Rect,
  keymap: Keymap,
): string[] {
  if (agent.state.name === 'queued') {
    return foldLines(queuedWords(state, agent, keymap), width, Math.floor(height / 3), keymap);
  }
  const words = failureWords(agent);
  if (words === '') return [];
  const most = Math.max(1, Math.floor(height / 3));
  return foldLines(`${words} ${keymap.label('run.open')} shows more.`, width, most, keymap);
}

/** The border beside the terminal, and what is said while there is none. */
const PaneBody = memo(function PaneBody(props: {
  readonly width: number;
  readonly height: number;
  readonly colour: Colour | null;
  readonly text: readonly string[];
}) {
  const { width, height, colour } = props;
  const glyphs = glyphsOf(useEnvironment().theme);
  // Lines that were wrapped already stay as they are.
  const lines = props.text.flatMap((line) => proseLines(line, width));
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
