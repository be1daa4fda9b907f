/** Which provider a model belongs to, by Aider's and LiteLLM's naming, and the variable with its key. */
interface Provider {
  readonly name: string;
  readonly key: string | null;
  readonly pattern: RegExp;
  /**
   * The variable LiteLLM takes the provider's address from, and the address it takes otherwise; null
   * where it has none or that was not tried.
   */
  readonly base: { readonly variable: string; readonly url: string } | null;
}

const providers: readonly Provider[] = [
  { name: 'gemini', key: 'GEMINI_API_KEY', pattern: /^(gemini\/|gemini(-|$)|flash$)/, base: null },
  {
    name: 'anthropic',
    key: 'ANTHROPIC_API_KEY',
    pattern: /^(anthropic\/|claude|sonnet$|opus$|haiku$)/,
    base: { variable: 'ANTHROPIC_API_BASE', url: 'https://api.anthropic.com' },
  },
  {
    name: 'openrouter',
    key: 'OPENROUTER_API_KEY',
    pattern: /^openrouter\//,
    base: { variable: 'OPENROUTER_API_BASE', url: 'https://openrouter.ai/api/v1' },
  },
  {
    name: 'deepseek',
    key: 'DEEPSEEK_API_KEY',
    pattern: /^deepseek/,
    base: { variable: 'DEEPSEEK_API_BASE', url: 'https://api.deepseek.com/beta' },
  },
  {
    name: 'groq',
    key: 'GROQ_API_KEY',
    pattern: /^groq\//,
    base: { variable: 'GROQ_API_BASE', url: 'https://api.groq.com/openai/v1' },
  },
  { name: 'mistral', key: 'MISTRAL_API_KEY', pattern: /^mistral\//, base: null },
  {
    name: 'xai',
    key: 'XAI_API_KEY',
    pattern: /^xai\//,
    base: { variable: 'XAI_API_BASE', url: 'https://api.x.ai/v1' },
  },
  { name: 'cohere', key: 'COHERE_API_KEY', pattern: /^(cohere|command-)/, base: null },
  {
    name: 'openai',
    key: 'OPENAI_API_KEY',
    pattern: /^(openai\/|gpt-|chatgpt-|o\d(-|$)|4o?$|mini$)/,
    base: { variable: 'OPENAI_API_BASE', url: 'https://api.openai.com/v1' },
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

/** Variables that hold a provider's key, under the names of the world and those of Aider. */
export const providerKeys: ReadonlySet<string> = new Set([
  ...providers.flatMap(({ key }) => (key === null ? [] : [key])),
  'GOOGLE_API_KEY',
  'AIDER_OPENAI_API_KEY',
  'AIDER_ANTHROPIC_API_KEY',
]);

/** Variables that hold a Gemini key; the first that is set wins. */
export const geminiKeyVariables = ['GEMINI_API_KEY', 'GOOGLE_API_KEY'] as const;

/** Where a model's provider is reached, and the variable that leads agents elsewhere; null when unknown. */
export function providerBase(model: string): { variable: string; url: string } | null {
  return providers.find((provider) => provider.pattern.test(model))?.base ?? null;
}
