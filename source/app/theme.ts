import { type AppGlyphs, type Colour, glyphsIn } from '../view/look.js';
import type { Theme } from './surface.js';

/** Colours of the terminal's own 16, so that they suit it, dark or light; undefined where none are wanted. */
export function colourOf(theme: Theme, colour: Colour): Colour | undefined {
  return theme.colour ? colour : undefined;
}

const codes: Record<Colour, number> = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
};

/** A piece of a line in another colour than the rest of it. */
export function paintColour(text: string, colour: Colour): string {
  return `\x1b[${codes[colour]}m${text}\x1b[39m`;
}

export function glyphsOf(theme: Theme): AppGlyphs {
  return glyphsIn(theme.unicode);
}
