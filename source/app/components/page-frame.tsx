import { Box } from 'ink';
import { type ReactNode, useCallback, useLayoutEffect, useMemo, useState } from 'react';
import { hintsOf, type Say, type SomeActions } from '../actions.js';
import { type ActionName, type Context, keyLabel } from '../keymap.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { cut, displayWidth, fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { useDialogs } from './dialogs.js';
import { Line } from './line.js';
import { Rows } from './rows.js';

export interface PageFrameProps {
  readonly context: Context;
  /** What was just said, as `useNote` gives it. */
  readonly note: Note;
  readonly actions: SomeActions;
  /** Which actions the hint line names, the most important first. */
  readonly hints: readonly ActionName[];
  /** Letters are typed here, so help has another key. */
  readonly typing?: boolean;
  readonly children: ReactNode;
}

/** What is around every screen but the run's: where one is, what was said, the keys. */
export function PageFrame(props: PageFrameProps) {
  const { context, note, actions, hints, typing = false, children } = props;
  const { cols, rows } = useSize();
  return (
    <Box flexDirection="column" width={cols} height={rows} overflow="hidden">
      <StepsLine context={context} width={cols} />
      {children}
      <Sentences lines={note.lines} width={cols} />
      <KeyHints actions={actions} names={hints} width={cols} typing={typing} />
    </Box>
  );
}

/** Something that was said on a screen, whole: it takes as many rows as it needs. */
export interface Note {
  readonly text: string;
  readonly lines: readonly string[];
  /** Rows it takes; one is kept free while nothing is said. */
  readonly height: number;
  readonly say: Say;
}

/** @param always something that stands there while nothing else was said */
export function useNote(always = ''): Note {
  const { cols, rows } = useSize();
  const [said, setSaid] = useState<{ text: string; still?: (() => boolean) | undefined }>({
    text: '',
  });
  const { text } = said;
  // After the frame, when the actions of this state are known.
  useLayoutEffect(() => {
    if (said.still?.() === false) setSaid({ text: '' });
  });
  const say = useCallback((text: string, still?: () => boolean) => setSaid({ text, still }), []);
  const shown = text === '' ? always : text;
  const lines = useMemo(
    () => (shown === '' ? [] : proseLines(shown, Math.max(8, cols - 2))),
    [shown, cols],
  );
  const height = Math.max(1, Math.min(lines.length, Math.floor(rows / 2)));
  return { text, lines, height, say };
}

function Sentences({
  lines,
  width,
}: {
  readonly lines: readonly string[];
  readonly width: number;
}) {
  const { rows } = useSize();
  const all = lines.length === 0 ? [''] : lines.slice(0, Math.floor(rows / 2));
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Rows width={width} rows={all.map((line) => ({ text: ` ${line}`, colour: 'yellow' }))} />
    </Box>
  );
}

/** The few keys that matter and can be had now: as many as fit, and always the way to help. */
export function KeyHints(props: {
  readonly actions: SomeActions;
  readonly names: readonly ActionName[];
  readonly width: number;
  /** Letters are typed here, so help has another key. */
  readonly typing?: boolean;
}) {
  const { actions, names, width, typing = false } = props;
  const { keymap, theme } = useEnvironment();
  const { isOpen } = useDialogs();
  const other = keymap.keys('help').find((key) => key.length > 1) ?? '';
  const help = `${typing ? keyLabel(other, theme.unicode) : keymap.label('help')} ${keymap.hint('help')}`;
  let text = ` ${help}`;
  for (const [name, words] of hintsOf(actions, names, keymap)) {
    const longer = `${text}  ${keymap.label(name)} ${words}`;
    if (displayWidth(longer) > width) break;
    text = longer;
  }
  // What lies above has all keys, and names its own.
  return <Line dim>{isOpen ? fill('', width) : cut(text, width)}</Line>;
}

const steps = ['Change', 'PRD', 'Groups', 'Start', 'Run', 'Summary'] as const;
const stepOf: Partial<Record<Context, number>> = {
  change: 0,
  prd: 1,
  groups: 2,
  start: 3,
  run: 4,
  summary: 5,
};

/** Where one is on the way from the change to the summary. */
export function StepsLine({
  context,
  width,
}: {
  readonly context: Context;
  readonly width: number;
}) {
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const current = stepOf[context] ?? 0;
  const words = steps.map((step, index) =>
    index < current
      ? `${glyphs.ok} ${step}`
      : index === current
        ? `${glyphs.arrow} ${step.toUpperCase()}`
        : `  ${step}`,
  );
  const full = ` ${words.join(`  ${glyphs.line}  `)}`;
  const short = ` ${current + 1}/${steps.length} ${steps[current]}`;
  return <Line bold>{fill(displayWidth(full) <= width ? full : short, width)}</Line>;
}
