import { Box } from 'ink';
import { useId, useLayoutEffect } from 'react';
import { useEnvironment } from '../surface.js';
import { type Row, Rows } from './rows.js';

/** Rows above everything but dialogs, which take no room from what is below; panes are not painted there. */
export function Toast(props: {
  readonly y: number;
  readonly width: number;
  readonly rows: readonly Row[];
}) {
  const { y, width, rows } = props;
  const { surface } = useEnvironment();
  const id = useId();
  const height = rows.length;
  useLayoutEffect(() => {
    if (height === 0) return;
    surface.setHole(id, { x: 0, y, width, height });
    return () => surface.setHole(id, null);
  }, [surface, id, y, width, height]);
  if (height === 0) return null;
  return (
    <Box position="absolute" marginTop={y} width={width} height={height} flexDirection="column">
      <Rows width={width} rows={rows} />
    </Box>
  );
}
