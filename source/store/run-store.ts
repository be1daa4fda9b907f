import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Effect } from '../core/run/effect.js';
import type { Message, MessageBody } from '../core/run/message.js';
import type { RunState } from '../core/run/run.js';
import { update } from '../core/run/update.js';

/** Told of each message, with the state it led to; for journals and reporters. Must not dispatch. */
export type Observer = (state: RunState, before: RunState | null, message: Message) => void;

export type EffectHandler = (effect: Effect, dispatch: Dispatch) => void;
export type Dispatch = (message: MessageBody) => void;

export interface RunStore {
  readonly store: StoreApi<{ readonly run: RunState | null }>;
  readonly dispatch: Dispatch;
}

/**
 * The loop: a message, `update`, the next state, its effects. Messages that arrive while one is being
 * worked on wait for their turn, so that observers see them in order.
 * @param initial state to go on from, such as one read back from a journal
 */
export function createRunStore(
  handle: EffectHandler,
  observers: readonly Observer[],
  clock: () => number,
  initial: RunState | null = null,
): RunStore {
  const store = createStore<{ readonly run: RunState | null }>(() => ({ run: initial }));
  const queue: MessageBody[] = [];
  let working = false;
  const dispatch: Dispatch = (body) => {
    queue.push(body);
    if (working) return;
    working = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const message: Message = { ...next, at: clock() };
        const before = store.getState().run;
        const [state, effects] = update(before, message);
        store.setState({ run: state });
        for (const observe of observers) observe(state, before, message);
        for (const effect of effects) handle(effect, dispatch);
      }
    } finally {
      working = false;
    }
  };
  return { store, dispatch };
}
