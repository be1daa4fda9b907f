import { Box } from 'ink';
import { type ReactNode, useId, useLayoutEffect } from 'react';
import type { Colour } from '../../view/look.js';
import { centred } from '../layout.js';
import { useEnvironment, useSize } from '../surface.js';
import type { Rect } from '../terminal/painter.js';
import { cut, displayWidth } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';

export interface PopupProps {
  readonly title: string;
  /** Of the content, without the border. */
  readonly width: number;
  readonly height: number;
  readonly hint?: string;
  readonly colour?: Colour;
  readonly children: (size: { readonly width: number; readonly height: number }) => ReactNode;
}

/** A box above everything else, in the middle; panes are not painted where it is. */
export function Popup({ title, width, height, hint = '', colour = 'cyan', children }: PopupProps) {
  const { surface, theme } = useEnvironment();
  const size = useSize();
  const id = useId();
  const rect = centred(size, width + 4, height + 2);
  const { x, y } = rect;
  useLayoutEffect(() => {
    surface.setHole(id, { x, y, width: rect.width, height: rect.height });
    return () => surface.setHole(id, null);
  }, [surface, id, x, y, rect.width, rect.height]);
  const glyphs = glyphsOf(theme);
  const inner = { width: Math.max(1, rect.width - 4), height: Math.max(1, rect.height - 2) };
  const edge = (left: string, text: string, right: string) => {
    const shown = cut(text, rect.width - 6);
    const words = shown === '' ? '' : ` ${shown} `;
    const room = Math.max(0, rect.width - 3 - displayWidth(words));
    return `${left}${glyphs.line}${words}${glyphs.line.repeat(room)}${right}`;
  };
  const rows = Array.from({ length: inner.height }, (_, row) => row);
  return (
    <>
      <Box position="absolute" marginLeft={x} marginTop={y} flexDirection="column">
        <Line colour={colour} bold>
          {edge(glyphs.topLeft, title, glyphs.topRight)}
        </Line>
        {rows.map((row) => (
          <Line key={row} colour={colour}>
            {`${glyphs.bar}${' '.repeat(rect.width - 2)}${glyphs.bar}`}
          </Line>
        ))}
        <Line colour={colour}>{edge(glyphs.bottomLeft, hint, glyphs.bottomRight)}</Line>
      </Box>
      <Box
        position="absolute"
        marginLeft={x + 2}
        marginTop={y + 1}
        width={inner.width}
        height={inner.height}
        flexDirection="column"
        overflow="hidden"
      >
        {children(inner)}
      </Box>
    </>
  );
}

export function isWithin({ x, y, width, height }: Rect, column: number, row: number): boolean {
  return column >= x && column < x + width && row >= y && row < y + height;
}
