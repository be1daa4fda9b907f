import { useEffect } from 'react';
import { type Asked, agentDeeds, runDeeds, tryDeed } from './actions.js';
import type { RunStore } from './run-store.js';

/** The parts of a run's page. */
export const tabs = ['agents', 'groups', 'timeline', 'change', 'PRD', 'summary'] as const;
export type Tab = (typeof tabs)[number];

/** What keys do that are not typed into something: the same as on the screen. */
export function useKeys(store: RunStore, large: number | null, show: Places): void {
  useEffect(() => {
    const pressed = (key: string): boolean => {
      const { state } = store.get();
      if (!state) return false;
      if (/^\d$/.test(key) && state.agents[Number(key)]) show.agent(Number(key));
      else if (key === 'Escape') show.agent(null);
      else if (tabKeys[key]) show.tab(tabKeys[key]);
      else {
        const agent = large === null ? undefined : state.agents[large];
        const deeds = [...(agent ? agentDeeds(agent) : []), ...runDeeds(state)];
        const deed = deeds.find(({ keys }) => keys.includes(key));
        if (deed) tryDeed(deed, store, state, show.ask);
        return deed !== undefined;
      }
      return true;
    };
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isTyped = target.closest('.agent-terminal.large, input, dialog') !== null;
      if (isTyped || event.ctrlKey || event.metaKey || event.altKey) return;
      if (pressed(event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [store, large, show]);
}

/** Where the page goes to. */
export interface Places {
  readonly tab: (tab: Tab) => void;
  /** Null for all agents. */
  readonly agent: (agent: number | null) => void;
  readonly ask: (asked: Asked) => void;
}

const tabKeys: Readonly<Record<string, Tab>> = {
  o: 'agents',
  g: 'groups',
  T: 'timeline',
  d: 'change',
  P: 'PRD',
  v: 'summary',
};
