import { dollars } from '../core/policy/budget.js';
import type { Summary } from '../core/run/summary.js';
import { printable } from '../core/text/printable.js';
import type { AppGlyphs } from './look.js';
import { formatCost } from './numbers.js';
import { summaryTable } from './table.js';

type Requirement = NonNullable<Summary['requirements']>[number];

/**
 * One requirement and its chain: tasks, commits, files, what was said of it. Only what a reviewer found met or
 * green tests covered gets the mark of a success.
 */
function requirementLines(one: Requirement, isTested: boolean, glyphs: AppGlyphs): string[] {
  const said = one.supervisor ?? one.reviewers;
  const named = one.named_tests ?? [];
  const isBad =
    one.commits.length === 0 || said === 'not_met' || named.some((test) => test.state === 'fails');
  const passes = named.length > 0 ? named.every((test) => test.state === 'passes') : isTested;
  const isShown = said === 'met' || (said === null && passes);
  const general = isTested ? 'tests pass' : 'not verified';
  const tests = named.map(
    ({ name, state }) => `test "${name}" ${state === 'not run' ? 'was not run' : state}`,
  );
  const verdict = [
    ...(said === null ? [] : [said.replace('_', ' ')]),
    ...(tests.length > 0 ? tests : said === null ? [general] : []),
  ].join(', ');
  const how =
    one.tasks.length === 0
      ? 'no task serves it'
      : one.commits.length === 0
        ? `${one.tasks.join(', ')}: nothing merged`
        : `${one.tasks.join(', ')}: ${one.commits.map((id) => id.slice(0, 8)).join(', ')} (${one.files.join(', ')}), ${verdict}`;
  const glyph = isBad ? glyphs.bad : isShown ? glyphs.ok : glyphs.queued;
  return [`${glyph} ${one.id} ${one.text.replace(/\.$/, '')}: ${how}`];
}

/** Whether the merged work was green under the tests. */
function wasTested({ tests }: Summary): boolean {
  return /^tests passed|-> 0 fail|→ 0 fail/.test(tests?.merged ?? '');
}

/**
 * What stands after the table: where the work is, why something is missing, what to do next.
 * @param isWritten whether the summary is on the disk
 */
export function summaryReport(
  summary: Summary,
  width: number,
  glyphs: AppGlyphs,
  isWritten = true,
): string[] {
  const lines = summaryTable(summary, width, glyphs);
  const agents = Object.entries(summary.agents);
  if (lines.length > 0) lines.push('');
  const label = summary.simulated ? ' (simulated)' : '';
  for (const [plain, agent] of agents) {
    const name = plain + label;
    if (agent.error) lines.push(`${glyphs.bad} ${name}: ${agent.error}`);
    if (agent.left_out) lines.push(`${glyphs.bad} ${name}: not merged, as ${agent.left_out}`);
    if (agent.files_put_back.length > 0) {
      lines.push(`  ${name}: put back: ${agent.files_put_back.join(', ')}`);
    }
    if (agent.commit && !agent.merged) {
      const place = agent.branch === '' ? `in the commit ${agent.commit}` : `on ${agent.branch}`;
      lines.push(`  ${name}: its work is ${place}`);
    }
    if (agent.left_in)
      lines.push(`  ${name}: its work is not committed, it is in ${agent.left_in}`);
  }
  // What was asked for, once there is something to hold against it.
  const asked = summary.integration_commit === null ? [] : (summary.requirements ?? []);
  for (const one of asked) lines.push(...requirementLines(one, wasTested(summary), glyphs));
  if (summary.simulated) lines.push('The agents were SIMULATED: this is no work of Aider.');
  for (const warning of summary.warnings) lines.push(`! ${warning}`);
  if (summary.error) lines.push(`${glyphs.bad} ${summary.error}`);
  lines.push(
    `${summary.landed ? `${glyphs.ok} The work` : `${glyphs.stopped} The work was`} ${summary.landing}.`,
  );
  if (summary.integration_branch && !summary.landed) {
    lines.push(`  Merged work: ${summary.integration_branch}`);
    lines.push(
      `  Look at it:  git diff ${summary.base.slice(0, 12)} ${summary.integration_branch}`,
    );
    lines.push(
      `  Land it:     ${summary.land_later ?? `aider-orchestrator land ${summary.timestamp}`}`,
    );
  }
  if (summary.landed) lines.push(`  Take back:   aider-orchestrator undo ${summary.timestamp}`);
  if (summary.budget_usd) {
    const cost = formatCost(summary.cost_usd ?? null);
    lines.push(`  Cost:        ${cost} of a budget of ${dollars(summary.budget_usd)}`);
  }
  if (summary.prd_path) lines.push(`  PRD:         ${summary.prd_path}`);
  lines.push(
    isWritten
      ? `  Summary:     .aider_logs/summary_${summary.timestamp}.json`
      : '  Summary:     could not be written',
  );
  if (agents.length > 0) {
    lines.push(`  Logs:        .aider_logs/agent*_${summary.timestamp}.jsonl (terminals: .cast)`);
  }
  return lines.map(printable);
}
