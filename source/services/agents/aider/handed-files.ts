import { createHash } from 'node:crypto';
import path from 'node:path';
import { cacheFolder } from '../../config/folders.js';
import type { HandedSettings } from '../../config/repo-aider-files.js';
import { writeWhole } from '../../files/private-files.js';

/**
 * Writes what agents are handed of a repository's settings to files of our own, named by their content, and
 * gives the arguments that name them to Aider. Throws like `fs`.
 */
export function handedArguments({
  settings,
  modelSettings,
  modelMetadata,
}: HandedSettings): string[] {
  const write = (name: string, text: string): string => {
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 24);
    const file = path.join(cacheFolder(), 'aider-settings', digest, name);
    writeWhole(file, text);
    return file;
  };
  // JSON is YAML.
  const conf = Object.keys(settings).length > 0 ? `${JSON.stringify(settings, null, 2)}\n` : null;
  return [
    ...(conf === null ? [] : ['--config', write('conf.yml', conf)]),
    // Where none is named Aider reads that of the repository; this one says nothing.
    '--env-file',
    '/dev/null',
    ...(modelSettings === null
      ? []
      : ['--model-settings-file', write('model.settings.yml', modelSettings)]),
    ...(modelMetadata === null
      ? []
      : ['--model-metadata-file', write('model.metadata.json', modelMetadata)]),
  ];
}
