// Longer than 300 lines: one guard, a method for each place that it watches.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { Task } from '../../core/plan/plan.js';
import { type Refusal, runsCode } from '../../core/policy/fence.js';
import type { InspectionHints } from '../../core/run/run.js';
import { makePrivateFolder, unless, unreadable } from '../files/private-files.js';

export interface GuardOptions {
  /** Absolute path of the worktree; its parent folder is private to it. */
  readonly worktree: string;
  /** The folder that all worktrees of the repository share, absolute. */
  readonly commonDir: string;
  /** Where what is taken away is kept. */
  readonly keep: string;
  /** Paths of submodules, which stay as they are. */
  readonly submodules: readonly string[];
}

/** How a worktree was when it was made; contents of files as base64. */
export interface GuardMemory {
  readonly gitLink: string;
  readonly commonDir: string;
  readonly special: Readonly<Record<string, string>>;
  readonly siblings: readonly string[];
  readonly inSubmodules: Readonly<Record<string, readonly string[]>>;
  readonly gitFiles: Readonly<Record<string, string>>;
}

/** Larger files of git's own folder are no configuration. */
const mostBytes = 1024 * 1024;

/** Clocks of file systems are coarse, milliseconds. */
const slackMs = 2000;

/** What Aider writes into a checkout for itself. */
const aidersOwn = /^\.aider\.(chat\.history\.md|input\.history|llm\.history|tags\.cache.*)$/;

/**
 * Sees what git does not: what was written beside a worktree, into git's own folder, into ignored
 * files that run code. It knows how things were when it was opened, and brings them back to that.
 */
export class WorktreeGuard {
  readonly memory: GuardMemory;
  private readonly gitLink: string;
  private readonly special: ReadonlyMap<string, Buffer>;
  private readonly siblings: ReadonlySet<string>;
  private readonly inSubmodules: ReadonlyMap<string, ReadonlySet<string>>;
  private readonly gitFiles: ReadonlyMap<string, Buffer>;
  private kept = 0;
  /** `.git` was led elsewhere since the last check; told until then, whoever mended it. */
  private linkMended = false;

  /** @param memory how things were; null to take them as they are */
  constructor(
    private readonly options: GuardOptions,
    memory: GuardMemory | null = null,
  ) {
    const then = memory ?? memoryOf(options);
    this.memory = then;
    this.gitLink = then.gitLink;
    this.special = asFiles(then.special);
    this.siblings = new Set(then.siblings);
    this.inSubmodules = new Map(
      Object.entries(then.inSubmodules).map(([name, names]) => [name, new Set(names)]),
    );
    this.gitFiles = asFiles(then.gitFiles);
  }

  /** Makes sure that git means this worktree; to be called before git runs in it. */
  mendLink(): void {
    // A late look at a worktree that is gone.
    if (!existsSync(this.options.worktree)) return;
    const file = path.join(this.options.worktree, '.git');
    if (readText(file) === this.gitLink) return;
    this.takeAway(file);
    writeFileSync(file, this.gitLink);
    this.linkMended = true;
  }

  /**
   * Takes away a lock on the worktree's own index. Nobody but its agent can have left it, and that has
   * ended: to be called when no process of the agent is alive.
   */
  unlock(): void {
    const folder = /^gitdir: (.+?)\s*$/.exec(this.gitLink)?.[1];
    if (folder) rmSync(path.join(folder, 'index.lock'), { force: true });
  }

  /** What is wrong now; nothing is touched but `.git`, without which git cannot be asked. */
  refusalsNow(
    task: Pick<Task, 'files'>,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Refusal[] {
    this.mendLink();
    return [...this.ofLink(), ...this.find(task, hints).map(({ refusal }) => refusal)];
  }

  /** What is wrong now, after it was undone where that can be done. */
  check(task: Pick<Task, 'files'>, hints: Pick<InspectionHints, 'edited' | 'since'>): Refusal[] {
    this.mendLink();
    const refused = this.ofLink();
    this.linkMended = false;
    this.unlock();
    for (const { refusal, undo } of this.find(task, hints)) {
      refused.push({ ...refusal, undone: refusal.undone && undo() });
    }
    return refused;
  }

  private ofLink(): Refusal[] {
    return this.linkMended ? [{ path: '.git', why: 'runs_code', undone: true }] : [];
  }

  private find(
    task: Pick<Task, 'files'>,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Finding[] {
    return [
      ...this.findSpecial(task),
      ...this.findSiblings(),
      ...this.findInSubmodules(),
      ...this.findEdited(hints),
    ];
  }

  /** Files such as `.env` and `.aider.conf.yml` at the root, ignored by git or not. */
  private findSpecial(task: Pick<Task, 'files'>): Finding[] {
    const { worktree } = this.options;
    const names = new Set([...this.special.keys(), ...specialNames(worktree)]);
    return [...names].flatMap((name) => {
      const file = path.join(worktree, name);
      const before = this.special.get(name);
      if (task.files.includes(name) || isSame(file, before)) return [];
      return [finding(name, 'runs_code', () => this.bringBack(file, before))];
    });
  }

  private findSiblings(): Finding[] {
    const folder = path.dirname(this.options.worktree);
    return namesIn(folder)
      .filter((name) => !this.siblings.has(name))
      .map((name) => finding(`../${name}`, 'beside', () => this.takeAway(path.join(folder, name))));
  }

  private findInSubmodules(): Finding[] {
    return [...this.inSubmodules].flatMap(([submodule, before]) => {
      const folder = path.join(this.options.worktree, submodule);
      return namesIn(folder)
        .filter((name) => !before.has(name))
        .map((name) =>
          finding(`${submodule}/${name}`, 'submodule', () =>
            this.takeAway(path.join(folder, name)),
          ),
        );
    });
  }

  /** What Aider says it has edited beyond the worktree, where the disk bears it out. */
  private findEdited({ edited, since }: Pick<InspectionHints, 'edited' | 'since'>): Finding[] {
    const { worktree, commonDir } = this.options;
    const found: Finding[] = [];
    for (const name of edited) {
      const file = path.resolve(worktree, name);
      const real = realOf(file);
      const stats = statOf(real);
      if (!stats || stats.mtimeMs < since - slackMs || stats.isDirectory()) continue;
      const within = relativeTo(realOf(worktree), real);
      const inGit = relativeTo(realOf(commonDir), real);
      if (inGit !== null) {
        const before = this.gitFiles.get(inGit);
        // All of these were read at the start, so one that was not is new.
        const known = /^(hooks|info)\/[^/]+$|^config(\.worktree)?$/.test(inGit);
        const undo = () => this.bringBack(real, before);
        found.push(finding(file, 'runs_code', undo, known || isNew(stats, since)));
      } else if (within !== null && within !== '.git' && within.split('/').includes('.git')) {
        found.push(finding(within, 'runs_code', () => this.takeAway(real)));
      } else if (within === null) {
        const sibling = relativeTo(realOf(path.dirname(worktree)), real);
        // Those were found by the listing.
        if (sibling !== null) continue;
        const why = runsCode(real) ? 'runs_code' : 'beside';
        found.push(finding(real, why, () => this.takeAway(real), isNew(stats, since)));
      }
    }
    return found;
  }

  /** Moves a file or folder to where it is kept; false when that failed. */
  takeAway(file: string): boolean {
    const { keep } = this.options;
    this.kept += 1;
    const to = path.join(keep, `${this.kept}-${path.basename(file)}`);
    try {
      makePrivateFolder(keep);
      const renamed = unless(['EXDEV'], false, () => renameSync(file, to));
      if (renamed === false) {
        // Another file system.
        cpSync(file, to, { recursive: true, verbatimSymlinks: true });
        rmSync(file, { recursive: true, force: true });
      }
      return true;
    } catch (error) {
      // Whatever the system says: it is gone, or it stays and is told as not undone.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return !existsSync(file);
    }
  }

  private bringBack(file: string, before: Buffer | undefined): boolean {
    if (statOf(file) && !this.takeAway(file)) return false;
    if (before !== undefined) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, before);
    }
    return true;
  }
}

function memoryOf({ worktree, commonDir, submodules }: GuardOptions): GuardMemory {
  const gitNames = [
    'config',
    'config.worktree',
    ...namesIn(path.join(commonDir, 'hooks')).map((name) => path.join('hooks', name)),
    ...namesIn(path.join(commonDir, 'info')).map((name) => path.join('info', name)),
  ];
  return {
    gitLink: readFileSync(path.join(worktree, '.git'), 'utf8'),
    commonDir,
    special: readAll(worktree, specialNames(worktree)),
    siblings: namesIn(path.dirname(worktree)),
    inSubmodules: Object.fromEntries(
      submodules.map((name) => [name, namesIn(path.join(worktree, name))]),
    ),
    gitFiles: readAll(commonDir, gitNames),
  };
}

function asFiles(contents: Readonly<Record<string, string>>): ReadonlyMap<string, Buffer> {
  return new Map(
    Object.entries(contents).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
  );
}

interface Finding {
  readonly refusal: Refusal;
  /** True when it could be undone. */
  readonly undo: () => boolean;
}

function finding(name: string, why: Refusal['why'], undo: () => boolean, undone = true): Finding {
  return { refusal: { path: name, why, undone }, undo };
}

function namesIn(folder: string): string[] {
  return unless(unreadable, [], () => readdirSync(folder));
}

function specialNames(worktree: string): string[] {
  return namesIn(worktree).filter((name) => /^\.(aider|env)/i.test(name) && !aidersOwn.test(name));
}

function readAll(folder: string, names: readonly string[]): Record<string, string> {
  const files: [string, string][] = [];
  for (const name of names) {
    const stats = statOf(path.join(folder, name));
    if (!stats?.isFile() || stats.size > mostBytes) continue;
    files.push([name, readFileSync(path.join(folder, name), 'base64')]);
  }
  return Object.fromEntries(files);
}

function isSame(file: string, before: Buffer | undefined): boolean {
  const stats = statOf(file);
  if (!stats) return before === undefined;
  // A folder of that name, or a file too large to be kept, is not ours to bring back.
  if (!stats.isFile() && before === undefined) return !stats.isSymbolicLink();
  if (!stats.isFile()) return false;
  return before !== undefined && stats.size === before.length && readFileSync(file).equals(before);
}

function statOf(file: string): Stats | null {
  return unless(unreadable, null, () => lstatSync(file));
}

function readText(file: string): string | null {
  const stats = statOf(file);
  return stats?.isFile() && stats.size < mostBytes ? readFileSync(file, 'utf8') : null;
}

/** The path without symbolic links, also for one that is not there. */
function realOf(file: string): string {
  const real = unless(unreadable, null, () => realpathSync(file));
  if (real !== null) return real;
  const parent = path.dirname(file);
  return parent === file ? file : path.join(realOf(parent), path.basename(file));
}

/** `file` relative to `folder` when it is inside of it, else null. */
function relativeTo(folder: string, file: string): string | null {
  const relative = path.relative(folder, file);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative)
    ? null
    : relative;
}

/**
 * Whether a file was made since then. Where the file system keeps no time of birth, the system gives
 * that of the last change for it; then nobody can tell, and only an empty file is taken for new.
 */
function isNew({ birthtimeMs, ctimeMs, size }: Stats, since: number): boolean {
  return (birthtimeMs !== ctimeMs || size === 0) && birthtimeMs >= since - slackMs;
}
