import { mkdirSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { planSchema } from '../core/plan/plan.js';
import { summarySchema } from '../core/run/summary.js';
import { settingsSchema } from '../services/config/settings.js';

/** Writes the JSON schemas that ship in the package, beside the built program. */
const folder = new URL('../../dist/schema/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema, io] of [
  ['plan', planSchema, 'input'],
  ['summary', summarySchema, 'output'],
  ['settings', settingsSchema, 'input'],
] as const) {
  const json = { title: `aider-orchestrator ${name}`, ...z.toJSONSchema(schema, { io }) };
  writeFileSync(new URL(`${name}.schema.json`, folder), `${JSON.stringify(json, null, 2)}\n`);
}
