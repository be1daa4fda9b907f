import { type ReactNode, useRef } from 'react';
import { type Agent, isDone } from '../core/agent/agent.js';
import { type Request, refusalOf } from '../core/run/refusals.js';
import type { RunState } from '../core/run/run.js';
import type { RunStore, RunView } from './run-store.js';

/** What a person can do, with the reason where they cannot now: the same as on the screen. */
export interface Deed {
  readonly label: string;
  /** The key, as on the screen. */
  readonly keys: readonly string[];
  readonly request: Request;
  /** What is asked first; with `text`, something to be typed. */
  readonly asks?: { readonly question: string; readonly text?: string };
  /** The request with what was typed. */
  readonly with?: (text: string) => Request | null;
}

/** Why nothing can be done at all, a clause; null when it can. */
export function standsStill({ acts, isThere, why, isConnected }: RunView): string | null {
  if (!isConnected) return why;
  if (!acts) return 'this link can only watch';
  if (isThere) return null;
  return why === '' ? 'its program does not answer yet' : why;
}

export function refusalNow(view: RunView, state: RunState, request: Request): string | null {
  return standsStill(view) ?? refusalOf(state, request);
}

export function agentDeeds({ index }: Agent): Deed[] {
  const name = `agent${index}`;
  const remark = { question: `What is ${name} to be told with its next message?`, text: '' };
  return [
    {
      label: 'Kill',
      keys: ['x'],
      request: { type: 'kill_agent', agent: index },
      asks: { question: `Kill ${name}? What it has done is kept on its branch.` },
    },
    {
      label: 'Restart',
      keys: ['r'],
      request: { type: 'restart_agent', agent: index, remark: null },
      asks: { question: `Restart ${name}?` },
    },
    {
      label: 'Restart with a remark',
      keys: ['R'],
      request: { type: 'restart_agent', agent: index, remark: 'x' },
      asks: remark,
      with: (text) => ({ type: 'restart_agent', agent: index, remark: text }),
    },
    {
      label: 'Remark',
      keys: ['m'],
      request: { type: 'remark', agent: index, text: 'x' },
      asks: remark,
      with: (text) => ({ type: 'remark', agent: index, text }),
    },
    {
      label: 'Take over',
      keys: ['t'],
      request: { type: 'take_over', agent: index },
      asks: { question: `Take over ${name}? An interactive Aider starts in its worktree.` },
    },
    {
      label: 'Leave out',
      keys: [],
      request: { type: 'leave_out', agent: index },
      asks: { question: `Leave the work of ${name} out of what is merged?` },
    },
  ];
}

/** What can be decided while the tests fail on the base; nothing at any other time. */
function redBaseDeeds({ phase, config, baseTestRun }: RunState): Deed[] {
  if (phase !== 'red_base') return [];
  const rule = baseTestRun?.report
    ? 'keep what passes, land only green work'
    : 'land only green work';
  return [
    {
      label: 'Continue',
      keys: [],
      request: { type: 'red_base_decided', how: 'fix' },
      asks: { question: `Continue, and ${rule}?` },
    },
    {
      label: 'Continue, tests only reported',
      keys: [],
      request: { type: 'red_base_decided', how: 'report' },
      asks: { question: 'Continue? The tests are reported, and do not decide what lands.' },
    },
    {
      label: 'Another test command',
      keys: ['b'],
      request: { type: 'tests_named', command: 'x' },
      asks: {
        question: 'By which command is the base tested again?',
        text: config.testCommand?.command ?? '',
      },
      with: (text) => (text.trim() === '' ? null : { type: 'tests_named', command: text.trim() }),
    },
  ];
}

/** What new attempts are made with. */
function settingDeeds({ config }: RunState): Deed[] {
  return [
    {
      label: 'Model',
      keys: ['M'],
      request: { type: 'model_named', model: '' },
      asks: {
        question:
          'Which model do new attempts use? Its key must be there already: keys are entered in a terminal alone.',
        text: config.model,
      },
      with: (text) =>
        /^\S+$/.test(text.trim()) ? { type: 'model_named', model: text.trim() } : null,
    },
    {
      label: 'Set-up command',
      keys: ['S'],
      request: { type: 'setup_named', command: config.setup === null ? 'x' : null },
      asks: {
        question: 'Which command prepares new worktrees? Nothing for none.',
        text: config.setup ?? '',
      },
      with: (text) => ({ type: 'setup_named', command: text.trim() || null }),
    },
  ];
}

export function runDeeds(state: RunState): Deed[] {
  const { paused, slots, budgetUsd, agents } = state;
  const failed = agents.filter((agent) => agent.state.name === 'failed').length;
  return [
    ...redBaseDeeds(state),
    {
      label: paused ? 'Resume' : 'Pause',
      keys: ['p'],
      request: { type: 'pause', paused: !paused },
    },
    { label: 'One agent more', keys: ['+', '='], request: { type: 'set_slots', slots: slots + 1 } },
    { label: 'One agent fewer', keys: ['-'], request: { type: 'set_slots', slots: slots - 1 } },
    {
      label: 'Budget',
      keys: ['$'],
      request: { type: 'set_budget', usd: budgetUsd },
      asks: {
        question: 'What may the agents cost, US dollars? Nothing for no limit.',
        text: budgetUsd === null ? '' : String(budgetUsd),
      },
      with: (text) => {
        const usd = text.trim() === '' ? null : Number(text.replace(/^\$/, ''));
        return usd === null || usd > 0 ? { type: 'set_budget', usd } : null;
      },
    },
    {
      label: `Restart failed${failed > 0 ? ` (${failed})` : ''}`,
      keys: [],
      request: { type: 'restart_failed' },
      asks: { question: 'Restart all agents that failed?' },
    },
    {
      label: 'Kill all',
      keys: ['K'],
      request: { type: 'kill_all' },
      asks: {
        question: `Kill ${agents.filter((agent) => !isDone(agent)).length} agents? What they have done is kept on their branches.`,
      },
    },
    {
      label: 'Land',
      keys: ['L'],
      request: { type: 'land_now' },
      asks: { question: `Land the merged work on ${state.config.branch ?? 'the branch'}?` },
    },
    {
      label: 'Undo landing',
      keys: ['u'],
      request: { type: 'undo_landing' },
      asks: { question: 'Take the landing back?' },
    },
    ...settingDeeds(state),
  ];
}

/** What is asked before something is done. */
export interface Asked {
  readonly deed: Deed;
}

/** Does it, asks first, or says why not. */
export function tryDeed(
  deed: Deed,
  store: RunStore,
  state: RunState,
  ask: (asked: Asked) => void,
): void {
  const refusal = refusalNow(store.get(), state, deed.request);
  if (refusal !== null) store.notify(`${refusal.charAt(0).toUpperCase()}${refusal.slice(1)}.`);
  else if (deed.asks) ask({ deed });
  else store.dispatch(deed.request);
}

export interface DeedButtonsProps {
  readonly deeds: readonly Deed[];
  readonly store: RunStore;
  readonly view: RunView;
  readonly state: RunState;
  readonly ask: (asked: Asked) => void;
}

export function DeedButtons({ deeds, store, view, state, ask }: DeedButtonsProps) {
  return (
    <div className="deeds">
      {deeds.map((deed) => {
        const refusal = refusalNow(view, state, deed.request);
        return (
          <button
            key={deed.label}
            type="button"
            aria-disabled={refusal !== null}
            title={
              refusal ?? (deed.keys.length > 0 ? `${deed.label} (${deed.keys[0]})` : deed.label)
            }
            onClick={() => tryDeed(deed, store, state, ask)}
          >
            {deed.label}
          </button>
        );
      })}
    </div>
  );
}

/** Asks before something is done; Esc says no. */
export function AskDialog({
  asked,
  store,
  state,
  close,
}: {
  readonly asked: Asked;
  readonly store: RunStore;
  readonly state: RunState;
  readonly close: () => void;
}): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  const { deed } = asked;
  const { asks } = deed;
  const isTyped = asks?.text !== undefined;
  const go = () => {
    const text = field.current?.value ?? '';
    const request = deed.with ? deed.with(text) : deed.request;
    // The run has gone on meanwhile.
    const refusal =
      request === null ? 'that cannot be taken' : refusalNow(store.get(), state, request);
    if (request !== null && refusal === null) store.dispatch(request);
    else store.notify(`${refusal?.charAt(0).toUpperCase()}${refusal?.slice(1)}.`);
    close();
  };
  return (
    <dialog
      ref={(element) => {
        if (element && !element.open) element.showModal();
      }}
      aria-label={deed.label}
      onCancel={close}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        <p>{asks?.question}</p>
        {isTyped && <input ref={field} aria-label={asks?.question} defaultValue={asks?.text} />}
        <div className="deeds">
          <button type="submit" className="main">
            {deed.label}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
