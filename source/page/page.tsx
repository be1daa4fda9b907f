import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { ListedRun } from '../core/run/page-contract.js';
import { RunPage } from './run-page.js';

/** How often the list is looked at, milliseconds. */
const lookMs = 3000;

/** All runs of the user, those that go on first. */
function Runs() {
  const [runs, setRuns] = useState<readonly ListedRun[] | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const look = async () => {
      const answer = await fetch('/api/runs');
      if (!answer.ok) throw new Error('not let in');
      setRuns((await answer.json()) as ListedRun[]);
      setProblem('');
    };
    let timer: ReturnType<typeof setTimeout> | null = null;
    let isGone = false;
    const again = async () => {
      await look().catch(() =>
        setProblem('The server of this page cannot be reached, and is tried again.'),
      );
      // After the answer, so that slow ones do not pile up.
      if (!isGone) timer = setTimeout(again, lookMs);
    };
    void again();
    return () => {
      isGone = true;
      if (timer) clearTimeout(timer);
    };
  }, []);
  const latestFirst = [...(runs ?? [])].reverse();
  const living = latestFirst.filter(({ isAlive }) => isAlive);
  const ended = latestFirst.filter(({ isAlive }) => !isAlive);
  return (
    <main className="runs">
      <h1>Aider Orchestrator</h1>
      {problem !== '' && <p className="bad">{problem}</p>}
      {runs?.length === 0 && <p className="quiet">No runs yet.</p>}
      <RunList title="Running" runs={living} />
      <RunList title="Ended" runs={ended} />
    </main>
  );
}

function RunList({ title, runs }: { readonly title: string; readonly runs: readonly ListedRun[] }) {
  if (runs.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {runs.map(({ id, run, repo, words }) => (
          <li key={id}>
            <a href={`#${id}`}>
              <b>{run}</b> {words}
            </a>
            <small>{repo}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash.slice(1));
  useEffect(() => {
    const changed = () => setHash(location.hash.slice(1));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return hash;
}

function Page() {
  const id = useHash();
  return /^[0-9a-f]+\/\d{8}_\d{6}$/.test(id) ? <RunPage key={id} id={id} /> : <Runs />;
}

/** Styles that a terminal makes as it goes are let through by the nonce of the page. */
function knowOwnStyles(): void {
  const nonce = document.querySelector('script')?.nonce ?? '';
  const create = document.createElement.bind(document);
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    const element = create(tag, options);
    if (tag === 'style') element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}

knowOwnStyles();
const root = document.getElementById('page');
if (root) createRoot(root).render(<Page />);
