import { cutSequences } from '../source/app/terminal/sequences.js';
import { diffLines, plainLines, proseLines, shown } from '../source/app/text/diff-lines.js';
import { renderMarkdown } from '../source/app/text/markdown.js';
import { parsePlan } from '../source/core/plan/plan.js';
import { readTasks, renderPrd } from '../source/core/plan/prd.js';
import { criteriaOf } from '../source/core/policy/criteria.js';
import { asksForRemoval, asksForWhiteSpace } from '../source/core/policy/fence.js';
import { faultOfText } from '../source/core/policy/machine-fault.js';
import { linesOfPatch, readReview } from '../source/core/policy/review.js';
import { testsNamedIn } from '../source/core/policy/test-report.js';
import { maskSecrets, trimOutput } from '../source/core/policy/test-run.js';
import { readJournal } from '../source/core/run/journal.js';
import { eventText } from '../source/core/text/event-words.js';
import { after, trimEndOf, trimStartOf } from '../source/core/text/linear.js';
import { parseJson } from '../source/core/text/parse-json.js';
import { withoutStyles } from '../source/core/text/plain-width.js';
import { printable, printableJson, printableLines } from '../source/core/text/printable.js';
import { parseAiderEvent } from '../source/services/agents/aider/analytics-log.js';
import { readChat } from '../source/services/agents/aider/chat-history.js';
import {
  blocksFence,
  fenceFor,
  withoutFences,
} from '../source/services/agents/aider/edit-fence.js';
import { LineSplitter } from '../source/services/agents/aider/log-tail.js';
import { checkReply, lastReply } from '../source/services/agents/aider/reply-check.js';
import { cutMap } from '../source/services/agents/aider/repo-map.js';
import {
  findAiderQuestion,
  findCause,
  findSymptoms,
} from '../source/services/agents/aider/screen-facts.js';
import { PrdReader, readAnswer } from '../source/services/gemini/answer.js';
import { retryHint } from '../source/services/provider/retry-hint.js';
import { ReportReader } from '../source/services/pty/junit-report.js';
import { maskText } from '../source/services/pty/secret-mask.js';

const red = 0xff2222;

/** What reads text that others wrote, each by the one thing that it is given here. */
export const readers: Readonly<Record<string, (text: string) => unknown>> = {
  checkReply: (text) => [
    checkReply(text, 'diff', ['a.py'], '/w'),
    checkReply(text, 'whole', ['a.py'], '/w'),
    checkReply(`a.py\n\`\`\`\n${text}`, 'whole', ['a.py'], '/w', 1),
    checkReply(
      `a.py\n<<<<<<< SEARCH\nx\n=======\n${text}\n>>>>>>> REPLACE\n`,
      'diff',
      ['a.py'],
      '/w',
    ),
  ],
  lastReply: (text) => lastReply(`LLM RESPONSE 2026-01-01T00:00:00\n${text}`),
  readChat,
  parseJson,
  criteriaOf: (text) => [criteriaOf(text), criteriaOf(`# Acceptance\n${text}`)],
  linesOfPatch,
  readReview: (text) => readReview(text, [], text, 'm'),
  trimOutput: (text) => trimOutput(text),
  maskSecrets: (text) => maskSecrets(text, ['secret-value']),
  maskText: (text) => [maskText(text, ['secret-value']), maskText(text, ['aaaaaaaaaaab'])],
  blocksFence: (text) => blocksFence(text, 0),
  fenceFor: (text) => fenceFor([text]),
  withoutFences,
  asksForRemoval: (text) => asksForRemoval(text),
  asksForWhiteSpace: (text) => asksForWhiteSpace(text),
  readJournal: (text) => readJournal(text, '20260102_030405'),
  trimEndOf: (text) => trimEndOf(text, ':` '),
  trimStartOf: (text) => trimStartOf(text, ':` '),
  after: (text) => after(text, '> '),
  faultOfText,
  parsePlan: (text) => parsePlan(text, 'plan'),
  readTasks: (text) =>
    ['', '## Tasks\n', '## Tasks\n### a\n'].map((before) => readTasks(`${before}${text}`)),
  renderPrd: (text) => renderPrd(text, []),
  printable,
  printableLines,
  printableJson,
  parseAiderEvent,
  findSymptoms: (text) => findSymptoms([{ text, colour: red }]),
  findCause: (text) => findCause([{ text, colour: red }], true),
  findAiderQuestion: (text) => findAiderQuestion([text, text]),
  readAnswer,
  PrdReader: (text) => {
    const reader = new PrdReader();
    for (let at = 0; at < text.length; at += 1000) {
      reader.push(text.slice(at, at + 1000));
      if (reader.prd.length < 0) throw new Error('never');
    }
  },
  withoutStyles,
  diffLines: (text) => diffLines(text, 80, { colour: true, unicode: true }),
  plainLines: (text) => plainLines(text, 80),
  shown,
  proseLines: (text) => proseLines(text, 80),
  renderMarkdown: (text) => renderMarkdown(text, 80, { colour: true, unicode: true }),
  cutMap: (text) => cutMap(`Here are summaries of\n${text}`),
  LineSplitter: (text) => {
    const splitter = new LineSplitter();
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 1000) splitter.push(bytes.subarray(at, at + 1000));
  },
  ReportReader: (text) => [
    new ReportReader().read(text, '/w'),
    new ReportReader().read(`<testsuite><testcase name="a">${text}`, '/w'),
    new ReportReader().read(`<testsuite><testcase name="${text.replaceAll('"', '')}"/>`, '/w'),
  ],
  testsNamedIn: (text) => {
    testsNamedIn(text);
    testsNamedIn('(test: '.repeat(text.length / 8));
  },
  eventText: (text) => {
    eventText(text, () => '00:00:00');
    eventText(JSON.stringify({ event: 'asked', time: 1, question: text }), () => '00:00:00');
  },
  cutSequences: (text) => {
    cutSequences(text);
    cutSequences(text.slice(0, 200_000).replaceAll(' ', '\x1b'));
    cutSequences(`\x1b]${text}`);
  },
  retryHint: (text) =>
    retryHint(
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': text },
      text,
      0,
    ),
};

/** What a model, a provider or a program may write by the megabyte, and what patterns have stumbled over. */
const pieces = [
  'a',
  ' ',
  '\n',
  '\t',
  ':',
  '*',
  '`',
  '#',
  '.',
  '-',
  '"',
  '\\',
  '{',
  '[',
  '<',
  '1',
  '|',
  '> ',
  '- ',
  '/ ',
  '* a',
  '` ',
  '`` ` ',
  '```\n',
  '````\n```\n',
  '# ... rest\n',
  '<<<<<<< SEARCH\n',
  '<<<<<<< SEARCH\n=======\n',
  '>>>>>>> REPLACE\n',
  '> Applied edit to a\n',
  '> Applied edit to a    ',
  'TO LLM 2026-01-01T00:00:00\n',
  'LLM RESPONSE 2026-01-01T00:00:00\n',
  '- R1: a   ',
  '- [x] ',
  '### T1: a    ',
  '- Files: `a`, ',
  '{"prd":"',
  '{"a":[',
  '\\u00',
  'try again in 1',
  'retry in 1s ',
  'litellm.APIError: ',
  'password:',
  ': error: ',
  "codec can't decode",
  'eyJ-',
  'sk-sk-',
  '\x1b[1;',
  '\x1b]8;;',
  'https://a.',
  '[a](',
  '**a',
  '_a_',
  '<a ',
  '&amp;',
  'No space left on device ',
  'fork ',
] as const;

const size = 1_000_000;

/** Repetitive and nested texts of a megabyte each. */
export function inputs(): string[] {
  const repeated = pieces.map((piece) => piece.repeat(Math.ceil(size / piece.length)));
  // A beginning that opens something, a megabyte of something, and an end that does not close it.
  const opened = ['```\n', '<<<<<<< SEARCH\n', '- ', '### T1: ', '"', '- R1: '].flatMap((head) =>
    [' ', ':', '`', '\n', 'a '].map((piece) => `${head}${piece.repeat(size / piece.length)}x`),
  );
  const growing: string[] = [];
  for (let length = 1, sum = 0; sum < size; length++, sum += length)
    growing.push('`'.repeat(length));
  return [...repeated, ...opened, growing.join(' ')];
}
