import type { RunState } from '../core/run/run.js';
import { lookOf } from '../view/look.js';
import { Clashes, Facts } from './agent-panel.js';
import { RecordedTerminal } from './recorded.js';
import type { RunStore, RunView } from './run-store.js';
import { AgentTerminal } from './terminal.js';

/** All agents at once, in a grid that fits the window; on a narrow one as a list. */
export function Grid({
  store,
  view,
  state,
  at,
  now,
  choose,
}: {
  readonly store: RunStore;
  readonly view: RunView;
  readonly state: RunState;
  readonly at: number | null;
  readonly now: number;
  readonly choose: (agent: number) => void;
}) {
  return (
    <section className="grid" aria-label="Agents">
      {state.agents.map((agent) => {
        const { index } = agent;
        const label = `Terminal of agent${index}`;
        const isLive = at === null && view.isThere && view.opened.has(index);
        const { colour } = lookOf(state, agent);
        return (
          <article key={index} className={`tile ${colour ?? 'plain'}`}>
            <button type="button" className="title" onClick={() => choose(index)}>
              <b>agent{index}</b> {agent.task.title}
            </button>
            <Facts state={state} agent={agent} now={now} />
            {agent.state.name === 'asking' && <p className="asks">{agent.state.question}</p>}
            <Clashes state={state} agent={agent} />
            {isLive ? (
              <AgentTerminal store={store} agent={index} isLarge={false} label={label} />
            ) : (
              <RecordedTerminal id={store.id} agent={index} at={at} isLarge={false} label={label} />
            )}
          </article>
        );
      })}
    </section>
  );
}
