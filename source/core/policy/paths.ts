import { trimEndOf } from '../text/linear.js';

/** Paths inside the repository, as pure text; what exists is asked from git. */

/**
 * Brings a path to the form git lists (`/` between parts, no `.` or `..`), seen from `from`, a folder
 * relative to the repository root ('' is the root). Null when it leads out of the repository.
 */
export function normalisePath(path: string, from = ''): string | null {
  if (path.startsWith('/') || path.includes('\0')) return null;
  const parts: string[] = from === '' ? [] : from.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.length === 0) return null;
      parts.pop();
    } else {
      parts.push(part);
    }
  }
  return parts.join('/');
}

/** The first of these patterns that leads out of the repository; undefined where none does. */
export function outsideGlob(globs: readonly string[]): string | undefined {
  return globs.find((glob) => normalisePath(glob) === null);
}

/** What HFS+ leaves out when it compares names (git, `utf8.c`, `next_hfs_char`). */
const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Whether some file system takes a name for `.git`: by case, by what NTFS cuts off at the end or behind a
 * colon and its short name, by what HFS+ leaves out (git, `path.c`, `is_ntfs_dotgit`).
 */
export function isGitName(name: string): boolean {
  const plain = name.replace(ignoredByHfs, '').toLowerCase();
  const short = trimEndOf(plain.split(/[:\\]/, 1)[0] ?? '', ' .');
  return short === '.git' || short === 'git~1';
}

/** What the repository knows about paths; filled by the git service. */
export interface PathFacts {
  /** Tracked files at the base commit. */
  readonly tracked: ReadonlySet<string>;
  /** Folders that hold tracked files. */
  readonly folders: ReadonlySet<string>;
  /** Tracked files by their names in lower case. */
  readonly byLowerCase: ReadonlyMap<string, string>;
  /** Tracked symbolic links. */
  readonly links: ReadonlySet<string>;
  /** Paths that exist and are neither tracked nor ignored, of those that were asked about. */
  readonly untracked: ReadonlySet<string>;
  /** Folders that are submodules. */
  readonly submodules: readonly string[];
  /** Paths that git ignores, of those that were asked about. */
  readonly ignored: ReadonlySet<string>;
}

/** Why an agent cannot be given this file; null when it can. A file that does not exist is new. */
export function refusePath(path: string, facts: PathFacts): string | null {
  const normal = normalisePath(path);
  if (normal === null) return `${path} is outside the repository`;
  if (normal === '') return `${path} is the repository itself, not a file`;
  if (/[\n\r]/.test(path)) return `${JSON.stringify(path)} has a line break in its name`;
  if (normal.split('/').some(isGitName)) return `${path} belongs to git`;
  const inside = facts.submodules.find((sub) => normal === sub || normal.startsWith(`${sub}/`));
  if (inside) return `${path} is in the submodule ${inside}, which is a repository of its own`;
  if (facts.links.has(normal)) return `${path} is a symbolic link, and may lead anywhere`;
  if (facts.tracked.has(normal)) return null;
  if (facts.ignored.has(normal)) return `${path} is ignored by git`;
  if (facts.untracked.has(normal)) {
    return `${path} exists, but is not tracked by git: commit it first, or leave it out`;
  }
  if (facts.folders.has(normal)) return `${path} is a folder: name its files`;
  for (let end = normal.lastIndexOf('/'); end > 0; end = normal.lastIndexOf('/', end - 1)) {
    const above = normal.slice(0, end);
    if (facts.tracked.has(above)) return `${path} lies below ${above}, which is a file`;
  }
  const alike = facts.byLowerCase.get(normal.toLowerCase());
  if (alike !== undefined) {
    return `${path} differs from ${alike} by case only, which macOS and Windows cannot keep apart`;
  }
  return null;
}

/** A pattern for a gitignore-style file that matches exactly this path. */
export function escapeIgnorePattern(path: string): string {
  return `/${path.replace(/[\\*?[\]!#]/g, '\\$&').replace(/ (?= *$)/g, '\\ ')}`;
}
