import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'dotenv';
import { providerKeys } from '../../core/policy/providers.js';
import { hasCode } from '../files/private-files.js';
import { environment, setVariable } from '../machine/environment.js';

/**
 * A `.env` of a repository belongs to whoever wrote the repository. Of it, keys of providers are taken, by
 * their names, and never override what is set. All else waits for the person's trust, as it could lead
 * keys elsewhere, choose settings, or run code (`XDG_CONFIG_HOME`, `OPENAI_API_BASE`, `LD_PRELOAD`).
 */
export interface DotenvFile {
  readonly path: string;
  /** The text as it is on disk: what trust is given to. */
  readonly text: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** Variables that mean something to this program or to Aider, so that it is worth to ask for them. */
const telling =
  /^(AIDER_|DEFAULT_(AIDER|CLAUDE|GEMINI)_MODEL$|OPENAI_|ANTHROPIC_|GEMINI_|GOOGLE_|DEEPSEEK_|GROQ_|OPENROUTER_|XAI_|MISTRAL_|COHERE_|OLLAMA_|AZURE_|AWS_|VERTEX|LM_STUDIO_|LITELLM_)/;

/** The `.env` of the repository and of the working folder, the working folder's first. */
export function readDotenv(cwd: string, repo: string | null): DotenvFile[] {
  const folders = repo === null || repo === cwd ? [cwd] : [cwd, repo];
  return folders.flatMap((folder) => {
    const file = path.join(folder, '.env');
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP')) return [];
      throw error;
    }
    return [{ path: file, text: bytes.toString('latin1'), variables: parse(bytes) }];
  });
}

/** What of a file is taken unasked: keys of providers that are not set already. */
export function keysIn({ variables }: DotenvFile): [name: string, value: string][] {
  return Object.entries(variables).filter(
    ([name, value]) => providerKeys.has(name) && value !== '',
  );
}

/** Names of a file that need the person's trust, and would mean something. */
export function askedIn({ variables }: DotenvFile): string[] {
  return Object.keys(variables).filter((name) => !providerKeys.has(name) && telling.test(name));
}

/**
 * Takes what may be taken into the environment; what is set already is never overridden.
 * @param isTrusted whether all of a file's variables that mean something are taken
 */
export function takeDotenv(
  files: readonly DotenvFile[],
  isTrusted: (file: DotenvFile) => boolean,
): void {
  for (const file of files) {
    const trusted = isTrusted(file) ? askedIn(file) : [];
    const taken = [
      ...keysIn(file),
      ...trusted.map((name): [string, string] => [name, file.variables[name] ?? '']),
    ];
    for (const [name, value] of taken)
      if (environment()[name] === undefined) setVariable(name, value);
  }
}
