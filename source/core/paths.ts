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

/** What the repository knows about paths; filled by the git service. */
export interface PathFacts {
  /** Tracked files at the base commit. */
  readonly tracked: ReadonlySet<string>;
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
  if (normal === '.git' || normal.startsWith('.git/') || normal.includes('/.git/')) {
    return `${path} belongs to git`;
  }
  const inside = facts.submodules.find((sub) => normal === sub || normal.startsWith(`${sub}/`));
  if (inside) return `${path} is in the submodule ${inside}, which is a repository of its own`;
  if (facts.links.has(normal)) return `${path} is a symbolic link, and may lead anywhere`;
  if (facts.tracked.has(normal)) return null;
  if (facts.ignored.has(normal)) return `${path} is ignored by git`;
  if (facts.untracked.has(normal)) {
    return `${path} exists, but is not tracked by git: commit it first, or leave it out`;
  }
  for (const known of facts.tracked) {
    if (known.startsWith(`${normal}/`)) return `${path} is a folder: name its files`;
    if (normal.startsWith(`${known}/`)) return `${path} lies below ${known}, which is a file`;
    if (known.toLowerCase() === normal.toLowerCase()) {
      return `${path} differs from ${known} by case only, which macOS and Windows cannot keep apart`;
    }
  }
  return null;
}

/** A pattern for a gitignore-style file that matches exactly this path. */
export function escapeIgnorePattern(path: string): string {
  return `/${path.replace(/[\\*?[\]!#]/g, '\\$&').replace(/ (?= *$)/g, '\\ ')}`;
}
