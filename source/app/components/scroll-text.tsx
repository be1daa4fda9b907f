import { stripVTControlCharacters } from 'node:util';
import { Box } from 'ink';
import { useMemo, useState } from 'react';
import { type SomeActions, useActions } from '../actions.js';
import { keyLabel } from '../keymap.js';
import { useEnvironment, useInput } from '../surface.js';
import { InputLayer } from './input-layer.js';
import { Line } from './line.js';
import { TextField } from './text-field.js';

export interface ScrollTextProps {
  /** Each at most `width` columns; may have styles. */
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly onClose?: () => void;
  /** The end of the text stays in sight as it grows. */
  readonly follow?: boolean;
  /** Where something is said; the last row without it. */
  readonly say?: (text: string) => void;
}

/** A text that is scrolled and searched by keys; the last row tells the position. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function ScrollText(props: ScrollTextProps) {
  const { lines, width, height, onClose, follow = false, say } = props;
  // Null until it is scrolled: then a growing text is followed no more, but at its end.
  const [top, setTop] = useState<number | null>(null);
  const [searching, setSearching] = useState(false);
  const [query, setQuery] = useState('');
  const [match, setMatch] = useState<number | null>(null);
  const [own, setOwn] = useState('');
  const setNote = say ?? ((text: string) => setOwn(text));
  const { keymap, surface, theme } = useEnvironment();
  const body = Math.max(1, height - 1);
  const last = Math.max(0, lines.length - body);
  const first = follow && top === null ? last : Math.min(top ?? 0, last);
  const plain = useMemo(
    () => lines.map((line) => stripVTControlCharacters(line).toLowerCase()),
    [lines],
  );
  const scroll = (to: number) => {
    const next = Math.max(0, Math.min(to, last));
    setTop(follow && next === last ? null : next);
  };
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
  const copy = async () =>
    setNote(await surface.copy(lines.map(stripVTControlCharacters).join('\n')));
  const unsearched = query === '' ? `search first (${keymap.label('viewer.search')})` : null;
  const atTop = first === 0 ? 'this is the first line' : null;
  const atEnd = first === last ? 'this is the last line' : null;
  const actions: SomeActions = {
    ...(onClose ? { 'viewer.close': { run: onClose } } : {}),
    'viewer.up': { run: () => scroll(first - 1), refusal: atTop },
    'viewer.down': { run: () => scroll(first + 1), refusal: atEnd },
    'viewer.pageUp': { run: () => scroll(first - body), refusal: atTop },
    'viewer.pageDown': { run: () => scroll(first + body), refusal: atEnd },
    'viewer.top': { run: () => scroll(0), refusal: atTop },
    'viewer.bottom': { run: () => scroll(last), refusal: atEnd },
    'viewer.search': { run: () => setSearching(true) },
    'viewer.found': { run: () => find(query, (match ?? first - 1) + 1, 1), refusal: unsearched },
    'viewer.foundBack': {
      run: () => find(query, (match ?? first + 1) - 1, -1),
      refusal: unsearched,
    },
    'viewer.copy': {
      run: () => void copy(),
      refusal: lines.every((line) => line === '') ? 'there is no text' : null,
    },
  };
  useActions({
    context: 'viewer',
    actions,
    say: setNote,
    mouse: (event) => {
      if (event.kind === 'wheel_up') scroll(first - 3);
      else if (event.kind === 'wheel_down') scroll(first + 3);
      else return false;
      return true;
    },
  });
  // In a dialog nobody else tells about a key that does nothing; elsewhere the screen does.
  useInput(
    {
      key: ({ name }) => {
        if (onClose === undefined || keymap.find('everywhere', name) !== null) return false;
        setNote(
          `${keyLabel(name, theme.unicode)} does nothing here; ${keymap.label('viewer.close')} closes this.`,
        );
        return true;
      },
    },
    { isLast: true },
  );
  const shown = lines.slice(first, first + body);
  const found =
    query === '' ? 0 : plain.filter((line) => line.includes(query.toLowerCase())).length;
  const position =
    lines.length <= body
      ? ''
      : `${first + 1}-${Math.min(lines.length, first + body)} of ${lines.length} (${keymap.label(atEnd ? 'viewer.pageUp' : 'viewer.pageDown')})`;
  const hits = found === 0 ? 'not found' : found === 1 ? '1 line' : `${found} lines`;
  const where = query === '' ? position : `${position}  /${query}: ${hits}`;
  const status = own === '' ? where : own;
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
          <InputLayer>
            <TextField
              width={width - 1}
              onCancel={() => setSearching(false)}
              onDone={(text) => {
                setSearching(false);
                setQuery(text);
                find(text, first, 1);
              }}
            />
          </InputLayer>
        </Box>
      ) : (
        <Line dim>{status === '' ? ' ' : status}</Line>
      )}
    </Box>
  );
}
