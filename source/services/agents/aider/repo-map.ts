import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { writePrivate } from '../../files/private-files.js';
import { addDetachedWorktree, removeWorktree } from '../../git/worktree.js';
import { environment } from '../../machine/environment.js';
import { readToEnd, unseenSize } from '../../pty/run-command.js';
import { withoutFences } from './edit-fence.js';
import { agentEnvironment } from './environment.js';
import { unattendedArguments } from './invocation.js';
import type { AiderLauncher } from './launcher.js';

export interface RepoMapRequest {
  readonly launcher: AiderLauncher;
  readonly model: string;
  readonly repo: string;
  readonly base: string;
  /** Where the map is made: a worktree for it alone, so that Aider's cache never lies in the checkout. */
  readonly worktree: string;
  /** How much of the repository the map shows, in tokens. */
  readonly tokens: number;
  /** What is handed on of the repository's settings. */
  readonly extra: readonly string[];
  readonly stop: AbortSignal;
}

/** Milliseconds after which a map is not worth waiting for. */
const longestMs = 60_000;

/**
 * Asks Aider for its map of the repository: the important symbols of each file.
 * @returns the map, or null when Aider makes none (no code it can parse, too large, an error)
 */
export async function makeRepoMap(request: RepoMapRequest): Promise<string | null> {
  const { repo, worktree, base } = request;
  const scratch = `${worktree}.files`;
  try {
    const added = await addDetachedWorktree(repo, worktree, base);
    if (!added.ok) return null;
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const aider = await request.launcher.start({
      args: [
        '--model',
        request.model,
        ...unattendedArguments,
        ...request.extra,
        '--chat-history-file',
        path.join(scratch, 'chat.md'),
        '--input-history-file',
        '/dev/null',
        '--no-pretty',
        '--show-repo-map',
        '--map-tokens',
        String(request.tokens),
      ],
      cwd: worktree,
      env: agentEnvironment(environment(), request.model, null),
      // As wide as lines of code get: Aider breaks what is longer.
      cols: 4000,
      rows: unseenSize.rows,
    });
    // Aider asks whether to report a crash of its own, and would wait for ever.
    const end = await readToEnd(aider, { stop: request.stop, timeoutMs: longestMs });
    return end.exit.code === 0 ? cutMap(end.text) : null;
  } catch (error) {
    // It only helps; what keeps agents from starting is told by the first of them.
    if (error instanceof TypeError || error instanceof ReferenceError) throw error;
    return null;
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await removeWorktree(repo, worktree);
  }
}

/** The map without Aider's start-up lines and its instructions to a model. */
export function cutMap(output: string): string | null {
  // What comes before is Aider's start, and the spinner it draws while it reads the files: on the same
  // line, taken back by backspaces.
  const first = /^(?:.*\x08)?Here are summaries of.*$/m.exec(output);
  if (!first) return null;
  const map = output
    .slice(first.index + first[0].length)
    .split('\n')
    .map((line) => (line === '' ? line : line.slice(line.lastIndexOf('\b') + 1).trimEnd()))
    .filter((line) => !/^(Do not propose changes|If you need to edit any)/.test(line))
    .join('\n')
    .trim();
  return map === '' ? null : map;
}

/** Writes the map for agents to read. */
export function writeMap(file: string, map: string): void {
  const head =
    '# Map of the repository\n\nThe important symbols of its files, as they are before the change. For reading only.\n\n';
  // Without a fence around it: that would move the fence that Aider reads edits by.
  writePrivate(file, `${head}${withoutFences(map)}\n`);
}
