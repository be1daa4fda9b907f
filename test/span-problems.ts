import { timeSpent } from '../source/core/agent/agent.js';
import { readJournal } from '../source/core/run/journal.js';
import { type RunState, runTime } from '../source/core/run/run.js';
import { RunSpans, type Telling } from '../source/core/run/run-spans.js';

interface Kept {
  readonly name: string;
  readonly parent: string | null;
  readonly start: number;
  end: number | null;
}

/** What is wrong with the spans that a run's journal is told as, a sentence each. */
export function spanProblems(journal: string, stamp: string): string[] {
  const tellings: Telling[] = [];
  const spans = new RunSpans();
  const read = readJournal(journal, stamp, (after, before, message) => {
    tellings.push(...spans.take(after, before, message));
  });
  return read.state === 'read' ? problemsOf(tellings, read.run) : [`no journal: ${read.state}`];
}

/** The same for what was told. */
export function problemsOf(tellings: readonly Telling[], run: RunState): string[] {
  const problems: string[] = [];
  const kept = new Map<string, Kept>();
  for (const telling of tellings) {
    if (telling.tells === 'start') {
      const { key, name, parent, at } = telling;
      if (kept.has(key)) problems.push(`${key} began twice`);
      if (parent !== null && !kept.has(parent))
        problems.push(`${key} is part of nothing: ${parent}`);
      kept.set(key, { name, parent, start: at, end: null });
    } else if (telling.tells === 'end') {
      const span = kept.get(telling.key);
      if (!span || span.end !== null) problems.push(`${telling.key} ended unbegun, or twice`);
      else if (telling.at < span.start) problems.push(`${telling.key} ended before it began`);
      else span.end = telling.at;
    }
  }
  if (run.phase !== 'finished') return problems;
  for (const { index, attempts } of run.agents) {
    for (const { number, endedAt, verdict } of attempts) {
      const end = kept.get(`agent${index}.attempt${number}`)?.end;
      // A lost one ended with the program, which nobody has seen.
      if (verdict === 'lost' || end === endedAt) continue;
      problems.push(`attempt ${number} of agent${index} ended at ${endedAt}, and ${end} is told`);
    }
  }
  const all = [...kept.values()];
  for (const [key, { end }] of kept) if (end === null) problems.push(`${key} never ended`);
  const sum = (name: string) =>
    all
      .filter((span) => span.name === name)
      .reduce((total, { start, end }) => total + (end ?? start) - start, 0);
  for (const agent of run.agents) {
    const spent = timeSpent(agent, agent.endedAt ?? 0);
    const told = sum(`invoke_agent agent${agent.index}`);
    if (told !== spent) problems.push(`agent${agent.index} took ${spent} ms, and ${told} are told`);
  }
  const took = runTime(run, 0);
  if (run.resumed === 0 && sum('run') !== took) {
    problems.push(`the run took ${took} ms, and ${sum('run')} are told`);
  }
  return problems;
}
