import * as z from 'zod';
import { messageSchema } from '../../core/run/journal.js';
import { type Message, type PersonMessage, personMessages } from '../../core/run/message.js';
import type { ScreenMessage } from '../../core/run/page-contract.js';
import type { StatePatch } from '../../core/run/state-patch.js';
import type { PictureRow } from '../pty/picture-row.js';

/**
 * What a run's host and its clients say to each other, over a stream that only the user can open. Frames are in
 * `channel.ts`; each but typed text is one of these as JSON.
 *
 * - The client speaks first: `hello`. The host answers with `welcome`, or with `refused` and its reason, and closes.
 *   Both sides tell the version of the contract. It goes up with each change of these forms; a client of another one
 *   is refused. A client that shows the run's state (`wants: 'screen'` or `'messages'`) must be of the same version
 *   of the program, as that state is the program's own.
 * - A kind of message that is not known is passed over, so that a later version can add some. One that is known and
 *   has another form closes the connection, and so does a frame that is too large.
 * - What a client is told is how things are, not how they came to be: a state is sent as what has changed since
 *   the last one that this client got, a terminal as the rows of its window that have. A client that is slow to
 *   read skips what came between. `wants: 'messages'` alone gets every message; one that lets them pile up is let go.
 * - A picture of a terminal is sent when the client has drawn the last one (`seen`), so that it decides how many
 *   it gets. The terminal's own questions are answered by the host's emulator alone.
 * - A client of bytes has an emulator of its own (a browser). It is sent what a terminal shows as output that leads
 *   there (`screen`), and then the bytes of that terminal as binary frames. It tells how many it has taken. Where
 *   more comes than it can take, it is sent only what the terminal shows, at times, until that ends.
 * - The client that was used last decides how large terminals are.
 */
export const contractVersion = 1;

/** What one frame may hold, bytes. */
export const mostFrameBytes = { fromClient: 4e6, fromHost: 256e6 } as const;

const wants = z.enum([
  /** State and terminals. */
  'screen',
  /** State, and each message that led to it. */
  'messages',
  /** The bytes of the terminals that it follows; what happens it reads in the run's journal. */
  'bytes',
  /** Nothing: it only has something done. */
  'nothing',
]);

const index = z.number().int().min(0).max(100_000);
const number = z.number().int().min(0);

/** No terminal keeps more rows above its screen. */
const mostScrolled = 100_000;
const size = z.number().int().min(1).max(10_000);

export const helloSchema = z.object({
  type: z.literal('hello'),
  contract: z.number(),
  /** The version of the program. */
  program: z.string(),
  wants,
});
export type Hello = z.infer<typeof helloSchema>;

/** What a person has a run do, in the form of the journal's message. */
const dispatchSchema = z.object({
  type: z.literal('dispatch'),
  /** Counts those of this client; the state that it is sent tells the last one that counts in it. */
  seq: number,
  message: z
    .looseObject({ type: z.enum(personMessages) })
    .transform((message, context): PersonMessage => {
      const read = messageSchema.safeParse({ ...message, at: 0 });
      if (!read.success) {
        context.addIssue({ code: 'custom', message: 'is no message' });
        return z.NEVER;
      }
      const { at: _, ...body } = read.data;
      return body as PersonMessage;
    }),
});

/** What is looked up for a client. */
export const questions = ['diff', 'events', 'lastMessage', 'prd', 'search', 'lines'] as const;

export const clientMessageSchema = z.discriminatedUnion('type', [
  dispatchSchema,
  /** A person does something there. */
  z.object({ type: z.literal('used') }),
  z.object({ type: z.literal('resize'), agent: index, cols: size, rows: size }),
  /** The rows it shows of a terminal: so many from a row on; from the end of the terminal where that is null. */
  z.object({ type: z.literal('look'), agent: index, from: number.nullable(), rows: size }),
  /** It has drawn the last picture of these. */
  z.object({ type: z.literal('seen'), agents: z.array(index).max(100_000) }),
  /** It is to be told where this row is. */
  z.object({ type: z.literal('hold'), agent: index, id: number, row: number }),
  z.object({ type: z.literal('release'), agent: index, id: number }),
  /** It is to be given the terminal's bytes, from what it shows on; or no longer. */
  /** `scrolled`: so many rows above its screen are wanted, once there is time for them. */
  z.object({ type: z.literal('follow'), agent: index, scrolled: number.max(mostScrolled) }),
  z.object({ type: z.literal('unfollow'), agent: index }),
  /** So many bytes of it were drawn since the last time, those of screens included. */
  z.object({ type: z.literal('taken'), agent: index, bytes: number }),
  /** A person has given an API key; kept by the host's process, and written nowhere. */
  z.object({
    type: z.literal('key'),
    variable: z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/),
    value: z.string().min(1).max(10_000),
  }),
  z.object({
    type: z.literal('ask'),
    id: number,
    what: z.enum(questions),
    agent: index,
    text: z.string().max(10_000),
  }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;
/** The kinds that are known; others are passed over. */
export const clientTypes: ReadonlySet<unknown> = new Set(
  clientMessageSchema.options.map(({ shape }) => shape.type.value),
);

/** How a terminal looks: all of it but the rows, of which those of the window come that have changed. */
export interface Picture {
  readonly cols: number;
  readonly rows: number;
  /** The number of its first row; see `Emulator.first`. */
  readonly first: number;
  /** Rows there are, scrollback included. */
  readonly length: number;
  readonly alternate: boolean;
  /** Rows that were sent before are of no use any more. */
  readonly anew: boolean;
  readonly bracketedPaste: boolean;
  readonly applicationCursor: boolean;
  readonly cursor: { readonly row: number; readonly column: number; readonly shown: boolean };
  /** Where held rows are; null for one that is gone. */
  readonly held: readonly (readonly [id: number, row: number | null])[];
  readonly lines: readonly (readonly [row: number, line: PictureRow])[];
}

/** Why a host does not take a client. */
export type RefusedBecause = 'contract' | 'program' | 'form' | 'too_slow';

export type HostMessage =
  | {
      readonly type: 'welcome';
      readonly contract: number;
      readonly program: string;
      readonly run: string;
      readonly pid: number;
    }
  | {
      readonly type: 'refused';
      readonly contract: number;
      readonly program: string;
      readonly because: RefusedBecause;
    }
  /**
   * @param written whether the summary of the run as it is now is on the disk
   * @param heard the last message of this client that counts in it; 0 for none
   */
  | {
      readonly type: 'state';
      readonly patch: StatePatch;
      readonly written: boolean;
      readonly heard: number;
    }
  | { readonly type: 'message'; readonly message: Message }
  /** It has come to an end, with this exit code; a person can still lead it on. */
  | { readonly type: 'finished'; readonly code: number }
  /** Agents that have a terminal by now. */
  | { readonly type: 'opened'; readonly agents: readonly number[] }
  | { readonly type: 'picture'; readonly agent: number; readonly picture: Picture }
  | ScreenMessage
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'warning'; readonly text: string }
  /** How many screens show it, this one among them. */
  | { readonly type: 'watchers'; readonly count: number }
  /** Variables with keys that its process has, by name. */
  | { readonly type: 'keys'; readonly names: readonly string[] };

/** None can be forgotten. */
const hostTypes: Readonly<Record<HostMessage['type'], true>> = {
  welcome: true,
  refused: true,
  state: true,
  message: true,
  finished: true,
  opened: true,
  picture: true,
  screen: true,
  answer: true,
  warning: true,
  watchers: true,
  keys: true,
};

/**
 * A message of the host. It is our own program of the same version, behind a socket of this user: its kind is looked
 * at, its form is believed. Null for a kind that is not known.
 */
export function asHostMessage(value: unknown): HostMessage | null {
  const { type } = (value ?? {}) as { type?: unknown };
  const isKnown = typeof type === 'string' && Object.hasOwn(hostTypes, type);
  return isKnown ? (value as HostMessage) : null;
}
