import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import picomatch from 'picomatch';
import type { TestCommand, TestReport } from '../../core/policy/test-run.js';
import { askForReport } from '../../core/policy/test-runners.js';
import { parseJson } from '../../core/text/parse-json.js';
import { makePrivateFolder, unless, unreadable } from '../files/private-files.js';
import { ReportReader } from './junit-report.js';

/** So much is read of all reports of one run of the tests, bytes. */
const mostBytes = 32 * 1024 * 1024;

/** Folders in which no report is looked for. */
const skipped = new Set(['.git', 'node_modules', '.aider_logs']);

/** The JUnit reports of one run of the tests: asked for where the runner is known, found by a glob, and read. */
export class Reports {
  /** The command, which may have been asked for a report. */
  readonly command: string;
  private readonly file: string | null;
  private readonly glob: string | null;
  /** Those that were there before: of an earlier run, or from the repository. */
  private readonly before: ReadonlyMap<string, string>;

  /**
   * Throws like `fs` on a full disk.
   * @param cwd the worktree in which the tests run, absolute
   * @param ask whether a runner that is known is asked
   */
  constructor(
    plan: TestCommand,
    private readonly cwd: string,
    ask: boolean,
  ) {
    // Outside the worktree, as it is nobody's work.
    const folder = path.join(tmpdir(), `test-report-${randomUUID()}`);
    const file = path.join(folder, 'junit.xml');
    const may = ask && plan.report === null;
    const asked = may ? askForReport(plan.command, scriptOf(cwd), file) : null;
    this.file = asked !== null && asked.glob === null ? file : null;
    if (this.file !== null) makePrivateFolder(folder);
    this.command = asked?.command ?? plan.command;
    this.glob = plan.report ?? asked?.glob ?? null;
    this.before = this.glob === null ? new Map() : stampsOf(cwd, this.glob);
  }

  /** What they tell together; null where there is none, or one of them is no report. */
  read(): TestReport | null {
    const files =
      this.file !== null ? [this.file] : this.glob !== null ? this.found(this.glob) : [];
    const reader = new ReportReader();
    let size = 0;
    for (const file of files) {
      const text = unless(unreadable, null, () => {
        size += statSync(file).size;
        return size > mostBytes ? null : readFileSync(file, 'utf8');
      });
      if (text === null || !reader.read(text, this.cwd)) return null;
    }
    return reader.report();
  }

  /** Whether the command was changed, so that it writes one. */
  get isAsked(): boolean {
    return this.file !== null;
  }

  close(): void {
    if (this.file !== null) rmSync(path.dirname(this.file), { recursive: true, force: true });
  }

  /** Reports that have come or changed since the tests began. */
  private found(pattern: string): string[] {
    return [...stampsOf(this.cwd, pattern)]
      .filter(([name, stamp]) => this.before.get(name) !== stamp)
      .map(([name]) => path.join(this.cwd, name));
  }
}

/** The files that a glob finds, each with what differs when it is written again. */
function stampsOf(root: string, pattern: string): ReadonlyMap<string, string> {
  const matches = picomatch(pattern.replace(/^\.\//, ''), { dot: true });
  const names = filesBelow(root, '').filter((name) => matches(name));
  return new Map(
    names.map((name) => {
      const file = path.join(root, name);
      const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
      return [name, `${stats?.mtimeNs} ${stats?.ctimeNs} ${stats?.size} ${stats?.ino}`];
    }),
  );
}

/** Plain files, relative to the root; links are not followed. */
function filesBelow(root: string, folder: string): string[] {
  const entries = unless(unreadable, [], () =>
    readdirSync(path.join(root, folder), { withFileTypes: true }),
  );
  return entries.flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(root, name);
    return entry.isFile() ? [name] : [];
  });
}

/** The test script of a package; null where there is none. */
function scriptOf(cwd: string): string | null {
  const file = path.join(cwd, 'package.json');
  const text = unless(unreadable, null, () => readFileSync(file, 'utf8'));
  if (text === null) return null;
  const value = parseJson(text) as { scripts?: { test?: unknown } | null } | null | undefined;
  const script = value?.scripts?.test;
  return typeof script === 'string' ? script : null;
}
