import type { ResponseSchema } from '@google/generative-ai';
import * as z from 'zod';

/** What Gemini takes of an OpenAPI schema (ai.google.dev/api/caching#Schema), as far as it is used here. */
const taken = ['type', 'description', 'enum', 'format', 'items', 'nullable', 'required'] as const;

/** The form of an answer as Gemini is told it. */
export function geminiSchema(schema: z.ZodType): ResponseSchema {
  return reduced(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }));
}

function reduced(given: object): ResponseSchema {
  const all = given as Readonly<Record<string, unknown>>;
  const own = Object.fromEntries(
    taken.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])),
  );
  const { items, properties } = all as { items?: object; properties?: Record<string, object> };
  return {
    ...own,
    // Gemini wants it beside `enum`.
    ...(own['enum'] === undefined ? {} : { format: 'enum' }),
    ...(items === undefined ? {} : { items: reduced(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, reduced(one)]),
          ),
        }),
  } as unknown as ResponseSchema;
}
