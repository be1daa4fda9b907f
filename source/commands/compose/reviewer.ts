import { providerOf } from '../../core/policy/providers.js';
import type { Reviewer } from '../../core/ports.js';
import type { ReviewPlan, RunConfig } from '../../core/run/config.js';
import { AiderReviewer } from '../../services/agents/aider/aider-reviewer.js';
import { geminiBaseUrl } from '../../services/gemini/base-url.js';
import { GeminiReviewer } from '../../services/gemini/gemini-reviewer.js';
import type { OpenProvider } from '../../services/provider/open-provider.js';
import type { PreparedRun } from '../prepare-run.js';

/** Gemini by the same port that plans, or a model of Aider's. */
export function reviewerOf(
  config: RunConfig,
  { model }: ReviewPlan,
  run: PreparedRun,
  keyNow: () => string | null,
  provider: () => OpenProvider | null,
): Reviewer | null {
  if (model !== null) {
    return new AiderReviewer({
      launcher: run.launcher,
      model,
      geminiKey: run.geminiKey,
      extra: run.agentArgs,
      // The rate limiter holds the agents' provider alone.
      provider: () => (providerOf(model) === config.provider ? provider() : null),
    });
  }
  const first = keyNow();
  if (first === null) return null;
  const baseUrl = geminiBaseUrl();
  const withKey = (key: string) => new GeminiReviewer({ key, model: config.geminiModel, baseUrl });
  let known = { key: first, reviewer: withKey(first) };
  return {
    review: (prompt, signal) => {
      const key = keyNow() ?? known.key;
      if (key !== known.key) known = { key, reviewer: withKey(key) };
      return known.reviewer.review(prompt, signal);
    },
  };
}
