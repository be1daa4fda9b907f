import { closeSync, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { escapeIgnorePattern } from '../../../core/policy/paths.js';
import type { AttemptRequest } from '../../../core/ports.js';
import {
  makePrivateFolder,
  openPrivate,
  unless,
  unreadable,
  writePrivate,
} from '../../files/private-files.js';
import type { LogPaths } from '../../logs/log-paths.js';
import { blocksFence, fenceFor, withoutFences } from './edit-fence.js';
import { aiderArguments, longestArgument } from './invocation.js';

export interface AttemptFilesOptions {
  readonly extra: readonly string[];
  /** Files that the repository's settings give to each agent to read, relative to the repository. */
  readonly read: readonly string[];
  readonly repo: string;
  readonly paths: LogPaths;
  /** The repository map to read, once it is made; null when there is none. */
  readonly repoMap: () => string | null;
}

/** Writes what Aider is to find on disk, and gives its arguments and the fence that it will read. */
export function attemptFiles(
  request: AttemptRequest,
  message: string | null,
  options: AttemptFilesOptions,
): { args: string[]; fence: number } {
  const { paths, extra, repo, read: always } = options;
  const { agent, attempt, brief, model } = request;
  const { task, prdPath } = brief;
  const { worktree } = request.checkout;
  makePrivateFolder(paths.agentFolder(agent));
  // Aider appends to these, and would make them for others to read; the tail needs the first to be there.
  for (const file of [
    paths.analytics(agent),
    paths.chatHistory(agent),
    paths.replies(agent, attempt),
  ]) {
    closeSync(openPrivate(file, 'append'));
  }
  const long = message !== null && Buffer.byteLength(message) > longestArgument;
  // Kept also when it goes by argument: what an agent was told belongs to the record.
  if (message !== null) writePrivate(paths.message(agent, attempt), message);
  const scope = task.files.length === 0 ? null : paths.scope(agent);
  const read = [...new Set([...task.read, ...brief.alsoRead, ...always])].filter(
    (file) => !task.files.includes(file),
  );
  if (scope !== null) writePrivate(scope, scopeFile([...task.files, ...read]));
  const map = task.files.length === 0 ? null : options.repoMap();
  const inWorktree = (file: string) => path.join(worktree, file);
  const own = task.files.map(inWorktree).filter((file) => isWithin(worktree, file));
  const fence = fenceFor(own.flatMap((file) => textOf(file) ?? []));
  const hand = (file: string, name: string) =>
    handOver(paths.agentFolder(agent), file, name, fence);
  const given = read.flatMap((name) => {
    // What the settings name may lie in the checkout alone, where git ignores it.
    const file = [inWorktree(name), path.join(repo, name)].find((one) => existsSync(one));
    if (file === undefined) return [];
    const from = file.startsWith(`${worktree}${path.sep}`) ? worktree : repo;
    return always.includes(name) || isWithin(from, file) ? [hand(file, name)] : [];
  });
  const prd = prdPath === null ? null : path.resolve(repo, prdPath);
  const args = aiderArguments({
    model,
    // One that is to be new comes into being when the model writes it: Aider would make it empty.
    files: task.files.filter((file) => existsSync(inWorktree(file))),
    message:
      message === null ? null : long ? { file: paths.message(agent, attempt) } : { text: message },
    read: [
      ...(prd === null ? [] : [hand(prd, path.basename(prd))]),
      ...given,
      ...(map === null ? [] : [hand(map, path.basename(map))]),
    ],
    analyticsLog: paths.analytics(agent),
    chatHistory: paths.chatHistory(agent),
    llmHistory: paths.replies(agent, attempt),
    scope,
    crlf: usesCrlf(task.files.map(inWorktree)),
    extra,
  });
  return { args, fence };
}

/**
 * A file for an agent to read: itself or, where it would move the fence of Aider's away from what the agent's
 * own files need, a copy that does not.
 */
function handOver(folder: string, file: string, name: string, fence: number): string {
  const text = textOf(file);
  if (text === null || !blocksFence(text, fence)) return file;
  const copy = path.join(folder, 'read', name);
  writePrivate(copy, withoutFences(text));
  return copy;
}

/** A file's text; null where it is none, or is not there. */
function textOf(file: string): string | null {
  return unless(unreadable, null, () => readFileSync(file, 'utf8'));
}

/** Whether a file really lies in a folder: an agent may have made a link of it. */
function isWithin(folder: string, file: string): boolean {
  return unless(unreadable, false, () =>
    realpathSync(file).startsWith(`${realpathSync(folder)}${path.sep}`),
  );
}

/** Whether the files of a group end their lines as on Windows; by the first that tells. */
function usesCrlf(files: readonly string[]): boolean {
  for (const file of files) {
    if (!existsSync(file) || !statSync(file).isFile()) continue;
    const text = readFileSync(file);
    const end = text.indexOf(0x0a);
    if (end >= 0) return text[end - 1] === 0x0d;
  }
  return false;
}

/** Hides everything but these files: Aider would add a file that a reply merely mentions. */
function scopeFile(files: readonly string[]): string {
  return `${['*', ...files.map((file) => `!${escapeIgnorePattern(file)}`)].join('\n')}\n`;
}
