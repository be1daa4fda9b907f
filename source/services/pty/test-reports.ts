import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import picomatch from 'picomatch';
import type { CheckPlan } from '../../core/check.js';
import type { TestReport } from '../../core/test-report.js';
import { askForReport } from '../../core/test-runners.js';
import { parseJson, unless, unreadable } from '../files/private-files.js';
import { ReportReader } from './junit-report.js';

/** So much is read of all reports of one run of the tests, bytes. */
const mostBytes = 32 * 1024 * 1024;

/** Folders in which no report is looked for. */
const skipped = new Set(['.git', 'node_modules', '.aider_logs']);

/** The JUnit reports of one run of the tests: asked for where the runner is known, found by a glob, and read. */
export class Reports {
  /** The command, which may have been asked for a report. */
  readonly command: string;
  private readonly folder: string | null;
  private readonly file: string | null;
  private readonly glob: string | null;
  /** Older ones are of an earlier run, or came with the repository. */
  private readonly since = Date.now();

  /** @param cwd the worktree in which the tests run, absolute. Throws like `fs` on a full disk. */
  constructor(
    plan: CheckPlan,
    private readonly cwd: string,
  ) {
    // Outside the worktree, as it is nobody's work.
    const folder = plan.report === null ? mkdtempSync(path.join(tmpdir(), 'test-report-')) : null;
    const file = folder === null ? null : path.join(folder, 'junit.xml');
    const asked = file === null ? null : askForReport(plan.command, scriptOf(cwd), file);
    if (folder !== null && asked === null) rmSync(folder, { recursive: true, force: true });
    this.folder = asked === null ? null : folder;
    this.file = asked !== null && asked.glob === null ? file : null;
    this.command = asked?.command ?? plan.command;
    this.glob = plan.report ?? asked?.glob ?? null;
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

  close(): void {
    if (this.folder !== null) rmSync(this.folder, { recursive: true, force: true });
  }

  private found(pattern: string): string[] {
    const matches = picomatch(pattern.replace(/^\.\//, ''), { dot: true });
    return filesBelow(this.cwd, '')
      .filter((name) => matches(name))
      .map((name) => path.join(this.cwd, name))
      .filter((file) => statSync(file).mtimeMs >= this.since - 1000);
  }
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
