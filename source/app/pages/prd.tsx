import { Box } from 'ink';
import Spinner from 'ink-spinner';
import { useLayoutEffect, useMemo } from 'react';
import { describe } from '../../core/policy/failure.js';
import { hintsOf, useActions } from '../actions.js';
import { Line } from '../components/line.js';
import { PageFrame, useNote } from '../components/page-frame.js';
import { Rows } from '../components/rows.js';
import { ScrollText } from '../components/scroll-text.js';
import { useClock } from '../hooks.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import { renderMarkdown } from '../text/markdown.js';
import type { Wizard } from '../wizard.js';
import { usePrdActions } from './prd-actions.js';
import { advice, headWords, makingWords, noneWords, waysOut } from './prd-words.js';

export interface PrdPageProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onWithoutPrd: () => void;
  readonly onBack: () => void;
}

/** Step 2: the PRD as it is written, then as it is; edited, written again, or replaced. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; its words and actions stand beside it.
export function PrdPage(props: PrdPageProps) {
  const { port, wizard } = props;
  const { cols, rows } = useSize();
  const { theme, keymap } = useEnvironment();
  const { making, draft, failure, problem, half } = wizard;
  const now = useClock(making !== null);
  const trouble = failure && !making ? describe(failure) : null;
  const note = useNote();
  const { say } = note;
  const hasPrd = draft !== null && draft.prd !== '';
  const text = making ? making.text : hasPrd ? draft.prd : half;
  const lines = useMemo(() => renderMarkdown(text, cols - 4, theme), [text, cols, theme]);

  const idle = making === null;
  // What was said while it was being written is no news when it is there. With the frame: what is said to a key
  // that follows it stays.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when that changes
  useLayoutEffect(() => say(''), [idle]);
  const actions = usePrdActions({ ...props, hasPrd, say });
  useActions({ context: 'prd', actions, say });

  const head = making
    ? makingWords(making, port.facts.geminiModel, now, keymap)
    : (problem ??
      (hasPrd
        ? headWords(draft.tasks.length, draft.model)
        : trouble === null && half === ''
          ? noneWords(wizard, keymap)
          : ''));
  const heads = head === '' ? [] : proseLines(head, Math.max(8, cols - 3)).slice(0, rows / 3);
  const warnings = (making ? [] : (draft?.warnings ?? [])).flatMap((warning) =>
    proseLines(warning, Math.max(8, cols - 4)).map(
      (line, row) => `${row === 0 ? '!' : ' '} ${line}`,
    ),
  );
  const troubles = trouble
    ? [
        trouble.message,
        ...(failure?.kind === 'planner'
          ? [advice[failure.problem] ?? '']
          : trouble.hint.split('\n')
        ).filter(Boolean),
        ...(hasPrd || half === ''
          ? []
          : [`What had arrived stands below; ${keymap.label('prd.edit')} edits it.`]),
        `Here: ${hintsOf(actions, waysOut(failure), keymap)
          .map(([name, hint]) => `${keymap.label(name)} ${hint}`)
          .join(', ')}.`,
      ].flatMap((one) => proseLines(one, Math.max(8, cols - 4)))
    : [];
  const above = [
    ...troubles.map((line, row) => ({ line, colour: row === 0 ? ('red' as const) : null })),
    ...warnings.map((line) => ({ line, colour: 'yellow' as const })),
  ].slice(0, Math.max(3, Math.floor(rows / 2)));
  const height = Math.max(2, rows - 2 - Math.max(1, heads.length) - above.length - note.height);
  return (
    <PageFrame
      context="prd"
      note={note}
      actions={{
        ...actions,
        'viewer.search': { run: () => {}, refusal: text === '' ? 'no text' : null },
      }}
      hints={
        trouble
          ? [...waysOut(failure), 'prd.key', 'prd.model', 'prd.edit']
          : [
              'prd.next',
              'prd.back',
              'prd.edit',
              'prd.again',
              'prd.own',
              'prd.open',
              'viewer.search',
              'prd.undo',
            ]
      }
    >
      {(heads.length === 0 ? [''] : heads).map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Box key={row} height={1} overflow="hidden">
          {making && row === 0 ? (
            <Spinner type={theme.unicode ? 'dots' : 'line'} />
          ) : (
            <Line> </Line>
          )}
          <Line colour={problem && !making ? 'red' : null} bold>
            {fill(` ${line}`, cols - 1)}
          </Line>
        </Box>
      ))}
      <Rows width={cols} rows={above.map(({ line, colour }) => ({ text: `  ${line}`, colour }))} />
      <Box paddingX={2} height={height} overflow="hidden">
        <ScrollText
          lines={lines}
          width={cols - 4}
          height={height}
          follow={making !== null}
          say={say}
        />
      </Box>
    </PageFrame>
  );
}
