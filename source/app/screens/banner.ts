import type { RunState } from '../../core/run.js';
import { haltWords, mends, reasonWords } from '../../core/words.js';

export interface Banner {
  readonly text: string;
  /** A warning can be dismissed; what halts the run stands until it is mended. */
  readonly isWarning: boolean;
}

/**
 * What has to be said above all else: why a run is halted and how it goes on, or the latest warning that was
 * not seen yet.
 * @param seen warnings that were seen
 */
export function bannerOf(state: RunState, seen: number): Banner | null {
  if (state.halt !== null && state.phase !== 'finished') {
    const { reason } = state.halt;
    const keys =
      reason === 'auth' || reason === 'quota' ? 'Ctrl-K enters another key, M another model; ' : '';
    const model = reason === 'model_not_found' ? 'M chooses another model; ' : '';
    return {
      text: `${haltWords(state.halt)} ${keys}${model}p resumes and starts the failed agents again.`,
      isWarning: false,
    };
  }
  const refused = refusedBy(state);
  if (refused !== null) return { text: refused, isWarning: false };
  const fresh = state.warnings.slice(seen);
  const last = fresh.at(-1);
  if (last === undefined) return null;
  const more = fresh.length > 1 ? ` (${fresh.length - 1} more)` : '';
  return { text: `${last}${more} w shows all warnings, Esc dismisses this.`, isWarning: true };
}

/** What a provider refuses, for all of one key or model: said until the agents that met it have been started again. */
function refusedBy(state: RunState): string | null {
  const failed = state.agents.flatMap(({ index, state: now }) =>
    now.name === 'failed' && ['auth', 'quota', 'model_not_found'].includes(now.reason)
      ? [{ index, reason: now.reason }]
      : [],
  );
  const [first] = failed;
  if (!first) return null;
  const alike = failed.filter(({ reason }) => reason === first.reason);
  const who = alike.length === 1 ? `agent${first.index}` : `${alike.length} agents`;
  const key = first.reason === 'model_not_found' ? '' : 'Ctrl-K enters another key, ';
  return `${who}: ${reasonWords(first.reason)}. ${mends[first.reason] ?? ''} ${key}M chooses another model; r restarts the agent.`;
}
