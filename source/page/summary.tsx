import { type RunState, runTime } from '../core/run/run.js';
import { summarise } from '../core/run/summary.js';
import { clock, elapsedMs, failureWords, testWords, totalTokens } from '../view/agent-facts.js';
import { lookOf } from '../view/look.js';
import { formatCost, formatDuration, formatTokens } from '../view/numbers.js';

function Heads({ names }: { readonly names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** What came of the run: each agent, then each requirement with its task, commit, tests and verdict. */
export function Summary({
  state,
  now,
  choose,
}: {
  readonly state: RunState;
  readonly now: number;
  readonly choose: (agent: number) => void;
}) {
  const summary = summarise(state);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys, too.
    <section className="summary" aria-label="Summary" tabIndex={0}>
      {state.phase === 'finished' ? (
        <p className={`verdict ${summary.landed ? 'good' : ''}`}>
          {summary.landed ? 'The work' : 'The work was'} {summary.landing}.
        </p>
      ) : (
        <p>The run has not ended. So far:</p>
      )}
      {summary.error && <p className="bad">{summary.error}</p>}
      <table>
        <caption>Agents</caption>
        <Heads
          names={[
            'Agent',
            'State',
            'Merged',
            'Iterations',
            'Files',
            'Tests',
            'Tokens',
            'Cost',
            'Time',
          ]}
        />
        <tbody>
          {state.agents.map((agent) => {
            const one = summary.agents[`agent${agent.index}`];
            const { word, colour } = lookOf(state, agent);
            return (
              <tr key={agent.index}>
                <th scope="row">
                  <button type="button" className="link" onClick={() => choose(agent.index)}>
                    agent{agent.index}
                  </button>{' '}
                  {agent.task.title}
                </th>
                <td className={colour ?? 'plain'}>
                  {word} <small>{failureWords(agent)}</small>
                </td>
                <td>{one?.merged ? 'yes' : 'no'}</td>
                <td>{one?.iterations ?? 0}</td>
                <td>{one?.files_changed.length ?? 0}</td>
                <td>{testWords(state, agent) || '–'}</td>
                <td>{formatTokens(totalTokens(agent))}</td>
                <td>{formatCost(agent.usage.cost)}</td>
                <td>{formatDuration(elapsedMs(agent, now) / 1000)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {summary.requirements && summary.requirements.length > 0 && (
        <table>
          <caption>What was asked for</caption>
          <Heads names={['Requirement', 'Tasks', 'Commits', 'Tests', 'Verdict']} />
          <tbody>
            {summary.requirements.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  {one.id} {one.text}
                </th>
                <td>{one.tasks.join(', ') || 'none serves it'}</td>
                <td>{one.commits.map((id) => id.slice(0, 8)).join(', ') || 'nothing merged'}</td>
                <td>{one.tests ?? 'not asked'}</td>
                <td>{(one.supervisor ?? one.reviewers ?? 'not reviewed').replace('_', ' ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="quiet">
        {clock(runTime(state, now))} in all,{' '}
        {summary.cost_usd == null ? 'cost unknown' : formatCost(summary.cost_usd)}, base{' '}
        {summary.base.slice(0, 12)}
        {summary.prd_path === null ? '' : `, PRD ${summary.prd_path}`}
      </p>
    </section>
  );
}
