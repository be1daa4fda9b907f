import { unreachable } from '../result.js';
import { faultMend, faultWords, type MachineFault } from './machine-fault.js';
import type { Prerequisite } from './prerequisite.js';

/** Why a planner (Gemini) gave no plan. Each has its own sentence and way out. */
export type PlannerProblem =
  | 'no_key'
  | 'bad_key'
  | 'model_gone'
  | 'quota'
  | 'server'
  | 'blocked'
  | 'cut_off'
  | 'broken_json'
  | 'empty'
  | 'timeout'
  | 'network'
  | 'cancelled';

/** Something a user can cause or meet. Plain JSON, so that it can be journaled. */
export type Failure =
  | { readonly kind: 'usage'; readonly message: string; readonly hint?: string }
  | { readonly kind: 'settings'; readonly file: string; readonly problems: readonly string[] }
  | { readonly kind: 'plan'; readonly source: string; readonly problems: readonly string[] }
  | { readonly kind: 'prerequisites'; readonly missing: readonly Missing[] }
  | { readonly kind: 'git'; readonly doing: string; readonly detail: string }
  /** A fault of the machine; `doing` is what met it. */
  | { readonly kind: 'machine'; readonly fault: MachineFault; readonly doing: string }
  | {
      readonly kind: 'red_base';
      readonly command: string;
      readonly words: string;
      readonly output: string;
    }
  | { readonly kind: 'file'; readonly path: string; readonly detail: string }
  | { readonly kind: 'aider'; readonly message: string; readonly hint: string }
  | { readonly kind: 'planner'; readonly problem: PlannerProblem; readonly detail: string };

/** What a run lacks: see `Prerequisite`. */
export type Missing = Pick<Prerequisite, 'name' | 'text' | 'mend'>;

export interface Description {
  /** The cause, one sentence. */
  readonly message: string;
  /** The way out, one sentence; may be empty. */
  readonly hint: string;
}

const plannerWords: Record<PlannerProblem, (detail: string) => Description> = {
  no_key: () => ({
    message: 'Gemini has no API key, so no PRD can be written.',
    hint: 'Set GEMINI_API_KEY (or GOOGLE_API_KEY), or go without Gemini: --prd FILE uses your own PRD, --no-prd uses none.',
  }),
  bad_key: (detail) => ({
    message: `Gemini refused the API key (${detail}).`,
    hint: 'Check GEMINI_API_KEY: make a key at https://aistudio.google.com/apikey, and allow it to use the Generative Language API. Or go without Gemini: --prd FILE, --no-prd.',
  }),
  model_gone: (detail) => ({
    message: `The Gemini model cannot be used: ${detail}.`,
    hint: 'Name another one with --gemini-model or DEFAULT_GEMINI_MODEL.',
  }),
  quota: (detail) => ({
    message: `Gemini's quota is used up (${detail}).`,
    hint: 'Wait and start again, or go without Gemini: --prd FILE, --no-prd.',
  }),
  server: (detail) => ({
    message: `Gemini's server failed again and again (${detail}).`,
    hint: 'Start again later, or go without Gemini: --prd FILE, --no-prd.',
  }),
  blocked: (detail) => ({
    message: `Gemini refused to answer for safety reasons (${detail}).`,
    hint: 'Word the change differently, or write the PRD yourself: --prd FILE.',
  }),
  cut_off: (detail) => ({
    message: `Gemini's answer was cut off (${detail}).`,
    hint: 'Describe a smaller change, or name the files with --files.',
  }),
  broken_json: (detail) => ({
    message: `Gemini's answer was not the JSON that was asked for, even after a repair request (${detail}).`,
    hint: 'Start again, take another model with --gemini-model, or use --prd FILE.',
  }),
  empty: () => ({
    message: 'Gemini answered with nothing.',
    hint: 'Start again, take another model with --gemini-model, or use --prd FILE.',
  }),
  timeout: (detail) => ({
    message: `Gemini did not answer in time (${detail}).`,
    hint: 'Start again later, or go without Gemini: --prd FILE, --no-prd.',
  }),
  network: (detail) => ({
    message: `Gemini cannot be reached (${detail}).`,
    hint: 'Check the network, the proxy and GOOGLE_GEMINI_BASE_URL, or go without Gemini: --prd FILE, --no-prd.',
  }),
  cancelled: () => ({ message: 'The planning was cancelled.', hint: '' }),
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Says a failure to a person: the cause and the way out. */
export function describe(failure: Failure): Description {
  switch (failure.kind) {
    case 'usage':
      return { message: failure.message, hint: failure.hint ?? '' };
    case 'settings':
      return {
        message: `The settings in ${failure.file} are wrong: ${failure.problems.join('; ')}.`,
        hint: 'Correct the file; docs/configuration.md lists its keys.',
      };
    case 'plan':
      return {
        message: `The plan in ${failure.source} cannot be run: ${failure.problems.join('; ')}.`,
        hint: 'Correct the plan; --dry-run prints one that is right.',
      };
    case 'prerequisites':
      return {
        message: `Missing: ${failure.missing.map(({ name, text }) => `${name}: ${text}`).join('; ')}.`,
        hint: failure.missing
          .map(({ name, mend }) => `${name}: ${mend.split('\n').join('; ')}`)
          .join('\n'),
      };
    case 'git':
      return { message: `${failure.doing} failed: ${failure.detail}`, hint: '' };
    case 'machine':
      return {
        message: `${capital(faultWords(failure.fault))} (${failure.doing}).`,
        hint: faultMend(failure.fault),
      };
    case 'red_base':
      return {
        message: `The tests fail on the base already, before any change (${failure.command}: ${failure.words}).`,
        hint: `${failure.output}\nIf the change is to fix them: --red-base fix. If they do not matter: --red-base report, or --no-test to run none.`.trim(),
      };
    case 'file':
      return { message: `${failure.path}: ${failure.detail}`, hint: '' };
    case 'aider':
      return { message: failure.message, hint: failure.hint };
    case 'planner':
      return plannerWords[failure.problem](failure.detail);
    default:
      return unreachable(failure);
  }
}
