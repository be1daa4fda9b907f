import { debugNote, isDebugged } from '../../services/logs/debug-log.js';
import type { EffectHandler, Observer } from '../../store/run-store.js';

/** The handler, with a note of each effect where a debug log is wanted. */
export function debugged(handle: EffectHandler): EffectHandler {
  return isDebugged() ? noted(handle) : handle;
}

/** Takes note of each message where a debug log is wanted. */
export function debugObservers(): Observer[] {
  if (!isDebugged()) return [];
  return [(next, _, message) => debugNote('message', { ...shortOf(message), phase: next.phase })];
}

/** Takes note of each effect when it begins and each time it answers. */
function noted(handle: EffectHandler): EffectHandler {
  return (effect, dispatch) => {
    const began = performance.now();
    debugNote('effect', shortOf(effect));
    handle(effect, (message) => {
      const answer = { ...shortOf(effect), answer: message.type };
      debugNote('effect', answer, performance.now() - began);
      dispatch(message);
    });
  };
}

/** What it is and whose, without any text. */
function shortOf(one: { readonly type: string }): Record<string, unknown> {
  return 'agent' in one ? { type: one.type, agent: one.agent } : { type: one.type };
}
