export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`
    : `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

export function formatTokens(count: number): string {
  if (count < 1000) return String(count);
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** Tokens of turns; where a turn tells no cost and no tokens either, nobody knows them. */
export function tokensOrUnknown(tokens: number, cost: number | null): string {
  return tokens === 0 && cost === null ? 'unknown' : formatTokens(tokens);
}

export function formatCost(cost: number | null): string {
  return cost === null ? 'unknown' : `$${cost.toFixed(cost < 0.1 ? 4 : 2)}`;
}
