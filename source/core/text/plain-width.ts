/**
 * Texts of which each code unit is a character of one column: ASCII, Latin letters, pictures of control
 * characters, and the lines, blocks and signs of our own frames. They are most of what is drawn, and measuring
 * clusters is slow.
 */
export const plainNarrow =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2193\u2400-\u2421\u2500-\u259f\u25a0-\u25fc\u26a0\u2713\u2717\u2800-\u28ff]*$/;

const allSgr = /\x1b\[[\d;]*m/g;

/** A text without its colours and styles. */
export function withoutStyles(text: string): string {
  return text.includes('\x1b') ? text.replace(allSgr, '') : text;
}
