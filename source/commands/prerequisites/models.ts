import { missing, type Prerequisite, present, warning } from '../../core/policy/prerequisite.js';
import { geminiKeyVariables, keyVariable } from '../../core/policy/providers.js';
import { geminiBaseUrl } from '../../services/gemini/base-url.js';
import { listModels } from '../../services/gemini/models.js';
import { variable } from '../../services/machine/environment.js';
import type { Asked } from './asked.js';
import { modelKeyKnown } from './model-key.js';

/** Models and their keys, which are told by name only. */

export function model({ options, geminiKey, handed, agents }: Asked): Prerequisite[] {
  // A command has its own way to its model.
  if (!options.ok || !agents || options.value.agentCmd !== null) return [];
  const { model } = options.value;
  const needed = keyVariable(model);
  if (modelKeyKnown(options.value, geminiKey, handed)) {
    const key = needed
      ? `, its key: ${needed}`
      : ', its provider is not known, so no key was looked for';
    return [present('model', `${model}${key}`)];
  }
  return [
    missing(
      'model',
      `${model} needs ${needed}, which is not set`,
      `Set ${needed}, in the environment or a .env file; or name another model with --model`,
    ),
  ];
}

const keyMend = 'Check the key at https://aistudio.google.com/apikey';
const without = 'use --prd FILE or --no-prd';

/** Whether there is a key. It cannot be done without where the PRD is to be written and nothing else is chosen. */
export function geminiKey({ planner, geminiKey, isFinal }: Asked): Prerequisite[] {
  if (!planner || geminiKey !== null) return [];
  return [
    {
      name: 'Gemini',
      state: isFinal ? 'missing' : 'warning',
      text: 'no key, so no PRD can be written',
      mend: `Set GEMINI_API_KEY (or GOOGLE_API_KEY), or ${without}`,
    },
  ];
}

/** Whether the key is good for the model: asks Gemini. */
export async function gemini(asked: Asked): Promise<Prerequisite[]> {
  const { options, planner, geminiKey: key } = asked;
  if (!options.ok || !planner) return [];
  if (key === null) return geminiKey(asked);
  const wanted = options.value.geminiModel;
  const name = geminiKeyVariables.find((one) => variable(one) === key) ?? geminiKeyVariables[0];
  try {
    const models = await listModels(geminiBaseUrl(), key, AbortSignal.timeout(10_000));
    if (models.includes(wanted)) return [present('Gemini', `${wanted} is there, key: ${name}`)];
    const best = models[0];
    return [
      best
        ? warning(
            'Gemini',
            `${wanted} is gone; a run would take ${best} (key: ${name})`,
            `--gemini-model ${best}, or DEFAULT_GEMINI_MODEL=${best}`,
          )
        : warning('Gemini', `the key ${name} can use no model`, keyMend),
    ];
  } catch (error) {
    // What fetch says alone names no cause.
    const { message, cause } = error as Error & { readonly cause?: { readonly code?: unknown } };
    const code = typeof cause?.code === 'string' ? `${message}: ${cause.code}` : message;
    const detail = code.split(key).join('***');
    // What the API answers to a key that is wrong or may not be used for it.
    return [
      /^HTTP (400|401|403)$/.test(detail)
        ? warning('Gemini', `the key ${name} was refused (${detail})`, `${keyMend}, or ${without}`)
        : warning(
            'Gemini',
            `cannot be reached with ${name} (${detail})`,
            `Check the key, the network and the proxy, or ${without}`,
          ),
    ];
  }
}

/** A review by Gemini needs its key; as long as something can be chosen, it can be turned off. */
export function review({ options, geminiKey, isFinal }: Asked): Prerequisite[] {
  if (!options.ok || options.value.review?.model !== null || geminiKey !== null) return [];
  return [
    {
      name: 'review',
      state: isFinal ? 'missing' : 'warning',
      text: 'no key for Gemini, so nobody can review',
      mend: 'Set GEMINI_API_KEY (or GOOGLE_API_KEY), or name a model of Aider with --review-model',
    },
  ];
}
