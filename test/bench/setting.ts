/** What the benchmarks with real Aider share. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findAider } from '../../source/services/agents/aider/find-aider.js';
import { aiderArguments } from '../../source/services/agents/aider/invocation.js';
import { diffEdit, type Rule } from '../../source/services/model-server/script.js';
import { makeRepo } from './kit.js';

const aider = await findAider(null);
if (!aider.ok) throw new Error('the benchmark needs Aider: aider-orchestrator setup');
export const { command, version, interpreter } = aider.value;

const price = {
  max_input_tokens: 128000,
  max_output_tokens: 16384,
  input_cost_per_token: 1e-6,
  output_cost_per_token: 1e-6,
  litellm_provider: 'openai',
  mode: 'chat',
};

/** Writes what Aider would download: limits and prices of the models. */
export function writeMetadata(file: string): void {
  writeFileSync(file, JSON.stringify({ 'gpt-4o': price, 'gpt-4o-mini': price }));
}

/** An environment with a home of its own, and the scripted model behind the provider. */
export function environment(home: string, url: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HOME: home,
    XDG_CACHE_HOME: `${home}/cache`,
    OPENAI_API_KEY: 'k',
    OPENAI_API_BASE: `${url}/v1`,
  };
}

/** The model that raises `a = 1` in `a.py` to 2, and so for each name. */
export function raises(names: readonly string[]): Rule[] {
  return names.map((name) => ({
    when: `Task: Raise ${name}\\b`,
    replies: [{ text: diffEdit(`${name}.py`, `${name} = 1`, `${name} = 2`) }],
  }));
}

export function files(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${name}.py`, `${name} = 1\n`]));
}

/** An Aider that nobody orchestrates. */
export interface Alone {
  readonly script: string;
  readonly args: readonly string[];
  readonly repo: string;
}

/**
 * Writes for each name a script that runs Aider alone, in a repository of its own, with the arguments
 * that an agent gets.
 */
export async function writeAlone(
  folder: string,
  names: readonly string[],
  metadata: string,
): Promise<Alone[]> {
  const alone: Alone[] = [];
  for (const name of names) {
    const own = path.join(folder, name);
    const repo = path.join(own, 'repo');
    await makeRepo(repo, files(names));
    writeFileSync(`${own}/scope`, `*\n!/${name}.py\n`);
    const args = aiderArguments({
      model: 'gpt-4o',
      files: [`${name}.py`],
      message: { text: `Task: Raise ${name}` },
      read: [],
      analyticsLog: `${own}/log`,
      chatHistory: `${own}/chat`,
      scope: `${own}/scope`,
      llmHistory: `${own}/replies`,
      crlf: false,
      extra: ['--model-metadata-file', metadata],
    });
    const quoted = args.map((argument) => `'${argument}'`).join(' ');
    writeFileSync(`${own}/go.sh`, `cd '${repo}' && exec '${command}' ${quoted} < /dev/null\n`);
    alone.push({ script: `${own}/go.sh`, args, repo });
  }
  return alone;
}
