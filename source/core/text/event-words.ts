import { parseJson } from './parse-json.js';
import { printable } from './printable.js';

/** Characters of a value; a log may hold a whole reply. */
const longest = 300;

type Fields = Readonly<Record<string, unknown>>;

/** What our own events say, in a person's words; those of an agent bring words of their own. */
const told: Readonly<Record<string, (event: Fields) => string>> = {
  prepared: ({ files }) => `its worktree is ready${listed(', for ', files)}`,
  started: ({ pid }) => `its program started${typeof pid === 'number' ? ` (process ${pid})` : ''}`,
  assistant_response: ({ iteration, prompt_tokens, completion_tokens, cost }) =>
    [
      `iteration ${valueText(iteration)}: ${valueText(prompt_tokens) || '?'} tokens sent`,
      `${valueText(completion_tokens) || '?'} received`,
      typeof cost === 'number' ? `$${cost.toFixed(4)}` : 'cost unknown',
    ].join(', '),
  asked: ({ question }) => `asks: ${valueText(question)}`,
  exited: ({ code, signal, edited, cause }) =>
    [
      signal
        ? `its process was ended by ${valueText(signal)}`
        : `its process ended, exit code ${valueText(code)}`,
      ...(Array.isArray(edited) && edited.length > 0
        ? [`says that it edited ${valueText(edited)}`]
        : []),
      ...(cause ? [valueText(cause)] : []),
    ].join('; '),
  lost: () => 'its process ended with aider-orchestrator; it begins again where it was',
  judged: ({ verdict, files, refused }) =>
    [
      `checked: ${valueText(verdict).replaceAll('_', ' ') || 'no verdict'}`,
      Array.isArray(files) && files.length > 0 ? `changed ${valueText(files)}` : 'no file changed',
      ...(Array.isArray(refused) && refused.length > 0
        ? [
            `taken back ${refused.map((one) => valueText(isRecord(one) ? one['path'] : one)).join(' ')}`,
          ]
        : []),
    ].join(', '),
  outcome: ({ words, iterations }) =>
    `${valueText(words)}${iterations === undefined ? '' : ` after ${valueText(iterations)} ${iterations === 1 ? 'iteration' : 'iterations'}`}`,
};

function listed(before: string, value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? `${before}${valueText(value)}` : '';
}

/**
 * A line of `agent<N>_<stamp>.jsonl` as a person reads it: the time of day, and what happened.
 * One that is no JSON object is given as it is.
 * @param timeOf the time of day for epoch seconds, such as `12:03:04`
 */
export function eventText(line: string, timeOf: (seconds: number) => string): string {
  const event = objectOf(line);
  if (!event) return printable(line.slice(0, longest));
  const time = typeof event['time'] === 'number' ? timeOf(event['time']) : '        ';
  const name = String(event['event'] ?? '?');
  const properties = isRecord(event['properties']) ? event['properties'] : {};
  const words = Object.hasOwn(told, name) ? told[name] : undefined;
  const own = typeof event['said'] === 'string' ? event['said'].slice(0, longest) : null;
  const what = own ?? (words ? words({ ...event, ...properties }) : name.replaceAll('_', ' '));
  return printable(`${time}  ${what}`);
}

function objectOf(line: string): Record<string, unknown> | null {
  // The last line of a log may be half written.
  const value = parseJson(line);
  return isRecord(value) ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) {
    return value.length === 0
      ? ''
      : value.map(valueText).filter(Boolean).join(' ').slice(0, longest);
  }
  if (isRecord(value)) return JSON.stringify(value).slice(0, longest);
  return String(value).slice(0, longest);
}
