import { useRef, useState } from 'react';
import { editGroups, type GroupEdit } from '../core/plan/group-edits.js';
import type { Task } from '../core/plan/plan.js';
import { renderPrd } from '../core/plan/prd.js';
import { describe, type Failure } from '../core/policy/failure.js';
import type { Draft, KeptDraft, PlanWait, RunChoices, WizardPort } from './ports.js';
import { type TextBuffer, textBuffer } from './text/text-buffer.js';

/** What is being made while the planner works. */
export interface Making {
  readonly startedAt: number;
  /** The PRD as far as it has come. */
  readonly text: string;
  /** Why the next attempt waits; null while none does. */
  readonly wait: PlanWait | null;
}

export interface WizardState {
  readonly change: TextBuffer;
  readonly draft: Draft | null;
  /** The change that the draft was made for. */
  readonly draftChange: string;
  /** Why the tasks in the PRD cannot be used; null when they can. */
  readonly problem: string | null;
  readonly failure: Failure | null;
  readonly making: Making | null;
  /** A PRD that broke off; '' when there is none. */
  readonly half: string;
  /** The last remark for a rewrite, until one has succeeded. */
  readonly remark: string;
  readonly undo: readonly (readonly Task[])[];
  /** PRDs that were replaced, with their tasks; the latest last. */
  readonly earlier: readonly Draft[];
  readonly maxAgents: number;
  readonly choices: RunChoices;
}

export interface Wizard extends WizardState {
  setChange(change: TextBuffer): void;
  /** Has the PRD written; resolves when it is there, or not. */
  make(remark: string | null): Promise<boolean>;
  cancel(): void;
  /**
   * Takes a PRD that a person wrote or edited; the tasks are read from it.
   * @param own true for one that is not the planner's with changes
   */
  takePrd(text: string, own: boolean): Promise<void>;
  /** Goes back to the PRD before the last one; false when there is none. */
  undoPrd(): boolean;
  withoutPrd(): void;
  edit(edit: GroupEdit): void;
  undoEdit(): boolean;
  setMaxAgents(count: number): void;
  choose(choices: Partial<RunChoices>): void;
  /** Goes on with a draft that was kept. */
  takeKept(kept: KeptDraft): void;
}

/** Between two looks at a PRD that is being written, milliseconds. */
const textMs = 50;

function emptyDraft(tasks: readonly Task[]): Draft {
  return { prd: '', tasks, model: null, warnings: [], prdPath: null };
}

/** The draft of a run: all that was typed and made, whichever step is shown. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function useWizard(port: WizardPort, now: () => number): Wizard {
  const [state, setState] = useState<WizardState>(() => {
    const { given } = port;
    const draft =
      given && 'tasks' in given
        ? emptyDraft(given.tasks)
        : given
          ? { ...emptyDraft([]), prd: given.prd }
          : null;
    return {
      change: textBuffer(port.change),
      draft,
      draftChange: port.change.trim(),
      problem: null,
      failure: null,
      making: null,
      half: '',
      remark: '',
      undo: [],
      earlier: [],
      maxAgents: port.facts.maxAgents,
      choices: {
        model: port.facts.model,
        maxIterations: port.facts.maxIterations,
        timeoutMs: port.facts.timeoutMs,
        budgetUsd: port.facts.budgetUsd,
        land: port.facts.land,
        setupCmd: port.facts.setupCmd ?? '',
        copy: port.facts.copy,
        testCmd: port.facts.testCommand?.command ?? '',
        redBase: port.facts.redBase,
        review: port.facts.review,
      },
    };
  });
  const abort = useRef<AbortController | null>(null);
  const latest = useRef(state);
  latest.current = state;
  const patch = (part: Partial<WizardState>) => {
    latest.current = { ...latest.current, ...part };
    setState(latest.current);
  };
  const changeText = () => latest.current.change.text.trim();

  /** The earlier PRDs with the one that is about to be replaced. */
  const kept = () => {
    const { earlier, draft } = latest.current;
    return draft && draft.prd !== '' && draft.tasks.length > 0 ? [...earlier, draft] : earlier;
  };

  const make = async (remark: string | null): Promise<boolean> => {
    abort.current?.abort();
    const own = new AbortController();
    abort.current = own;
    const { draft, maxAgents } = latest.current;
    const change = changeText();
    const startedAt = now();
    let shownAt = 0;
    const again = remark !== null && draft ? { prd: draft.prd, remark } : null;
    // What comes, and what the next attempt waits for.
    let text = '';
    let wait: PlanWait | null = null;
    patch({ making: { startedAt, text, wait }, failure: null, remark: remark ?? '' });
    const made = await port.plan(
      { change, maxAgents, again },
      {
        onText: (more) => {
          text = more === '' ? text : more;
          // A model may send a word at a time; nobody reads faster than this.
          if (abort.current !== own || (wait === null && now() - shownAt < textMs)) return;
          wait = null;
          shownAt = now();
          patch({ making: { startedAt, text, wait } });
        },
        onWait: (why) => {
          wait = why;
          if (abort.current === own) patch({ making: { startedAt, text, wait } });
        },
      },
      own.signal,
    );
    if (abort.current !== own) return false;
    abort.current = null;
    if (!made.ok) {
      const cancelled = made.failure.kind === 'planner' && made.failure.problem === 'cancelled';
      // A PRD that is there already is better than the half of another one.
      const half = draft && draft.prd !== '' ? '' : text;
      patch({ making: null, failure: cancelled ? null : made.failure, half });
      return false;
    }
    patch({
      making: null,
      half: '',
      remark: '',
      earlier: kept(),
      draft: made.value,
      draftChange: change,
      problem: null,
      failure: null,
      undo: [],
    });
    return true;
  };

  const readAgain = async (prd: string, own: boolean): Promise<void> => {
    const before = latest.current.draft ?? emptyDraft([]);
    const change = changeText();
    const read = await port.readTasks(prd, change, latest.current.maxAgents);
    patch({
      earlier: kept(),
      draft: {
        ...before,
        prd,
        tasks: read.ok ? read.value : [],
        ...(own ? { model: null, warnings: [] } : {}),
      },
      draftChange: change,
      problem: read.ok ? null : describe(read.failure).message,
      failure: null,
      half: '',
      undo: [],
    });
  };

  return {
    ...state,
    setChange: (change) => patch({ change }),
    make,
    cancel: () => {
      const own = abort.current;
      abort.current = null;
      own?.abort();
      const { making, draft } = latest.current;
      const half = draft && draft.prd !== '' ? '' : (making?.text ?? '');
      patch({ making: null, half });
    },
    takePrd: readAgain,
    undoPrd: () => {
      const { earlier } = latest.current;
      const last = earlier.at(-1);
      if (!last) return false;
      patch({ draft: last, earlier: earlier.slice(0, -1), problem: null, undo: [] });
      return true;
    },
    withoutPrd: () => {
      const change = changeText();
      patch({
        earlier: kept(),
        failure: null,
        draft: emptyDraft(port.withoutPrd(change, latest.current.maxAgents)),
        draftChange: change,
        problem: null,
        undo: [],
      });
    },
    edit: (edit) => {
      const { draft, undo } = latest.current;
      if (!draft) return;
      const tasks = editGroups(draft.tasks, edit);
      if (tasks === draft.tasks) return;
      patch({ draft: withTasks(draft, tasks), undo: [...undo, draft.tasks] });
    },
    undoEdit: () => {
      const { draft, undo } = latest.current;
      const last = undo.at(-1);
      if (!draft || !last) return false;
      patch({ draft: withTasks(draft, last), undo: undo.slice(0, -1) });
      return true;
    },
    takeKept: (kept) => {
      const hasDraft = kept.prd !== '' || kept.tasks.length > 0;
      const { prd, tasks, model } = kept;
      patch({
        change: textBuffer(kept.change),
        draft: hasDraft ? { ...emptyDraft(tasks), prd, model } : null,
        draftChange: kept.draftChange,
        problem: null,
        undo: [],
        earlier: [],
      });
      // The files may have changed since.
      if (prd !== '' && tasks.length === 0) void readAgain(prd, model === null);
    },
    choose: (choices) => patch({ choices: { ...latest.current.choices, ...choices } }),
    setMaxAgents: (count) => patch({ maxAgents: Math.max(1, Math.min(1000, count)) }),
  };
}

/** The PRD says what the groups say, as agents read it. */
function withTasks(draft: Draft, tasks: readonly Task[]): Draft {
  return { ...draft, tasks, prd: draft.prd === '' ? '' : renderPrd(draft.prd, tasks) };
}
