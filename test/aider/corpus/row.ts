import type { FailReason } from '../../../source/core/agent/agent.js';
import type { RefusalKind } from '../../../source/core/policy/fence.js';
import type { Reply } from '../../../source/services/model-server/script.js';

export type Content = string | Buffer;

/**
 * One case: what the model or the machine does, and what must follow. All paths are relative to the
 * row's own folder in a repository that it shares with other rows.
 */
export interface Row {
  /** Unique; becomes the task's title, so it is what the scripted model knows the case by. */
  readonly name: string;
  /** Files at the base, beside `calc.py`, which is there unless it is given here (null: it is not). */
  readonly files?: Readonly<Record<string, Content | null>>;
  /** The file group; `['calc.py']` when absent. */
  readonly group?: readonly string[];
  readonly description?: string;
  /** In turn; the last one answers all further requests. `at` gives a path as the model must name it. */
  readonly replies: (at: (file: string) => string) => readonly Reply[];
  readonly outcome: 'succeeded' | FailReason;
  /** In the summary's words of the failure. */
  readonly words?: RegExp;
  /** Responses of the model; not looked at when absent. */
  readonly iterations?: number;
  /** Files on the agent's branch; null for one that must not be there. Others are as at the base. */
  readonly branch?: Readonly<Record<string, Content | null>>;
  /** What was refused, by the end of its path. */
  readonly refused?: Readonly<Record<string, RefusalKind>>;
  /** More that must hold, once the run has ended. */
  readonly also?: (world: RowWorld) => void;
}

export interface RowWorld {
  readonly repo: string;
  /** The row's folder in the repository. */
  readonly folder: string;
  readonly home: string;
}

export const broken = 'def add(a, b):\n    return a - b\n';
export const fixed = 'def add(a, b):\n    return a + b\n';
