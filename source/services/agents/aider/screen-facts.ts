import type { Symptom } from '../../../core/agent/evidence.js';
import { around } from '../../../core/text/linear.js';
import { findQuestion, type OwnQuestions } from '../questions.js';

/** A piece of a row of an agent's screen that is in one colour. */
export interface ColouredText {
  readonly text: string;
  /** 0xRRGGBB, or `palette N`. */
  readonly colour: number | string | null;
}

/** Aider's failure texts begin a message; a longer one is not looked at to its end, characters. */
const longestMessage = 200_000;

/** Aider's failure texts (0.86), matched on white-space-collapsed text in its own message colours. */
const screenTexts: readonly { readonly symptom: Symptom; readonly pattern: RegExp }[] = [
  { symptom: 'malformed', pattern: /The LLM did not conform to the edit format\./ },
  { symptom: 'gave_up', pattern: /Only \d+ reflections allowed, stopping\./ },
  { symptom: 'token_limit', pattern: /has hit a token limit!/ },
  { symptom: 'empty_response', pattern: /Empty response received from LLM\./ },
  {
    symptom: 'auth',
    pattern:
      /The API provider is not able to authenticate you\.|PermissionDeniedError|litellm\.APIError:.{0,300}?(?:not allowed|permission|forbidden|access denied|not authorized)/i,
  },
  {
    symptom: 'quota',
    pattern: /exceeded your current quota|insufficient[ _](?:quota|balance|credit)/i,
  },
  { symptom: 'rate_limited', pattern: /The API provider has rate limited you\./ },
  {
    symptom: 'provider_failed',
    pattern:
      /servers are down or overloaded|litellm\.(APIError|APIConnectionError|InternalServerError|Timeout|ServiceUnavailableError|BadGatewayError)|timed out without returning/,
  },
  {
    symptom: 'request_refused',
    pattern: /litellm\.(BadRequestError|UnprocessableEntityError|ContentPolicyViolationError)/,
  },
  // A name that litellm knows no provider for never reaches one.
  { symptom: 'model_unknown', pattern: /litellm\.NotFoundError|LLM Provider NOT provided/ },
  { symptom: 'not_committed', pattern: /Unable to commit:/ },
  { symptom: 'file_refused', pattern: /Unable to add|Cmd\('git'\) failed/ },
  {
    symptom: 'edits_lost',
    pattern:
      // What Aider takes for an error of git, it tells and forgets; among it is whatever the system says.
      /list index out of range|\[Errno \d+\]|Unable to write file|object has no attribute|object is not (?:iterable|subscriptable|callable)|argument of type/,
  },
  { symptom: 'edits_skipped', pattern: /Skipping edits to|skipping edits\./ },
  { symptom: 'edit_error', pattern: /Exception while updating files:/ },
  { symptom: 'disk_full', pattern: /No space left on device/ },
];

/** Each pattern, and the same without blanks. */
const bothWays = screenTexts.map(({ symptom, pattern }) => ({
  symptom,
  pattern,
  close: new RegExp(pattern.source.replace(/ /g, ''), pattern.flags),
}));

/**
 * Finds Aider's failure texts. Only what is in the colours of Aider's own messages counts, so a model
 * that merely writes such a text is not believed; pieces in one colour that follow each other are
 * joined first, as Aider breaks its messages at the width of the terminal.
 */
export function findSymptoms(
  lines: readonly ColouredText[],
  colours: readonly (number | string)[] = messageColours,
): Symptom[] {
  const blocks: string[] = [];
  let colour: ColouredText['colour'] = null;
  for (const line of lines) {
    const own = line.colour !== null && colours.includes(line.colour) ? line.colour : null;
    if (own !== null && own === colour) blocks[blocks.length - 1] += ` ${line.text}`;
    else if (own !== null) blocks.push(line.text);
    colour = own;
  }
  const found = new Set<Symptom>();
  for (const block of blocks.map((text) => text.slice(0, longestMessage))) {
    // A long word is cut where the terminal ends, without a blank: so it is looked at both ways.
    const forms = [block.replace(/\s+/g, ' '), block.replace(/\s+/g, '')];
    for (const { symptom, pattern, close } of bothWays) {
      if (pattern.test(forms[0] ?? '') || close.test(forms[1] ?? '')) found.add(symptom);
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

/** The one question that Aider asks whatever it was told: whether to report its own crash. */
export const crashQuestion = /Open a GitHub Issue pre-filled/i;

/** Aider's own form of a question, whole; a fragment of one does not begin like this. */
const aiderQuestion = /^\s*[A-Z][^?]*\?\s*\(Y\)es\/\(N\)o(?:\/\([A-Z]\)[\w' ]+)*\s\[[^\]]*\]:\s*$/;

/** How Aider asks, beside what all programs do. */
const aiderQuestions: OwnQuestions = {
  whole: aiderQuestion,
  ends: [/^(?:(?:ask|code|architect|help|context|whole|diff|udiff|multi) ?)*> ?$/],
};

/**
 * The question that stands on the line of the cursor; null when there is none.
 * @param cursorLines that line, then the same with ever more rows above it
 */
export function findAiderQuestion(cursorLines: readonly string[]): string | null {
  return findQuestion(cursorLines, aiderQuestions);
}
