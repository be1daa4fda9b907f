import { useEffect } from 'react';
import type { Agent } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import { type Asked, agentDeeds, runDeeds, tryDeed } from './actions.js';
import type { AgentPart } from './agent-panel.js';
import { oneByOne } from './one-by-one.js';
import type { RunStore } from './run-store.js';

/** The parts of a run's page. */
export const tabs = ['agents', 'groups', 'timeline', 'change', 'PRD', 'summary'] as const;
export type Tab = (typeof tabs)[number];

/** What keys do that are not typed into something: what they do on the screen, where that has them. */
export function useKeys(store: RunStore, large: number | null, show: Places): void {
  useEffect(() => {
    const pressed = (key: string): boolean => {
      const { state } = store.get();
      if (!state) return false;
      const agent = large === null ? undefined : state.agents[large];
      if (goes(key, state, large, show)) return true;
      const deeds = [...(agent ? agentDeeds(agent) : []), ...runDeeds(state)];
      const deed = deeds.find(({ keys }) => keys.includes(key));
      if (deed) tryDeed(deed, store, state, show.ask);
      return deed !== undefined;
    };
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isTyped =
        target.closest('.agent-terminal.large:not(.recorded), input, dialog') !== null;
      if (isTyped || event.ctrlKey || event.metaKey || event.altKey) return;
      if (pressed(event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [store, large, show]);
}

/** Goes where a key leads. @returns false for a key that leads nowhere */
function goes(key: string, { agents }: RunState, large: number | null, show: Places): boolean {
  const step = steps[key];
  const part = large === null ? undefined : agentKeys[key];
  if (/^\d$/.test(key) && agents[Number(key)]) show.agent(Number(key));
  else if (key === 'Escape') show.agent(null);
  else if (key === 'a') {
    const next = nextThatWants(agents, large);
    if (next === null) return false;
    show.agent(next);
  } else if (large !== null && step !== undefined) {
    show.agent((large + step + agents.length) % agents.length);
  } else if (part) {
    show.part(part);
    if (key === 'i') typeSoon();
  } else if (tabKeys[key]) show.tab(tabKeys[key]);
  else return false;
  return true;
}

/** Has the keyboard go to the large terminal, after those that are still to come. */
function typeSoon(): void {
  const focus = () =>
    document.querySelector<HTMLElement>('.agent-terminal.large textarea')?.focus();
  // What is shown now has put its own terminal into the row by then.
  requestAnimationFrame(() => oneByOne(focus));
}

/** The next agent that asks or has failed. */
function nextThatWants(agents: readonly Agent[], from: number | null): number | null {
  const at = from ?? -1;
  const others = [...agents.slice(at + 1), ...agents.slice(0, Math.max(0, at))];
  const wants = ({ state: { name } }: Agent) => ['asking', 'failed', 'killed'].includes(name);
  return others.find(wants)?.index ?? null;
}

/** From the agent that is large to another one. */
const steps: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  h: -1,
  ArrowRight: 1,
  l: 1,
};

/** What is shown of the agent that is large. */
const agentKeys: Readonly<Record<string, AgentPart>> = {
  i: 'terminal',
  d: 'change',
  T: 'details',
};

/** Where the page goes to. */
export interface Places {
  readonly tab: (tab: Tab) => void;
  /** Null for all agents. */
  readonly agent: (agent: number | null) => void;
  readonly part: (part: AgentPart) => void;
  readonly ask: (asked: Asked) => void;
}

const tabKeys: Readonly<Record<string, Tab>> = {
  o: 'agents',
  f: 'groups',
  c: 'timeline',
  d: 'change',
  P: 'PRD',
  v: 'summary',
};
