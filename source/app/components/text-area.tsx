import { Box } from 'ink';
import { useRef } from 'react';
import { printable } from '../../core/text/printable.js';
import { useInput, useIsTop, useLayer } from '../surface.js';
import { displayWidth, fill, graphemes } from '../text/graphemes.js';
import {
  backspace,
  cursorPlace,
  deleteForward,
  deleteToLineStart,
  deleteWord,
  deleteWordForward,
  insert,
  layoutRows,
  left,
  lineEnd,
  lineStart,
  right,
  type TextBuffer,
  vertical,
  wordLeft,
  wordRight,
} from '../text/text-buffer.js';
import { Line } from './line.js';

export interface TextAreaProps {
  readonly buffer: TextBuffer;
  readonly onChange: (buffer: TextBuffer) => void;
  /** Up in the first row, down in the last one. */
  readonly onEdge: (step: 1 | -1) => void;
  readonly width: number;
  readonly height: number;
  /** All keys are for it, whether they do something or not. */
  readonly swallow?: boolean;
}

const moves: Record<string, (buffer: TextBuffer) => TextBuffer> = {
  left,
  right,
  home: lineStart,
  'ctrl+a': lineStart,
  end: lineEnd,
  backspace,
  delete: deleteForward,
  'ctrl+d': deleteForward,
  'ctrl+w': deleteWord,
  'alt+backspace': deleteWord,
  'ctrl+u': deleteToLineStart,
  'ctrl+left': wordLeft,
  'alt+left': wordLeft,
  'alt+b': wordLeft,
  'ctrl+right': wordRight,
  'alt+right': wordRight,
  'alt+f': wordRight,
  'ctrl+home': (buffer) => ({ ...buffer, cursor: 0, column: null }),
  'ctrl+end': (buffer) => ({ ...buffer, cursor: buffer.text.length, column: null }),
  'alt+d': deleteWordForward,
  'ctrl+delete': deleteWordForward,
};

/** A field of several lines: text of any language, wrapped by its width on the screen. */
export function TextArea(props: TextAreaProps) {
  const { buffer, onChange, onEdge, width, height, swallow = false } = props;
  // Keys that come in one chunk are worked on before the next frame is drawn.
  const latest = useRef(buffer);
  latest.current = buffer;
  const set = (next: TextBuffer) => {
    latest.current = next;
    onChange(next);
  };
  // A column is left for the cursor behind a full row.
  const room = Math.max(4, width - 1);
  const active = useIsTop(useLayer());
  useInput({
    takesText: true,
    key: ({ name, text }) => {
      const now = latest.current;
      const move = moves[name];
      if (move) set(move(now));
      else if (name === 'pageup' || name === 'pagedown') {
        set(vertical(now, room, name === 'pageup' ? -height : height) ?? now);
      } else if (name === 'up' || name === 'down') {
        const step = name === 'up' ? -1 : 1;
        const next = vertical(now, room, step);
        if (next) set(next);
        else onEdge(step);
      } else if (text !== '') set(insert(now, text));
      else if (name === 'tab') set(insert(now, '  '));
      else return swallow && name !== 'ctrl+z';
      return true;
    },
    paste: (text) => {
      set(insert(latest.current, text));
      return true;
    },
  });
  const rows = layoutRows(buffer.text, room);
  const place = cursorPlace(buffer, rows);
  const top = Math.max(0, Math.min(place.row - Math.floor(height / 2), rows.length - height));
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      {rows.slice(top, top + height).map((row, index) => {
        const own = top + index === place.row;
        return (
          <Line key={row.start}>
            {own && active ? withCursor(buffer, row.start, row.end, width) : fill(row.shown, width)}
          </Line>
        );
      })}
    </Box>
  );
}

/** The row of the cursor, with the character under it inverse. */
function withCursor(
  { text, cursor }: TextBuffer,
  start: number,
  end: number,
  width: number,
): string {
  const under = cursor < end ? (graphemes(text.slice(cursor, end))[0] ?? '') : '';
  const before = printable(text.slice(start, cursor));
  const shown = under === '' ? ' ' : printable(under);
  const after = printable(text.slice(cursor + under.length, end));
  const used = displayWidth(before) + displayWidth(shown) + displayWidth(after);
  return `${before}\x1b[7m${shown}\x1b[27m${after}${' '.repeat(Math.max(0, width - used))}`;
}
