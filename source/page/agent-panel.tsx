import { useCallback, useState } from 'react';
import type { Agent } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import {
  changedFiles,
  clashes,
  clock,
  detailsOf,
  elapsedMs,
  iterationWords,
  testWords,
  totalTokens,
} from '../view/agent-facts.js';
import { lookOf } from '../view/look.js';
import { formatCost, formatTokens } from '../view/numbers.js';
import { type Asked, agentDeeds, DeedButtons } from './actions.js';
import { Patch } from './patch.js';
import { RecordedTerminal } from './recorded.js';
import type { RunStore, RunView } from './run-store.js';
import { AgentTerminal } from './terminal.js';
import { fetchText, useLoaded } from './use-loaded.js';

/** What buttons are called here, in words that name a key on the screen. */
export const buttons = {
  label: (action: string) =>
    ({ 'run.pause': 'Resume', 'run.redBase': 'a button above' })[action] ?? action,
};

/** State, iterations, tests, tokens, cost and time in a line. */
export function Facts({
  state,
  agent,
  now,
}: {
  readonly state: RunState;
  readonly agent: Agent;
  readonly now: number;
}) {
  const { word, colour } = lookOf(state, agent);
  const tests = testWords(state, agent);
  const files = changedFiles(agent).length;
  return (
    <span className="facts">
      <b className={colour ?? 'plain'}>{word}</b>
      <span>{iterationWords(state, agent)}</span>
      <span>
        {files} {files === 1 ? 'file' : 'files'}
      </span>
      {tests !== '' && <span>tests {tests}</span>}
      <span>{formatTokens(totalTokens(agent))} tokens</span>
      <span>{agent.usage.cost === null ? 'cost unknown' : formatCost(agent.usage.cost)}</span>
      <span>{clock(elapsedMs(agent, now))}</span>
    </span>
  );
}

/** Files that others touch, too. */
export function Clashes({ state, agent }: { readonly state: RunState; readonly agent: Agent }) {
  const all = clashes(state, agent);
  if (all.length === 0) return null;
  const words = all.map(({ file, others }) => {
    return `${file} (agent${others.join(', agent')})`;
  });
  return <p className="clash">Also touched by others: {words.join('; ')}</p>;
}

export interface PanelProps {
  readonly store: RunStore;
  readonly view: RunView;
  readonly state: RunState;
  readonly agent: Agent;
  /** The moment that is shown; null for now. */
  readonly at: number | null;
  readonly now: number;
  readonly ask: (asked: Asked) => void;
  readonly close: () => void;
  /** What is shown of it. */
  readonly part: AgentPart;
  readonly choosePart: (part: AgentPart) => void;
}

/** What can be shown of an agent. */
export const agentParts = ['terminal', 'change', 'details'] as const;
export type AgentPart = (typeof agentParts)[number];

/** All that is known of an agent, with what it was told last where its program is there. */
function Details({ store, view, state, agent, now }: PanelProps) {
  const { isThere } = view;
  const { index } = agent;
  const load = useCallback(
    async () => (isThere ? String((await store.ask('lastMessage', index)) ?? '') : ''),
    [store, isThere, index],
  );
  const message = useLoaded(load) ?? '';
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys, too.
    <pre className="details" tabIndex={0}>
      {detailsOf(state, agent, message, now, buttons)}
    </pre>
  );
}

/** One agent, large: its terminal, its change, all that is known of it. */
export function AgentPanel(props: PanelProps) {
  const { store, view, state, agent, at, now, ask, close, part: tab, choosePart } = props;
  const [search, setSearch] = useState('');
  const { index } = agent;
  const label = `Terminal of agent${index}`;
  const isLive = at === null && view.isThere && view.opened.has(index);
  const load = useCallback(async () => {
    if (view.isThere) {
      const answer = (await store.ask('diff', index)) as { ok: boolean; value?: string } | null;
      if (answer?.ok) return answer.value ?? '';
    }
    return fetchText(`/api/runs/${store.id}/patch/${index}`);
  }, [store, view.isThere, index]);
  return (
    <section className="panel" aria-label={`agent${index}`}>
      <header>
        <button type="button" onClick={close}>
          All agents
        </button>
        <h2>
          agent{index} <span>{agent.task.title}</span>
        </h2>
        <Facts state={state} agent={agent} now={now} />
      </header>
      <DeedButtons deeds={agentDeeds(agent)} store={store} view={view} state={state} ask={ask} />
      <Clashes state={state} agent={agent} />
      <div className="tabs">
        {agentParts.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={tab === name}
            onClick={() => choosePart(name)}
          >
            {name}
          </button>
        ))}
        {tab === 'terminal' && isLive && view.acts && (
          <span className="hint">
            Click into it, or press i, to type into the agent; Ctrl-] stops typing.
          </span>
        )}
        {tab === 'terminal' && isLive && (
          <input
            type="search"
            placeholder="Search"
            aria-label="Search in the terminal"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            onKeyDown={(event) => event.stopPropagation()}
          />
        )}
      </div>
      {tab === 'terminal' && isLive && (
        <AgentTerminal
          key={index}
          store={store}
          agent={index}
          isLarge
          label={label}
          search={search}
        />
      )}
      {tab === 'terminal' && !isLive && (
        <RecordedTerminal key={index} id={store.id} agent={index} at={at} isLarge label={label} />
      )}
      {tab === 'change' && <Patch key={index} load={load} none="This agent has changed nothing." />}
      {tab === 'details' && <Details key={index} {...props} />}
    </section>
  );
}
