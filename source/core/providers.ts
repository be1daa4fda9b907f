/** Which provider a model belongs to, by Aider's and LiteLLM's naming, and the variable with its key. */
interface Provider {
  readonly name: string;
  readonly key: string | null;
  readonly pattern: RegExp;
}

const providers: readonly Provider[] = [
  { name: 'gemini', key: 'GEMINI_API_KEY', pattern: /^(gemini\/|gemini(-|$)|flash$)/ },
  {
    name: 'anthropic',
    key: 'ANTHROPIC_API_KEY',
    pattern: /^(anthropic\/|claude|sonnet$|opus$|haiku$)/,
  },
  { name: 'openrouter', key: 'OPENROUTER_API_KEY', pattern: /^openrouter\// },
  { name: 'deepseek', key: 'DEEPSEEK_API_KEY', pattern: /^deepseek/ },
  { name: 'groq', key: 'GROQ_API_KEY', pattern: /^groq\// },
  { name: 'mistral', key: 'MISTRAL_API_KEY', pattern: /^mistral\// },
  { name: 'xai', key: 'XAI_API_KEY', pattern: /^xai\// },
  { name: 'cohere', key: 'COHERE_API_KEY', pattern: /^(cohere|command-)/ },
  {
    name: 'openai',
    key: 'OPENAI_API_KEY',
    pattern: /^(openai\/|gpt-|chatgpt-|o\d(-|$)|4o?$|mini$)/,
  },
];

export function providerOf(model: string): string {
  const known = providers.find((provider) => provider.pattern.test(model));
  return known?.name ?? (model.includes('/') ? (model.split('/')[0] as string) : 'unknown');
}

/** The variable a model's key is read from; null when we do not know the provider. */
export function keyVariable(model: string): string | null {
  return providers.find((provider) => provider.pattern.test(model))?.key ?? null;
}

/** Variables that hold a Gemini key; the first that is set wins. */
export const geminiKeyVariables = ['GEMINI_API_KEY', 'GOOGLE_API_KEY'] as const;
