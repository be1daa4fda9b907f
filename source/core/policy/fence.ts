import type { Task } from '../plan/plan.js';
import { isGitName, normalisePath } from './paths.js';

/**
 * What an agent may change: the files of its group. All else is refused, whatever the agent says of
 * it, and by facts of git and of the disk alone.
 */
export const refusalKinds = [
  /** In the repository, not in its group. */
  'outside',
  /** Beside the worktree, where git sees nothing. */
  'beside',
  /** Runs code on the next start of git, of Aider or of whatever the settings protect. */
  'runs_code',
  /** A symbolic link that leads out of the worktree. */
  'link',
  /** The mode of a file that was there before. */
  'mode',
  'submodule',
  /** Larger than a file of an agent may be. */
  'size',
] as const;

export type RefusalKind = (typeof refusalKinds)[number];

export interface Refusal {
  /** Relative to the worktree, or absolute when beside it. */
  readonly path: string;
  readonly why: RefusalKind;
  /** Whether it was undone; false where nobody can tell what was there before. */
  readonly undone: boolean;
}

/** One changed path between two trees. */
export interface TreeChange {
  readonly path: string;
  /** Git's octal modes; `000000` for not there. */
  readonly oldMode: string;
  readonly newMode: string;
  /** Bytes of the new content; 0 when there is none. */
  readonly size: number;
  /** Where a symbolic link leads; null for what is none. */
  readonly target: string | null;
}

export interface FenceRules {
  /** The largest file an agent may leave, bytes. */
  readonly maxFileBytes: number;
  /** Files that stop the agent at once when it changes them, beside those that always do. */
  readonly isProtected: (path: string) => boolean;
}

const gone = '000000';
const linkMode = '120000';
const submoduleMode = '160000';

/** True for what git, Aider or a shell's helper (direnv) reads as configuration or as code. */
export function runsCode(path: string): boolean {
  // On macOS and Windows `.GIT` is the same folder.
  const parts = path.toLowerCase().split('/');
  const name = parts.at(-1) ?? '';
  if (parts.some((part) => isGitName(part) || part === '.githooks' || part === '.husky'))
    return true;
  if (name === '.gitmodules' || name === '.gitconfig') return true;
  return parts.some((part) => part.startsWith('.aider')) || name.startsWith('.env');
}

/** Why this change is refused; null when the agent may make it. */
export function refuseChange(
  task: Pick<Task, 'files'>,
  change: TreeChange,
  rules: FenceRules,
): RefusalKind | null {
  const { path, oldMode, newMode, size, target } = change;
  const named = task.files.includes(path);
  if (oldMode === submoduleMode || newMode === submoduleMode) return 'submodule';
  // What the task names was confirmed by a person; nothing names what belongs to git.
  if (!named && (runsCode(path) || rules.isProtected(path))) return 'runs_code';
  if (!named && task.files.length > 0) return 'outside';
  if (newMode === linkMode && leadsOut(path, target ?? '')) return 'link';
  if (oldMode !== gone && newMode !== gone && oldMode !== newMode) return 'mode';
  if (size > rules.maxFileBytes) return 'size';
  return null;
}

/** True when a symbolic link at `path` with this target leaves the worktree, by its text alone. */
export function leadsOut(path: string, target: string): boolean {
  const folder = path.split('/').slice(0, -1).join('/');
  const where = normalisePath(target, folder);
  return where === null || where.split('/').some(isGitName);
}

const words: Record<RefusalKind, string> = {
  outside: 'not in its group',
  beside: 'beside the worktree',
  runs_code: 'would run code on the next start',
  link: 'a link that leads out',
  mode: 'the mode of the file was changed',
  submodule: 'a submodule',
  size: 'too large',
};

/** One refusal for a person or the model. */
export function refusalWords({ path, why, undone }: Refusal): string {
  return `${path}: ${words[why]}${undone ? '' : ', could not be undone'}`;
}

/** Whether a task asks for files to go: Aider itself removes none. */
export function asksForRemoval(...texts: readonly string[]): boolean {
  return texts.some((text) =>
    /delet|remov|renam|\bmov(?:e|ing)|drop|get rid|merge .* into/i.test(text),
  );
}

/** Whether a task asks for a change of white space, which is no work otherwise. */
export function asksForWhiteSpace(...texts: readonly string[]): boolean {
  const asks =
    /white[ -]?space|indent|re-?format|formatting|\btabs?\b|\bspaces?\b|blank line|empty line|trailing|line[ -]end|newline|\bcrlf\b|\blf\b|\beol\b|prettier|\bblack\b|gofmt|rustfmt/i;
  return texts.some((text) => asks.test(text));
}
