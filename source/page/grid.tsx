import { type CSSProperties, useEffect, useRef, useState } from 'react';
import type { Agent } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import { stillWords } from '../view/agent-facts.js';
import { lookOf } from '../view/look.js';
import { buttons, Clashes, Facts } from './agent-panel.js';
import { RecordedTerminal } from './recorded.js';
import type { RunStore, RunView } from './run-store.js';
import { AgentTerminal } from './terminal.js';

interface GridProps {
  readonly store: RunStore;
  readonly view: RunView;
  readonly state: RunState;
  /** The moment that is shown; null for now. */
  readonly at: number | null;
  readonly now: number;
  readonly choose: (agent: number) => void;
}

/** All agents at once, in a grid that fits the window; on a narrow one as a list. */
export function Grid(props: GridProps) {
  return (
    <section
      className="grid"
      aria-label="Agents"
      style={{ '--columns': Math.ceil(Math.sqrt(props.state.agents.length)) } as CSSProperties}
    >
      {props.state.agents.map((agent) => (
        <Tile key={agent.index} agent={agent} {...props} />
      ))}
    </section>
  );
}

/** Terminals that are so near to what is in sight are there, pixels. */
const near = '200px';

/** One agent, small. There may be hundreds: its terminal is there while it is in sight. */
function Tile({
  agent,
  store,
  view,
  state,
  at,
  now,
  choose,
}: GridProps & { readonly agent: Agent }) {
  const place = useRef<HTMLElement>(null);
  const [isInSight, setInSight] = useState(false);
  useEffect(() => {
    if (!place.current) return;
    const observer = new IntersectionObserver(
      (entries) => setInSight(entries.at(-1)?.isIntersecting ?? false),
      { rootMargin: near },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const { index } = agent;
  const label = `Terminal of agent${index}`;
  const isLive = at === null && view.isThere && view.opened.has(index);
  const isUnbegun = agent.attempts.length === 0 && agent.round === 0;
  const { colour } = lookOf(state, agent);
  return (
    <article ref={place} className={`tile ${colour ?? 'plain'}`}>
      <button type="button" className="title" onClick={() => choose(index)}>
        <b>agent{index}</b> {agent.task.title}
      </button>
      <Facts state={state} agent={agent} now={now} />
      {agent.state.name === 'asking' && <p className="asks">{agent.state.question}</p>}
      <Clashes state={state} agent={agent} />
      {!isInSight && <div className="agent-terminal" />}
      {isInSight && isLive && (
        <AgentTerminal store={store} agent={index} isLarge={false} label={label} />
      )}
      {isInSight && !isLive && isUnbegun && (
        <p className="quiet still">{stillWords(state, agent, buttons).slice(2).join(' ')}</p>
      )}
      {isInSight && !isLive && !isUnbegun && (
        <RecordedTerminal id={store.id} agent={index} at={at} isLarge={false} label={label} />
      )}
    </article>
  );
}
