import type { ScreenText } from './agent.js';
import { around } from './linear.js';
import { screenTexts } from './words.js';

/** A piece of a row of an agent's screen that is in one colour. */
export interface ColouredText {
  readonly text: string;
  /** 0xRRGGBB, or `palette N`. */
  readonly colour: number | string | null;
}

/** Aider's failure texts begin a message; a longer one is not looked at to its end, characters. */
const longestMessage = 200_000;

/** Each pattern, and the same without blanks. */
const bothWays = screenTexts.map(({ text, pattern }) => ({
  text,
  pattern,
  close: new RegExp(pattern.source.replace(/ /g, ''), pattern.flags),
}));

/**
 * Finds Aider's failure texts. Only what is in the colours of Aider's own messages counts, so a model
 * that merely writes such a text is not believed; pieces in one colour that follow each other are
 * joined first, as Aider breaks its messages at the width of the terminal.
 */
export function findTexts(
  lines: readonly ColouredText[],
  colours: readonly (number | string)[] = messageColours,
): ScreenText[] {
  const blocks: string[] = [];
  let colour: ColouredText['colour'] = null;
  for (const line of lines) {
    const own = line.colour !== null && colours.includes(line.colour) ? line.colour : null;
    if (own !== null && own === colour) blocks[blocks.length - 1] += ` ${line.text}`;
    else if (own !== null) blocks.push(line.text);
    colour = own;
  }
  const found = new Set<ScreenText>();
  for (const block of blocks.map((text) => text.slice(0, longestMessage))) {
    // A long word is cut where the terminal ends, without a blank: so it is looked at both ways.
    const forms = [block.replace(/\s+/g, ' '), block.replace(/\s+/g, '')];
    for (const { text, pattern, close } of bothWays) {
      if (pattern.test(forms[0] as string) || close.test(forms[1] as string)) found.add(text);
    }
  }
  return [...found];
}

/** Aider's own words for what keeps it from its work, told when it starts and before any reply. */
const causesAtStart = [
  'error: ',
  "Please replace 'yes:' with 'yes-always:' in this file.",
  'aider cannot start: ',
];

/** The same, told while it works; believed in its message colours only. */
const causesAtWork = ["codec can't decode", 'Use --encoding to set the unicode encoding.'];

/**
 * What Aider says why it cannot do its work; null when it says nothing of that kind.
 * @param beforeReply nothing of a model can stand on the screen
 */
export function findCause(lines: readonly ColouredText[], beforeReply: boolean): string | null {
  const own = (line: ColouredText) =>
    line.colour !== null && messageColours.includes(line.colour as 'palette 1');
  const told = lines.filter(own).map(({ text }) => text.trim());
  const said = beforeReply ? lines.map(({ text }) => text.trim()) : [];
  const found = [
    ...said.flatMap((text) => causesAtStart.flatMap((cause) => around(text, cause, 40, 300))),
    ...told.flatMap((text) => causesAtWork.flatMap((cause) => around(text, cause, 200, 200))),
  ];
  return found.length === 0 ? null : [...new Set(found)].join(' ').slice(0, 400);
}

/** The colours of Aider's errors and warnings: its defaults, those of dark mode, those of light mode. */
export const messageColours = [0xff2222, 0xffa500, 0xff3333, 0xffff00, 'palette 1'] as const;

/** Questions as Aider, prompt_toolkit, Python's `input` and pip put them: the line ends and waits. */
const questions: readonly RegExp[] = [
  /\(Y\)es\/\(N\)o[^\n]*:\s*$/,
  /\((?:Y\/n|y\/N|y\/n|yes\/no)\)\s*:?\s*$/i,
  /\[(?:Y\/n|y\/N|y\/n|yes\/no)\]\s*:?\s*$/i,
  /^(?:(?:ask|code|architect|help|context|whole|diff|udiff|multi) ?)*> ?$/,
  /(?:password|passphrase|username)[^\n:]{0,200}:\s*$/i,
  /Press (?:enter|any key)[^\n]{0,200}$/i,
];

/** A longer line is no question, characters. */
const longestLine = 4000;

/** Aider's own form of a question, whole; a fragment of one does not begin like this. */
const aiderQuestion = /^\s*[A-Z][^?]*\?\s*\(Y\)es\/\(N\)o(?:\/\([A-Z]\)[\w' ]+)*\s\[[^\]]*\]:\s*$/;

/**
 * The question that stands on the line of the cursor; null when there is none.
 * @param cursorLines that line, then the same with ever more rows above it
 */
export function findQuestion(cursorLines: readonly string[]): string | null {
  // A question is short; what is longer is output.
  const whole = cursorLines.find((line) => line.length <= longestLine && aiderQuestion.test(line));
  if (whole !== undefined) return whole.replace(/\s+/g, ' ').trim();
  const line = (cursorLines[0] ?? '').trimEnd().slice(-longestLine);
  if (line === '') return null;
  return questions.some((pattern) => pattern.test(`${line} `) || pattern.test(line))
    ? line.trim()
    : null;
}
