import type { RawData } from 'ws';
import * as z from 'zod';
import { parseJson } from '../../core/text/parse-json.js';
import { type ClientMessage, clientMessageSchema } from '../host/contract.js';
import type { RunFeed } from './run-feed.js';

/** What one message of the page may hold, bytes. */
export const mostFromPage = 1024 * 1024;

/** Text that a person types; all else has the form that it has for a host. */
const typedSchema = z.object({
  type: z.literal('type'),
  agent: z.number().int().min(0).max(100_000),
  text: z.string().max(mostFromPage),
});

/** What anybody may send who sees a run. */
const watching: ReadonlySet<ClientMessage['type']> = new Set([
  'follow',
  'unfollow',
  'taken',
  'ask',
]);

/** What who may act may send beside. A key is given in a terminal alone. */
const acting: ReadonlySet<ClientMessage['type']> = new Set(['dispatch', 'resize', 'used']);

/**
 * Does what a page asks for.
 * @returns why it is not done, a sentence; null when it is
 */
export function doAsAsked(data: RawData, feed: RunFeed, acts: boolean): string | null {
  const value = parseJson(data.toString());
  const typed = typedSchema.safeParse(value);
  if (typed.success) {
    return acts ? feed.type(typed.data.agent, typed.data.text) : 'This link can only watch.';
  }
  // Counted here: each browser's messages come over a connection of its own.
  const read = clientMessageSchema.safeParse({ seq: 0, ...(value as object) });
  if (!read.success) return 'That was not understood.';
  const { data: message } = read;
  if (watching.has(message.type)) return feed.ask(message);
  if (!acting.has(message.type)) return 'That was not understood.';
  if (!acts) return 'This link can only watch.';
  return message.type === 'dispatch' ? feed.dispatch(message.message) : feed.ask(message);
}
