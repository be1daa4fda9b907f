import { printable } from './printable.js';

/** Fields of an agent's log that say nothing to a person who reads it in the run itself. */
const unsaid = new Set(['event', 'time', 'simulated', 'properties']);
/** Of Aider's own properties the ones that tell how the work goes. */
const telling = ['prompt_tokens', 'completion_tokens', 'cost', 'main_model', 'edit_format'];
/** Characters of a value; a log may hold a whole reply. */
const longest = 300;

/**
 * A line of `agent<N>_<stamp>.jsonl` as a person reads it: the time of day, what happened, and the facts.
 * One that is no JSON object is given as it is.
 * @param timeOf the time of day for epoch seconds, such as `12:03:04`
 */
export function eventText(line: string, timeOf: (seconds: number) => string): string {
  const event = objectOf(line);
  if (!event) return printable(line.slice(0, longest));
  const time = typeof event.time === 'number' ? timeOf(event.time) : '        ';
  const properties = isRecord(event.properties) ? event.properties : {};
  const facts = [
    ...Object.entries(event).filter(([name]) => !unsaid.has(name)),
    ...Object.entries(properties).filter(([name]) => telling.includes(name)),
  ].flatMap(([name, value]) => {
    const text = valueText(value);
    return text === '' ? [] : [`${name.replaceAll('_', ' ')} ${text}`];
  });
  const what = String(event.event ?? '?').replaceAll('_', ' ');
  return printable([`${time}  ${what}`, facts.join(', ')].filter(Boolean).join(': '));
}

function objectOf(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch (error) {
    // The last line of a log may be half written.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
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
