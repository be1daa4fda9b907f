import type { Agent } from './agent.js';
import type { RunState } from './run.js';

/**
 * What an agent is told. Begins with a word of ours, never with `/` or `!`, which Aider takes for
 * commands (`!` runs a shell).
 * @param trouble why the attempt before did not do, in words for the model; null for the first one
 */
export function taskMessage(state: RunState, agent: Agent, trouble: string | null): string {
  const { task } = agent;
  const parts = [`Task: ${task.title}`];
  if (trouble !== null) parts.push(`This is not your first try. ${trouble}`);
  for (const remark of agent.remarks) parts.push(`A person who watches you says: ${remark.trim()}`);
  if (task.description.trim() !== '' && task.description.trim() !== task.title) {
    parts.push(task.description.trim());
  }
  const change = state.config.change.trim();
  if (change !== '' && change !== task.description.trim()) {
    parts.push(`The task is one part of this change, the rest is done by others:\n${change}`);
  }
  if (state.prdPath !== null) {
    const name = state.prdPath.slice(state.prdPath.lastIndexOf('/') + 1);
    const served = task.requirements?.length ? ` It serves ${task.requirements.join(', ')}.` : '';
    parts.push(`The PRD is in ${name}, which you can read.${served}`);
  }
  if (task.files.length > 0) {
    parts.push(`Change only these files:\n${task.files.map((file) => `- ${file}`).join('\n')}`);
  }
  parts.push('Make the change completely, with edit blocks; do not ask back.');
  return parts.join('\n\n');
}
