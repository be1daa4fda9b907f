import { Text } from 'ink';
import type { ReactNode } from 'react';
import type { Colour } from '../../view/look.js';
import { useEnvironment } from '../surface.js';
import { colourOf } from '../theme.js';

export interface LineProps {
  readonly children: ReactNode;
  readonly colour?: Colour | null | undefined;
  readonly bold?: boolean | undefined;
  readonly dim?: boolean | undefined;
  readonly inverse?: boolean | undefined;
}

/** One line of text, never wrapped, in a colour of the terminal's own when colours are wanted. */
export function Line({ children, colour, bold, dim, inverse }: LineProps) {
  const { theme } = useEnvironment();
  const own = colour ? colourOf(theme, colour) : undefined;
  return (
    <Text
      wrap="truncate"
      bold={bold ?? false}
      dimColor={dim ?? false}
      inverse={inverse ?? false}
      {...(own ? { color: own } : {})}
    >
      {children}
    </Text>
  );
}
