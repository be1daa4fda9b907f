import type { AiderEvent } from './analytics-log.js';

/** What Aider's own events say, in a person's words. */
const told: Readonly<Record<string, (properties: AiderEvent['properties']) => string>> = {
  launched: () => 'Aider runs',
  'cli session': ({ main_model, edit_format }) =>
    `Aider uses ${textOf(main_model) || 'its model'}${prefixed(', edit format ', edit_format)}`,
  message_send_starting: () => 'a message goes to the model',
  message_send: () => 'the model has answered',
  message_send_exception: ({ exception }) => `the message failed${prefixed(': ', exception)}`,
  exit: ({ reason }) => `Aider ends${prefixed(': ', reason)}`,
};

/** An event of Aider's in words; null for one that has none but its name. */
export function wordsOf({ event, properties }: AiderEvent): string | null {
  return Object.hasOwn(told, event) ? (told[event]?.(properties) ?? null) : null;
}

function prefixed(before: string, value: unknown): string {
  const text = textOf(value);
  return text === '' ? '' : `${before}${text}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 300) : '';
}
