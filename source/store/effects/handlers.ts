import type { Failure } from '../../core/policy/failure.js';
import type { AgentBackend, Reviewer, Workspace } from '../../core/ports.js';
import type { Result } from '../../core/result.js';
import type { Effect } from '../../core/run/effect.js';
import type { MadePlan } from '../../core/run/run.js';
import type { Dispatch } from '../run-store.js';

/** The ports of a run. */
export interface Ports {
  readonly workspace: Workspace;
  readonly backend: AgentBackend;
  /** Null when nobody reads the work. */
  readonly reviewer: Reviewer | null;
  /** Makes the plan of this run, by whatever it was asked to. */
  readonly plan: (signal: AbortSignal) => Promise<Result<MadePlan, Failure>>;
  /** Asks a person whether the plan may be run; resolves at once when nobody is to be asked. */
  readonly confirm: () => Promise<boolean>;
}

export type EffectOf<T extends Effect['type']> = Extract<Effect, { readonly type: T }>;

/** Carries out one family of effects, and answers with messages. */
export type Handlers<T extends Effect['type']> = {
  readonly [K in T]: (effect: EffectOf<K>, dispatch: Dispatch) => void | Promise<void>;
};

/**
 * What ends checks and reviews that are under way: an agent's or, by null, those of the base and of the merged
 * work.
 */
export class Stops {
  private readonly controllers = new Map<number | null, AbortController>();

  begin(key: number | null): AbortSignal {
    const stop = new AbortController();
    this.controllers.set(key, stop);
    return stop.signal;
  }

  end(key: number | null): void {
    this.controllers.get(key)?.abort();
  }
}
