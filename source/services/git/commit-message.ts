import type { WorkToCommit } from '../../core/ports.js';
import type { WorkspaceOptions } from './checkout-site.js';

/** The message of an agent's commit: its task, and what it came of. */
export function commitMessage(
  { config, coAuthor }: Pick<WorkspaceOptions, 'config' | 'coAuthor'>,
  { task, finished, prdPath, model }: WorkToCommit,
): string {
  const subject = finished ? task.title : `Unfinished: ${task.title}`;
  const body = [
    `Task: ${task.id}`,
    ...(prdPath ? [`PRD: ${prdPath}`] : []),
    `Run: ${config.stamp}`,
  ];
  const simulated = config.simulated ? ['Made by a simulated agent.', ''] : [];
  const author = coAuthor(model);
  const trailer = author === null ? [] : [`Co-authored-by: ${author}`];
  return `${subject}\n\n${[...simulated, ...body, ...trailer].join('\n')}\n`;
}
