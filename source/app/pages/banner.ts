import type { FailReason } from '../../core/agent/agent.js';
import type { RunState } from '../../core/run/run.js';
import { haltWords, mends, reasonWords } from '../../core/text/words.js';
import type { ActionName, Keymap } from '../keymap.js';

export interface Banner {
  readonly text: string;
  /** A warning can be dismissed; what halts the run stands until it is mended. */
  readonly isWarning: boolean;
}

/** What can be changed on the screen of a run so that agents do not fail alike again, by reason. */
const cures: Partial<Record<FailReason, readonly ('key' | 'model' | 'setup')[]>> = {
  auth: ['key', 'model'],
  quota: ['key', 'model'],
  model_not_found: ['model'],
  request_refused: ['model'],
  provider_error: ['model'],
  setup_failed: ['setup'],
};

/** Reasons that are told above all panes: they meet every agent. */
const common: readonly FailReason[] = ['auth', 'quota', 'model_not_found', 'setup_failed'];

/** The actions that cure failures of these reasons, each once. */
export function curesOf(
  reasons: readonly FailReason[],
  screen: 'run' | 'summary',
): readonly ActionName[] {
  return [...new Set(reasons.flatMap((reason) => cures[reason] ?? []))].map(
    (cure): ActionName => `${screen}.${cure}`,
  );
}

/** Actions as words after a sentence that names what is wrong: `Ctrl-K enters another key, M chooses another model`. */
export function cureWords(names: readonly ActionName[], keymap: Keymap): string {
  const words: Partial<Record<ActionName, string>> = {
    'run.key': 'enters another key',
    'run.model': 'chooses another model',
    'run.setup': 'changes it',
    'summary.key': 'enters another key',
    'summary.model': 'chooses another model',
    'summary.setup': 'changes it',
  };
  return names.map((name) => `${keymap.label(name)} ${words[name] ?? ''}`).join(', ');
}

/**
 * What has to be said above all else: why a run is halted and how it goes on, or the latest warning that was
 * not seen yet.
 * @param seen warnings that were seen
 */
export function bannerOf(state: RunState, seen: number, keymap: Keymap): Banner | null {
  if (state.circuitBreaker !== null && state.phase !== 'finished') {
    const cure = cureWords(curesOf([state.circuitBreaker.reason], 'run'), keymap);
    const how = cure === '' ? '' : `${cure}; `;
    const resume = keymap.label('run.pause');
    return {
      text: `${haltWords(state.circuitBreaker)} ${how}${resume} resumes and starts the failed agents again.`,
      isWarning: false,
    };
  }
  const refused = refusedBy(state, keymap);
  if (refused !== null) return { text: refused, isWarning: false };
  const fresh = state.warnings.slice(seen);
  const last = fresh.at(-1);
  if (last === undefined) return null;
  const more = fresh.length > 1 ? ` (${fresh.length - 1} more)` : '';
  const [all, away] = [keymap.label('run.warnings'), keymap.label('run.unzoom')];
  return {
    text: `${last}${more} ${all} shows all warnings, ${away} dismisses this.`,
    isWarning: true,
  };
}

/** What meets all agents of one key, model or set-up: said until those that met it have been started again. */
function refusedBy(state: RunState, keymap: Keymap): string | null {
  const failed = state.agents.flatMap(({ index, state: now }) =>
    now.name === 'failed' && common.includes(now.reason)
      ? [{ index, reason: now.reason, detail: now.detail }]
      : [],
  );
  const [first] = failed;
  if (!first) return null;
  const alike = failed.filter(({ reason }) => reason === first.reason);
  const who = alike.length === 1 ? `agent${first.index}` : `${alike.length} agents`;
  const why = first.reason === 'setup_failed' ? ` (${first.detail})` : '';
  const cure = cureWords(curesOf([first.reason], 'run'), keymap);
  return `${who}: ${reasonWords(first.reason)}${why}. ${mends[first.reason] ?? ''} ${cure}; ${keymap.label('run.restart')} restarts the agent.`;
}
