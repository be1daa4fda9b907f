import { type Agent, isDone, iterations } from '../agent/agent.js';
import type { RunState } from '../run/run.js';

/** What a run has cost and will, US dollars. */
export interface Money {
  /** The sum of all prices that are known. */
  readonly spent: number;
  /** Some of what was used has no known price, so the sum is a lower bound. */
  readonly isPartial: boolean;
  /** What it will come to at the agents' pace; null while there is nothing to go by. */
  readonly forecast: number | null;
}

/** The parts of a run that cost. */
type Spending = Pick<RunState, 'agents' | 'reviewUsage'>;

/** An amount that a person named, such as a budget. */
export function dollars(usd: number): string {
  // A budget of tenths of a cent is told as it is.
  return `$${usd.toFixed(Number.isInteger(Number((usd * 100).toFixed(6))) ? 2 : 4)}`;
}

/** An amount that a person typed, US dollars; null for no limit, NaN for what is no amount. */
export function dollarsIn(text: string): number | null {
  if (text.trim() === '') return null;
  const usd = Number(text.replace('$', '').trim());
  return Number.isFinite(usd) ? usd : Number.NaN;
}

/** At this part of the budget a warning is given. */
export const warnAt = 0.8;

/**
 * The forecast takes what agents that are done have cost on average for each that has not begun, and at
 * least that much for each at work; while none is done, the average of those at work.
 */
export function moneyOf({ agents, reviewUsage }: Spending): Money {
  const costs = agents.map((agent) => agent.usage.knownCost);
  const reviews = reviewUsage.knownCost;
  const spent = sum(costs) + reviews;
  const isPartial = reviewUsage.cost === null || agents.some((agent) => agent.usage.cost === null);
  const told = (agent: Agent) => iterations(agent) > 0;
  const done = agents.filter((agent) => isDone(agent) && told(agent));
  const basis = done.length > 0 ? done : agents.filter(told);
  if (basis.length === 0) return { spent, isPartial, forecast: null };
  const average = sum(basis.map((agent) => agent.usage.knownCost)) / basis.length;
  const ahead = sum(
    agents.map((agent) =>
      isDone(agent) ? agent.usage.knownCost : Math.max(agent.usage.knownCost, average),
    ),
  );
  const forecast = ahead + reviews;
  return { spent, isPartial, forecast };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** True when no message may be sent any more. */
export function isSpent(state: Spending & Pick<RunState, 'budgetUsd'>): boolean {
  return state.budgetUsd !== null && moneyOf(state).spent >= state.budgetUsd;
}

/** What is to be said of the budget now; each sentence stays the same, so it is said once. */
export function budgetWarnings(state: Spending & Pick<RunState, 'budgetUsd'>): string[] {
  const { budgetUsd } = state;
  if (budgetUsd === null) return [];
  const { spent, isPartial } = moneyOf(state);
  const budget = dollars(budgetUsd);
  const said: string[] = [];
  if (isPartial) {
    said.push('The price of the model is not known, so the budget cannot be kept for all of it.');
  }
  if (spent >= budgetUsd) {
    said.push(`The budget of ${budget} is spent: no message is sent any more, all work is kept.`);
  } else if (spent >= warnAt * budgetUsd) {
    said.push(`80 % of the budget of ${budget} is spent.`);
  }
  return said;
}
