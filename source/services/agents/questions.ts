import type { AttemptEvents } from '../../core/ports.js';
import type { Emulator } from '../pty/emulator.js';

/** Questions as prompt_toolkit, Python's `input` and pip put them: the line ends and waits. */
const questions: readonly RegExp[] = [
  /\(Y\)es\/\(N\)o[^\n]*:\s*$/,
  /\((?:Y\/n|y\/N|y\/n|yes\/no)\)\s*:?\s*$/i,
  /\[(?:Y\/n|y\/N|y\/n|yes\/no)\]\s*:?\s*$/i,
  /(?:password|passphrase|username)[^\n:]{0,200}:\s*$/i,
  /Press (?:enter|any key)[^\n]{0,200}$/i,
];

/** A longer line is no question, characters. */
const longestLine = 4000;

/** Output is quiet for this long before the cursor's line is taken for a question, milliseconds. */
const quietMs = 250;

/** How an agent of one kind asks, beside what all programs do. */
export interface OwnQuestions {
  /** Its own form of a question, whole; a fragment of one does not begin like this. */
  readonly whole: RegExp;
  /** More ends of a line that waits. */
  readonly ends: readonly RegExp[];
}

/**
 * The question that stands on the line of the cursor; null when there is none.
 * @param cursorLines that line, then the same with ever more rows above it
 */
export function findQuestion(
  cursorLines: readonly string[],
  own: OwnQuestions | null = null,
): string | null {
  // A question is short; what is longer is output.
  const whole =
    own && cursorLines.find((line) => line.length <= longestLine && own.whole.test(line));
  if (whole) return whole.replace(/\s+/g, ' ').trim();
  const line = (cursorLines[0] ?? '').trimEnd().slice(-longestLine);
  if (line === '') return null;
  return [...questions, ...(own?.ends ?? [])].some(
    (pattern) => pattern.test(`${line} `) || pattern.test(line),
  )
    ? line.trim()
    : null;
}

/**
 * Tells when a question waits for its answer: the output is quiet and the cursor stands behind one.
 * @param find the question on the line of the cursor
 */
export function watchQuestions(
  screen: Emulator,
  find: (cursorLines: readonly string[]) => string | null,
  events: Pick<AttemptEvents, 'asks' | 'goesOn'>,
): { onDrawn(): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let goneTimer: NodeJS.Timeout | null = null;
  let asked: string | null = null;
  let stopped = false;
  const look = () => {
    timer = null;
    const question = find(screen.cursorLines());
    if (question === asked) return;
    if (asked !== null) events.goesOn();
    asked = question;
    if (question !== null) events.asks(question);
  };
  const lookWhetherGone = () => {
    goneTimer = null;
    if (asked === null || find(screen.cursorLines()) !== null) return;
    asked = null;
    events.goesOn();
  };
  return {
    onDrawn: () => {
      if (stopped) return;
      // While a question is drawn anew, such as after a resize, its line is empty for a moment.
      if (asked !== null) goneTimer ??= setTimeout(lookWhetherGone, quietMs);
      if (timer) clearTimeout(timer);
      timer = setTimeout(look, quietMs);
    },
    stop: () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      if (goneTimer) clearTimeout(goneTimer);
    },
  };
}
