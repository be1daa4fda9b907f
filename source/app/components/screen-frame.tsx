import { Box } from 'ink';
import type { ReactNode } from 'react';
import { type ActionName, type Context, keyLabel } from '../keymap.js';
import { useEnvironment, useSize } from '../surface.js';
import { cut, displayWidth, fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';

export interface ScreenFrameProps {
  readonly context: Context;
  /** What was just said about a key; '' when nothing is to be said. */
  readonly note: string;
  readonly hints: Hints;
  /** Letters are typed here, so help has another key. */
  readonly typing?: boolean;
  readonly children: ReactNode;
}

/** What is around every screen but the run's: where one is, what was said, the keys. */
export function ScreenFrame({ context, note, hints, typing = false, children }: ScreenFrameProps) {
  const { cols, rows } = useSize();
  return (
    <Box flexDirection="column" width={cols} height={rows} overflow="hidden">
      <StepsLine context={context} width={cols} />
      {children}
      <Line colour="yellow">{fill(` ${note}`, cols)}</Line>
      <KeyHints actions={hints} width={cols} typing={typing} />
    </Box>
  );
}

/** Actions with a word for each, the most important first. */
export type Hints = readonly (readonly [ActionName, string])[];

/** The few keys that matter now: as many as fit, and always the way to help. */
export function KeyHints(props: {
  readonly actions: Hints;
  readonly width: number;
  /** Letters are typed here, so help has another key. */
  readonly typing?: boolean;
}) {
  const { keymap } = useEnvironment();
  const other = keymap.keys('help').find((key) => key.length > 1) ?? '';
  const help = `${props.typing ? keyLabel(other) : keymap.label('help')} help`;
  let text = ` ${help}`;
  for (const [action, words] of props.actions) {
    const longer = `${text}  ${keymap.label(action)} ${words}`;
    if (displayWidth(longer) > props.width) break;
    text = longer;
  }
  return <Line dim>{cut(text, props.width)}</Line>;
}

const steps = ['Change', 'PRD', 'Groups', 'Run', 'Summary'] as const;
const stepOf: Partial<Record<Context, number>> = {
  change: 0,
  prd: 1,
  groups: 2,
  start: 3,
  run: 3,
  summary: 4,
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
