import styles from 'ansi-styles';

/** Red, green and blue in a style sequence, as 24-bit colours are written. */
const trueColour = /\b([34])8;2;(\d{1,3});(\d{1,3});(\d{1,3})/g;

/**
 * The same text in the 256 colours that nearly every terminal knows, for one that does not say that it knows
 * 24-bit colours: there they come out as something else, or blink.
 */
export function in256Colours(text: string): string {
  if (!text.includes('8;2;')) return text;
  return text.replaceAll(
    trueColour,
    (_, layer: string, red: string, green: string, blue: string) => {
      const code = styles.rgbToAnsi256(Number(red), Number(green), Number(blue));
      return `${layer}8;5;${code}`;
    },
  );
}
