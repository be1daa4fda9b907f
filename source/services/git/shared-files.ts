import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { unless, unreadable } from '../files/private-files.js';

/** Larger files of git's own folder are no configuration. */
const mostBytes = 1024 * 1024;

/**
 * What all worktrees of a repository share beside its objects: configuration, hooks, attributes. A set-up
 * command or a test that is run in a worktree changes the person's own repository by it (husky writes
 * `core.hooksPath`, a test `user.email`), and nobody sees that.
 */
export class SharedFiles {
  private known: ReadonlyMap<string, string>;

  /** @param commonDir the folder that all worktrees share, absolute */
  constructor(private readonly commonDir: string) {
    this.known = this.read();
  }

  /** Names of the files that have changed since the last look, relative to that folder. */
  changed(): string[] {
    // The repository was moved away, which is told by itself.
    if (!existsSync(this.commonDir)) return [];
    const now = this.read();
    const names = new Set([...this.known.keys(), ...now.keys()]);
    const changed = [...names].filter((name) => this.known.get(name) !== now.get(name)).sort();
    this.known = now;
    return changed;
  }

  private read(): ReadonlyMap<string, string> {
    const inside = (folder: string) =>
      unless(unreadable, [], () => readdirSync(path.join(this.commonDir, folder))).map((name) =>
        path.join(folder, name),
      );
    const names = ['config', 'config.worktree', ...inside('hooks'), ...inside('info')];
    return new Map(
      names.flatMap((name): [string, string][] => {
        const file = path.join(this.commonDir, name);
        const text = unless(unreadable, null, () => {
          const stats = lstatSync(file);
          return stats.isFile() && stats.size <= mostBytes ? readFileSync(file, 'latin1') : null;
        });
        return text === null ? [] : [[name, text]];
      }),
    );
  }
}
