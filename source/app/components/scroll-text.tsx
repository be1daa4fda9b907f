import { stripVTControlCharacters } from 'node:util';
import { Box } from 'ink';
import { useMemo, useState } from 'react';
import { type ActionHandlers, useActions } from '../surface.js';
import { Line } from './line.js';
import { TextField } from './text-field.js';

export interface ScrollTextProps {
  /** Each at most `width` columns; may have styles. */
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly active: boolean;
  readonly onClose?: () => void;
  /** The end of the text stays in sight as it grows. */
  readonly follow?: boolean;
  /** Where a search field is open, keys are its own. */
  readonly onSearching?: (searching: boolean) => void;
}

/** A text that is scrolled and searched by keys; the last row tells the position. */
export function ScrollText(props: ScrollTextProps) {
  const { lines, width, height, active, onClose, follow = false, onSearching } = props;
  const [top, setTop] = useState(0);
  const [searching, setSearching] = useState(false);
  const [query, setQuery] = useState('');
  const [match, setMatch] = useState<number | null>(null);
  const body = Math.max(1, height - 1);
  const last = Math.max(0, lines.length - body);
  const first = follow ? last : Math.min(top, last);
  const plain = useMemo(
    () => lines.map((line) => stripVTControlCharacters(line).toLowerCase()),
    [lines],
  );
  const open = (now: boolean) => {
    setSearching(now);
    onSearching?.(now);
  };
  const scroll = (to: number) => setTop(Math.max(0, Math.min(to, last)));
  const find = (text: string, from: number, step: 1 | -1) => {
    const wanted = text.toLowerCase();
    if (wanted === '') return;
    for (let count = 0; count < plain.length; count++) {
      const at = (((from + step * count) % plain.length) + plain.length) % plain.length;
      if (!plain[at]?.includes(wanted)) continue;
      setMatch(at);
      scroll(at - Math.floor(body / 2));
      return;
    }
    setMatch(null);
  };
  const handlers: ActionHandlers = {
    ...(onClose ? { 'viewer.close': onClose } : {}),
    'viewer.up': () => scroll(first - 1),
    'viewer.down': () => scroll(first + 1),
    'viewer.pageUp': () => scroll(first - body),
    'viewer.pageDown': () => scroll(first + body),
    'viewer.top': () => scroll(0),
    'viewer.bottom': () => scroll(last),
    'viewer.search': () => open(true),
    'viewer.found': () => find(query, (match ?? first - 1) + 1, 1),
    'viewer.foundBack': () => find(query, (match ?? first + 1) - 1, -1),
  };
  useActions(active && !searching, 'viewer', handlers, (event) => {
    if (event.kind === 'wheel_up') scroll(first - 3);
    else if (event.kind === 'wheel_down') scroll(first + 3);
    else return false;
    return true;
  });
  const shown = lines.slice(first, first + body);
  const found =
    query === '' ? 0 : plain.filter((line) => line.includes(query.toLowerCase())).length;
  const position =
    lines.length <= body
      ? ''
      : `${first + 1}-${Math.min(lines.length, first + body)} of ${lines.length}`;
  const hits = found === 0 ? 'not found' : found === 1 ? '1 line' : `${found} lines`;
  const status = query === '' ? position : `${position}  /${query}: ${hits}`;
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      <Box flexDirection="column" height={body} overflow="hidden">
        {shown.map((line, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
          <Line key={row} inverse={first + row === match}>
            {line === '' ? ' ' : line}
          </Line>
        ))}
      </Box>
      {searching ? (
        <Box height={1} overflow="hidden">
          <Line>/</Line>
          <TextField
            onCancel={() => open(false)}
            onDone={(text) => {
              open(false);
              setQuery(text);
              find(text, first, 1);
            }}
          />
        </Box>
      ) : (
        <Line dim>{status === '' ? ' ' : status}</Line>
      )}
    </Box>
  );
}
