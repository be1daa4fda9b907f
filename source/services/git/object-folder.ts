import { AsyncLocalStorage } from 'node:async_hooks';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { unless, unreadable, writePrivate } from '../files/private-files.js';

/** Variables for each git command of a piece of work, however deep it is started. */
const variables = new AsyncLocalStorage<Readonly<Record<string, string>>>();

export function objectVariables(): Readonly<Record<string, string>> {
  return variables.getStore() ?? {};
}

/**
 * A folder for the objects that looks at worktrees write, which nobody needs later. In the repository's own they
 * would stay for two weeks, and what lies about in a worktree may be large.
 */
export class ObjectFolder {
  private made = false;

  /**
   * @param folder where it is to be, absolute
   * @param objects the repository's own objects, absolute; what is in there is seen too
   */
  constructor(
    private readonly folder: string,
    private readonly objects: string,
  ) {}

  /**
   * Does a piece of work whose git commands write their objects here, and find them here; where the folder cannot
   * be made, such as on a full disk, in the repository's own.
   */
  use<T>(work: () => Promise<T>): Promise<T> {
    if (!this.made) {
      const list = path.join(this.folder, 'info', 'alternates');
      const codes = [...unreadable, 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EIO'];
      this.made = unless(codes, false, () => {
        writePrivate(list, `${this.objects}\n`);
        return true;
      });
    }
    return this.made ? variables.run({ GIT_OBJECT_DIRECTORY: this.folder }, work) : work();
  }

  /** Nothing that was written here can be read any more. */
  remove(): void {
    this.made = false;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
