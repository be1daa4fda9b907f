import { ok } from '../../core/result.js';
import type { ClientMessage } from './contract.js';
import type { HostedRun } from './hosted-run.js';

/** What a client has asked, by the form that the contract has for it. */
export async function lookUp(
  hosted: HostedRun,
  { what, agent, text }: ClientMessage & { type: 'ask' },
): Promise<unknown> {
  const emulator = hosted.terminals.emulator(agent);
  switch (what) {
    case 'diff':
      return hosted.state()?.agents[agent] ? hosted.diff(agent) : ok('');
    case 'events':
      return hosted.events(agent);
    case 'lastMessage':
      return hosted.lastMessage(agent);
    case 'prd':
      return hosted.prd();
    case 'lines':
      return emulator?.lines() ?? [];
    case 'search':
      return (emulator?.search(text) ?? []).map(({ row, ...rest }) => {
        return { row: row + (emulator?.first ?? 0), ...rest };
      });
  }
}
