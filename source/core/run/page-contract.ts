import type { Message, PersonMessage } from './message.js';

/**
 * What the web server and its page say to each other. The page is of the same build; what it sends is read with the
 * contract of the hosts all the same. Terminal bytes come as binary frames: the agent's index (4 bytes, the highest
 * first), then the bytes.
 */
export type FromServer =
  /** What this browser may do; first of all. */
  | { readonly type: 'rights'; readonly acts: boolean }
  /** What has happened in the run, in its order, from the first message on. */
  | { readonly type: 'journal'; readonly messages: readonly Message[] }
  /** All that is in the journal by now was sent. */
  | { readonly type: 'current' }
  /** The journal cannot be read, a sentence. */
  | { readonly type: 'unreadable'; readonly why: string }
  /** Whether the run's program is there, to act on it and to show its terminals. @param why a clause; '' where it is */
  | { readonly type: 'host'; readonly isThere: boolean; readonly why: string }
  | { readonly type: 'opened'; readonly agents: readonly number[] }
  | ScreenMessage
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'watchers'; readonly count: number }
  /** What was asked for is not done, a sentence. */
  | { readonly type: 'refused'; readonly why: string };

/**
 * What a terminal that is followed shows, in place of all that was sent of it: output for an empty terminal of this
 * size. Its bytes come after it.
 */
export interface ScreenMessage {
  readonly type: 'screen';
  readonly agent: number;
  readonly cols: number;
  readonly rows: number;
  /** With its scrollback; else with the rows of the screen alone, and more than these were left out. */
  readonly whole: boolean;
  readonly output: string;
}

export type FromPage =
  | { readonly type: 'dispatch'; readonly message: PersonMessage }
  | { readonly type: 'type'; readonly agent: number; readonly text: string }
  | {
      readonly type: 'resize';
      readonly agent: number;
      readonly cols: number;
      readonly rows: number;
    }
  | {
      readonly type: 'follow';
      readonly agent: number;
      /** So many rows above its screen are wanted, once there is time for them. */
      readonly scrolled: number;
    }
  | { readonly type: 'unfollow'; readonly agent: number }
  | { readonly type: 'taken'; readonly agent: number; readonly bytes: number }
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly what: 'diff' | 'lastMessage';
      readonly agent: number;
      readonly text: string;
    };

/** A run in the list of all that there are. */
export interface ListedRun {
  /** Repository and stamp, as they stand in an address. */
  readonly id: string;
  readonly run: string;
  /** The repository's folder. */
  readonly repo: string;
  readonly isAlive: boolean;
  /** What is known of it: state, agents, cost, age, change. */
  readonly words: string;
}
