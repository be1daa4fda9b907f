import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { keyVariable } from '../../core/policy/providers.js';
import { type HandedSettings, nothingHanded } from '../../services/config/repo-aider-files.js';
import { hasCode } from '../../services/files/private-files.js';
import { environment } from '../../services/machine/environment.js';
import type { RunOptions } from '../options.js';

/**
 * Whether the agents will find a key for their model. Aider without one opens a browser and waits.
 * Looked for where Aider looks: the environment, the user's own files in the home, its arguments. What
 * we do not know the provider of is taken as fine.
 */
export function modelKeyKnown(
  options: RunOptions,
  geminiKey: string | null,
  handed: HandedSettings = nothingHanded,
): boolean {
  const variable = keyVariable(options.model);
  if (variable === null) return true;
  if (variable === 'GEMINI_API_KEY' && geminiKey !== null) return true;
  if (environment()[variable] || environment()[`AIDER_${variable}`]) return true;
  if (
    options.aiderArgs.some((argument) => /^--(.*api-key|set-env|env-file|config)\b/.test(argument))
  )
    return true;
  if (Object.keys(handed.settings).some((name) => /api-key$|^set-env$/.test(name))) return true;
  const places = [path.join(homedir(), '.env'), path.join(homedir(), '.aider.conf.yml')];
  const option = variable.toLowerCase().replace(/_/g, '-');
  return places.some((file) => {
    try {
      const text = readFileSync(file, 'utf8');
      return text.includes(variable) || text.includes(option) || /^\s*api-key\s*:/m.test(text);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES')) return false;
      throw error;
    }
  });
}
