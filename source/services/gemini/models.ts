import * as z from 'zod';

const listSchema = z.object({
  models: z.array(
    z.object({ name: z.string(), supportedGenerationMethods: z.array(z.string()).optional() }),
  ),
});

/** The models a key may use for text, best first. Throws like `fetch`, or on an HTTP error. */
export async function listModels(
  baseUrl: string,
  key: string,
  signal: AbortSignal,
): Promise<string[]> {
  const response = await fetch(`${baseUrl}/v1beta/models?pageSize=1000`, {
    headers: { 'x-goog-api-key': key },
    signal,
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { models } = listSchema.parse(await response.json());
  return models
    .filter((model) => model.supportedGenerationMethods?.includes('generateContent') ?? true)
    .map((model) => model.name.replace(/^models\//, ''))
    .filter(
      (name) =>
        /^gemini-/.test(name) &&
        !/(embedding|image|tts|audio|live|vision|robotics|computer)/.test(name),
    )
    .sort((a, b) => score(b) - score(a));
}

/** A stable model is better than a preview; then the newer generation counts, then the bigger model. */
function score(name: string): number {
  const version = Number(/^gemini-(\d+(?:\.\d+)?)/.exec(name)?.[1] ?? 0);
  const size = /lite|8b/.test(name) ? 0 : /flash/.test(name) ? 1 : /pro/.test(name) ? 2 : 0.5;
  const stable = /(exp|preview)/.test(name) ? 0 : 1;
  const dated = /-\d{3,}$/.test(name) ? 0 : 0.01;
  return stable * 1000 + version * 30 + size * 10 + dated;
}
