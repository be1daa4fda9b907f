import { describe, type Failure, type PlannerProblem } from '../../core/policy/failure.js';
import { clock } from '../../view/agent-facts.js';
import type { ActionName, Keymap } from '../keymap.js';
import type { Making, Wizard } from '../wizard.js';

/** What a PRD of one's own begins with. */
export const ownPrd = (change: string) => `# ${change.split('\n', 1)[0] ?? ''}

## Requirements

- R1:

## Tasks

### T1: the first task

- Files: \`path/of/a/file\`

What is to be done.
`;

/** What can be done about a failure of Gemini's beside the keys of this screen. */
export const advice: Partial<Record<PlannerProblem, string>> = {
  bad_key:
    'A key is made at https://aistudio.google.com/apikey, and has to be allowed to use the Generative Language API.',
  blocked: 'Word the change differently, or write the PRD yourself.',
  cut_off: 'Describe a smaller change.',
  network: 'Check the network, the proxy and GOOGLE_GEMINI_BASE_URL.',
};

/** The keys that lead on from a failure, the likeliest first. */
export function waysOut(failure: Failure | null): ActionName[] {
  const problem = failure?.kind === 'planner' ? failure.problem : null;
  const first: ActionName[] =
    problem === 'no_key' || problem === 'bad_key' || problem === 'quota'
      ? ['prd.key']
      : problem === 'model_gone'
        ? ['prd.model']
        : [];
  return [...first, 'prd.again', 'prd.own', 'prd.open', 'prd.without', 'prd.back'];
}

/** What Gemini is doing: it writes, or is waited for, with what it said and how long. */
export function makingWords(
  { startedAt, wait }: Making,
  model: string,
  now: number,
  keymap: Keymap,
): string {
  if (wait === null) return `${model} is writing the PRD, ${clock(now - startedAt)}`;
  const { message } = describe({ kind: 'planner', problem: wait.problem, detail: wait.detail });
  const seconds = Math.max(0, Math.ceil((wait.until - now) / 1000));
  const left = seconds === 0 ? 'now' : `in ${seconds} s`;
  return `${message} Trying again ${left} (attempt ${wait.attempt} of ${wait.attempts}); ${keymap.label('prd.back')} cancels, nothing is lost.`;
}

/** That there is no PRD, and what leads on. */
export function noneWords({ draft, earlier }: Wizard, keymap: Keymap): string {
  const restore =
    earlier.length === 0 ? '' : `, ${keymap.label('prd.undo')} restores the previous one`;
  const ways = `${keymap.label('prd.again')} has one written${restore}, ${keymap.label('prd.without')} continues without one.`;
  return `${draft === null ? 'There is no PRD yet' : 'The PRD was skipped'}: ${ways}`;
}

export function headWords(tasks: number, model: string | null): string {
  const count = tasks === 1 ? '1 task' : `${tasks} tasks`;
  return model === null ? `Your PRD, ${count}` : `PRD by ${model}, ${count}`;
}
