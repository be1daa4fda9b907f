import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { testRunWords } from '../core/policy/test-run.js';
import { type RunState, runTime } from '../core/run/run.js';
import { clock, progressOf } from '../view/agent-facts.js';
import { formatCost, formatTokens } from '../view/numbers.js';
import { AskDialog, type Asked, DeedButtons, runDeeds, standsStill } from './actions.js';
import { AgentPanel, type AgentPart } from './agent-panel.js';
import { Grid } from './grid.js';
import { Groups } from './groups.js';
import { Patch } from './patch.js';
import { Prd } from './prd.js';
import { type Places, type Tab, tabs, useKeys } from './run-keys.js';
import { RunStore, type RunView } from './run-store.js';
import { Summary } from './summary.js';
import { Timeline } from './timeline.js';
import { fetchText } from './use-loaded.js';

const phases: Readonly<Record<RunState['phase'], string>> = {
  planning: 'the plan is being made',
  confirming: 'waits for its plan to be confirmed',
  testing: 'the tests run on the base',
  red_base: 'the tests fail on the base',
  running: 'running',
  integrating: 'merging',
  reviewing: 'the merged work is being reviewed',
  landing: 'landing',
  finished: 'has ended',
};

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** What is merged, or being merged, now. */
function MergeLine({ state }: { readonly state: RunState }) {
  const { integrating, integration, onto } = state;
  const names = (all: readonly number[]) => all.map((agent) => `agent${agent}`).join(', ');
  if (integrating) return <p className="merge">Merging {names(integrating.order)}…</p>;
  if (onto?.step) return <p className="merge">Bringing the work onto {onto.tip.slice(0, 8)}…</p>;
  if (!integration?.merged.length) return null;
  const { testRun } = integration;
  return (
    <p className="merge">
      Merged: {names(integration.merged)}
      {testRun && `, tests ${testRun.state}`}
    </p>
  );
}

/** That the run waits for a decision, with what it is to be decided by. */
function RedBase({ state: { phase, baseTestRun, config } }: { readonly state: RunState }) {
  if (phase !== 'red_base' || baseTestRun === null) return null;
  const failed = baseTestRun.report?.failed ?? [];
  const { output } = baseTestRun;
  return (
    <section className="red-base" aria-label="The tests on the base">
      <p className="bad">
        {config.testCommand?.command}: {testRunWords(baseTestRun)}. No agent has started; decide
        below.
      </p>
      {failed.length > 0 && (
        <ul>
          {failed.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
      )}
      {output !== '' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by keys.
        <pre tabIndex={0}>{output}</pre>
      )}
    </section>
  );
}

/** One run, from its plan to its summary. */
export function RunPage({ id }: { readonly id: string }) {
  const [store, setStore] = useState<RunStore | null>(null);
  useEffect(() => {
    const own = new RunStore(id);
    setStore(own);
    return () => own.close();
  }, [id]);
  return store === null ? null : <ShownRun store={store} />;
}

/** What the parts of the page need of the run. */
interface Parts {
  readonly store: RunStore;
  readonly view: RunView;
  /** As it is shown, which may be as it was. */
  readonly state: RunState;
  readonly latest: RunState;
  /** How many messages are shown; null for all. */
  readonly shown: number | null;
  /** The moment that is shown, epoch milliseconds; null for now. */
  readonly at: number | null;
  /** That moment, or now: what times are counted to. */
  readonly now: number;
  readonly show: Places;
  readonly showAt: (count: number | null) => void;
}

/** How far the run is: what is being done, how many agents are where, what it has cost. */
function Steps({ view, state, now }: Parts) {
  const { done, working, waiting, failed, tokens, cost } = progressOf(state);
  return (
    <p className="steps">
      <b>{state.paused ? 'paused' : phases[state.phase]}</b>
      <span>
        {done} done, {working} working, {waiting} waiting, {failed} failed
      </span>
      <span>{state.slots} at once</span>
      <span>{formatTokens(tokens)} tokens</span>
      <span>{cost === null ? 'cost unknown' : formatCost(cost)}</span>
      <span>{clock(runTime(state, now))}</span>
      {view.watchers > 1 && <span>{view.watchers} watch</span>}
    </p>
  );
}

function Head({ tab, ...parts }: Parts & { readonly tab: Tab }) {
  const { store, view, state, latest, at, show, showAt } = parts;
  return (
    <header className="head">
      <a href="#runs">Runs</a>
      <h1>{state.config.change.split('\n', 1)[0]}</h1>
      <Steps {...parts} />
      {standsStill(view) !== null && (latest.phase !== 'finished' || !view.isConnected) && (
        <p className="bad">Nothing can be done now: {standsStill(view)}.</p>
      )}
      {at !== null && (
        <p className="then">
          As it was at {new Date(at).toLocaleTimeString('en-GB')}.{' '}
          <button type="button" onClick={() => showAt(null)}>
            Now
          </button>
        </p>
      )}
      <MergeLine state={state} />
      <RedBase state={state} />
      <DeedButtons
        deeds={runDeeds(latest)}
        store={store}
        view={view}
        state={latest}
        ask={show.ask}
      />
      <nav className="tabs" aria-label="Parts of the run">
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={tab === name}
            onClick={() => show.tab(name)}
          >
            {name}
          </button>
        ))}
      </nav>
    </header>
  );
}

function Body({
  tab,
  large,
  part,
  ...parts
}: Parts & { readonly tab: Tab; readonly large: number | null; readonly part: AgentPart }) {
  const { store, view, state, latest, shown, at, now, show, showAt } = parts;
  const wholeChange = useCallback(() => fetchText(`/api/runs/${store.id}/patch`), [store]);
  const prd = useCallback(() => fetchText(`/api/runs/${store.id}/prd`), [store]);
  const agent = large === null ? undefined : state.agents[large];
  const close = () => show.agent(null);
  const own = { store, view, state, at, now };
  switch (tab) {
    case 'agents':
      return agent ? (
        <AgentPanel
          {...own}
          agent={agent}
          ask={show.ask}
          close={close}
          part={part}
          choosePart={show.part}
        />
      ) : (
        <Grid {...own} choose={show.agent} />
      );
    case 'groups':
      return <Groups state={state} choose={show.agent} />;
    case 'timeline':
      return (
        <Timeline
          messages={view.messages}
          count={view.count}
          state={latest}
          shown={shown}
          show={showAt}
        />
      );
    case 'change':
      return <Patch load={wholeChange} none="Nothing is merged yet." />;
    case 'PRD':
      return state.prdPath === null ? (
        <p className="quiet">This run has no PRD.</p>
      ) : (
        <Prd load={prd} />
      );
    case 'summary':
      return <Summary state={state} now={now} choose={show.agent} />;
  }
}

/** What is said where no state of the run is known. */
function untold({ isConnected, isCurrent, problem }: RunView): string {
  if (problem !== '') return problem;
  if (!isConnected) return 'Connecting…';
  return isCurrent ? "The run's journal is empty, or gone." : 'Reading the run…';
}

function ShownRun({ store }: { readonly store: RunStore }) {
  const view = useSyncExternalStore(store.subscribe, store.get);
  const now = useNow();
  const [tab, setTab] = useState<Tab>('agents');
  const [large, setLarge] = useState<number | null>(null);
  const [part, setPart] = useState<AgentPart>('terminal');
  const [shown, setShown] = useState<number | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const show = useMemo<Places>(() => {
    return {
      tab: (next) => {
        setTab(next);
        setLarge(null);
      },
      agent: (agent) => {
        setTab('agents');
        setLarge(agent);
        setPart('terminal');
      },
      part: setPart,
      ask: setAsked,
    };
  }, []);
  useKeys(store, large, show);
  const latest = view.state;
  const state = shown === null ? latest : store.stateAt(shown);
  if (!state || !latest) {
    return <p className="quiet">{untold(view)}</p>;
  }
  const at = shown === null ? null : (view.messages[shown - 1]?.at ?? null);
  const parts = {
    ...{ store, view, state, latest, shown, at, show },
    now: at ?? now,
    showAt: setShown,
  };
  return (
    <main className="run">
      <Head tab={tab} {...parts} />
      <Body tab={tab} large={large} part={part} {...parts} />
      {asked && (
        <AskDialog asked={asked} store={store} state={latest} close={() => setAsked(null)} />
      )}
      <p className="notice" role="status">
        {view.notice}
      </p>
    </main>
  );
}
