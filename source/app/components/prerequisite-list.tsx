import { Box } from 'ink';
import Spinner from 'ink-spinner';
import type { Prerequisite } from '../../core/policy/prerequisite.js';
import type { Keymap } from '../keymap.js';
import { fixOf } from '../pages/fixes.js';
import type { PrerequisiteToMend } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { cut } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';

/** A line of what is missing. */
export interface PrerequisiteLine {
  readonly text: string;
  readonly state: Prerequisite['state'];
  readonly head: boolean;
}

/** What is missing with how it is mended, whole. */
export function prerequisiteLines(
  problems: readonly PrerequisiteToMend[],
  cols: number,
  keymap: Keymap,
): PrerequisiteLine[] {
  return problems.flatMap((check) => [
    ...proseLines(`${check.name}: ${check.text}`, Math.max(8, cols - 5)).map((line, row) => ({
      text: line,
      state: check.state,
      head: row === 0,
    })),
    ...proseLines(fixOf(check, keymap).words, Math.max(8, cols - 9))
      .filter(Boolean)
      .map((line) => ({ text: `    ${line}`, state: check.state, head: false })),
  ]);
}

/** What is missing, or what is under way instead. */
export function PrerequisiteList(props: {
  readonly lines: readonly PrerequisiteLine[];
  /** What there is beside the lines, and how it is seen; '' for nothing. */
  readonly more: string;
  /** What is under way instead, such as a check; null when nothing is. */
  readonly looking: string | null;
}) {
  const { theme } = useEnvironment();
  const { cols } = useSize();
  const glyphs = glyphsOf(theme);
  if (props.looking !== null) {
    return (
      <Box height={1} overflow="hidden">
        <Line> </Line>
        <Spinner type={theme.unicode ? 'dots' : 'line'} />
        <Line dim>{cut(` ${props.looking}`, cols - 3)}</Line>
      </Box>
    );
  }
  if (props.lines.length === 0) {
    return <Line dim>{cut(` ${glyphs.ok} Everything a run needs is here.`, cols)}</Line>;
  }
  return (
    <Box flexDirection="column">
      {props.lines.map(({ text, state, head }, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Line key={row} colour={state === 'missing' ? 'red' : 'yellow'} dim={!head}>
          {` ${head ? (state === 'missing' ? glyphs.bad : '!') : ' '} ${text}`}
        </Line>
      ))}
      {props.more !== '' && <Line colour="yellow">{cut(`   ${props.more}`, cols)}</Line>}
    </Box>
  );
}
