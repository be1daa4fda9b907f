// Longer than 300 lines: one file format, written, read and claimed.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Failure } from '../../core/policy/failure.js';
import { fileFailure } from '../../core/policy/work-problem.js';
import { err, ok, type Result } from '../../core/result.js';
import { type Summary, summarySchema } from '../../core/run/summary.js';
import { parseJson } from '../../core/text/parse-json.js';
import { repositoriesFolder, repositoryFolder, worktreesFolder } from '../config/folders.js';
import {
  hasCode,
  makePrivateFolder,
  openPrivate,
  syncFolder,
  unless,
  unreadable,
  writeWhole,
} from '../files/private-files.js';
import { forgetGone } from '../git/kept-checkout.js';
import { ensureLogs, logPaths, outputProblem } from '../logs/log-paths.js';
import {
  currentOwner,
  type Liveness,
  livenessOf,
  type Owner,
  ownerSchema,
  signMs,
} from './liveness.js';
import { claimRepository, knowRepository } from './repository-id.js';

/**
 * Our own records of runs, in the user's data folder: who runs a run, and which worktrees it has made. Only
 * what stands here is ever recovered or removed; what a repository carries is shown, and not believed.
 *
 * A record is a file of JSON lines. Its first line says what it is and its version; a line is on the disk
 * before what it tells of is made.
 */
export const recordVersion = 1;

const stampPattern = /^\d{8}_\d{6}$/;

const lineSchema = z.discriminatedUnion('record', [
  z.object({
    record: z.literal('run'),
    version: z.literal(recordVersion),
    stamp: z.string(),
    /** The checkout. */
    root: z.string(),
    worktrees: z.string(),
    owner: ownerSchema,
  }),
  z.object({
    record: z.literal('worktree'),
    path: z.string(),
    /** Null for one in which nobody works. */
    agent: z.number().int().nullable(),
    branch: z.string().nullable(),
    /** What it starts from. */
    start: z.string(),
  }),
  /** A worktree is filled and ready: from here on it may hold work. */
  z.object({ record: z.literal('ready'), path: z.string() }),
  /** What stops an agent of it, or is taken back. */
  z.object({
    record: z.literal('rules'),
    protect: z.array(z.string()),
    maxFileBytes: z.number().nullable(),
  }),
  /** It has led its branch from one commit to another. */
  z.object({ record: z.literal('landed'), commit: z.string(), from: z.string() }),
  z.object({ record: z.literal('dead'), by: z.string() }),
  /** Another program goes on with it. */
  z.object({ record: z.literal('resumed'), owner: ownerSchema }),
  z.object({ record: z.literal('closed'), how: z.enum(['finished', 'recovered', 'salvaged']) }),
]);

type Line = z.infer<typeof lineSchema>;

export interface RecordedWorktree {
  /** Absolute. */
  readonly path: string;
  readonly agent: number | null;
  readonly branch: string | null;
  readonly start: string;
  /** It may hold work. */
  readonly ready: boolean;
}

/** A run of this repository, as our own records tell. */
export interface KnownRun {
  /** `YYYYMMDD_HHMMSS`, or `map-<pid>` for the making of a map. */
  readonly stamp: string;
  /** The checkout it was started in, where that is now. */
  readonly root: string;
  readonly liveness: Liveness;
  readonly pid: number;
  readonly host: string;
  readonly closed: 'finished' | 'recovered' | 'salvaged' | null;
  readonly summary: Summary | null;
  /** The folder of its worktrees. */
  readonly worktrees: string;
  readonly made: readonly RecordedWorktree[];
  /** What stops an agent of it, or is taken back; null where it died before that was told. */
  readonly rules: RecordedRules | null;
  /** How it has led its branch on, the first time first. */
  readonly landings: readonly { readonly commit: string; readonly from: string }[];
  /** The record itself. */
  readonly file: string;
}

/** The rules of a run, written down before any agent starts. */
export interface RecordedRules {
  /** Globs of files that no agent may change. */
  readonly protect: readonly string[];
  /** Null for any size. */
  readonly maxFileBytes: number | null;
}

/** Formats a time as `YYYYMMDD_HHMMSS`, local time. */
export function formatStamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}_${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/** The record of a run that goes: written before what it tells of. */
export class RunRecord {
  private fd: number | null;
  private readonly timer: NodeJS.Timeout;

  constructor(
    readonly stamp: string,
    /** The folder of this run's worktrees, absolute and real. */
    readonly worktrees: string,
    readonly file: string,
  ) {
    this.fd = openPrivate(file, 'append');
    // Who cannot see our process, from another container, sees that it gives signs.
    this.timer = setInterval(() => this.sign(), signMs);
    this.timer.unref();
  }

  /** A worktree is about to be made. Throws like `fs`. */
  making(worktree: Omit<RecordedWorktree, 'ready'>): void {
    this.write({ record: 'worktree', ...worktree });
  }

  /** What its agents are judged by. Throws like `fs`. */
  rules({ protect, maxFileBytes }: RecordedRules): void {
    this.write({ record: 'rules', protect: [...protect], maxFileBytes });
  }

  ready(worktree: string): void {
    this.write({ record: 'ready', path: worktree });
  }

  /** Its branch was led from one commit to another. Throws like `fs`. */
  landed(commit: string, from: string): void {
    this.write({ record: 'landed', commit, from });
  }

  /** From here on this program runs it. Throws like `fs`. */
  resumed(): void {
    makePrivateFolder(this.worktrees);
    this.write({ record: 'resumed', owner: currentOwner() });
  }

  /** Its journal, of which the one in the repository is a copy: what a program that goes on with it believes. */
  get journal(): string {
    return journalFile(this.file);
  }

  /** The run has ended, and its summary is written. */
  close(how: 'finished' | 'recovered' | 'salvaged'): void {
    if (this.fd !== null) this.write({ record: 'closed', how });
    this.letGo();
  }

  /** Ends the writing without a word: the next start closes the books. */
  letGo(): void {
    clearInterval(this.timer);
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  /** There was no run after all: nothing of it is remembered. */
  discard(): void {
    this.letGo();
    rmSync(this.file, { force: true });
    rmSync(this.journal, { force: true });
    releaseWorktrees(this.worktrees);
  }

  /** Our own copy of the summary, which alone `land` and `undo` believe. Throws like `fs`. */
  saveSummary(summary: Summary): void {
    writeWhole(summaryFile(this.file), `${JSON.stringify(summary, null, 2)}\n`);
  }

  private write(line: Line): void {
    if (this.fd === null) throw new Error(`the record of ${this.stamp} is closed`);
    appendLine(this.fd, line);
  }

  private sign(): void {
    const now = new Date();
    try {
      utimesSync(this.file, now, now);
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'EROFS', 'EIO', 'EPERM', 'EACCES')) throw error;
    }
  }
}

function appendLine(fd: number, line: Line): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  fsyncSync(fd);
}

/** The journal beside a run's record. */
export function journalFile(record: string): string {
  return record.replace(/\.jsonl$/, '.journal.jsonl');
}

function summaryFile(record: string): string {
  return record.replace(/\.jsonl$/, '.summary.json');
}

/** Where a repository is, to find its records. */
export interface Place {
  /** Absolute path of the checkout. */
  readonly root: string;
  /** The folder that all its worktrees share, absolute. */
  readonly commonDir: string;
}

/**
 * Takes a stamp that no other run in this repository has, also none that starts at the same moment, and
 * records that we run it. Makes `.aider_logs`, which ignores itself in git.
 */
export function claimRun(place: Place, now = Date.now()): Result<RunRecord, Failure> {
  const wrong = outputProblem(place.root);
  if (wrong !== null) return err(wrong);
  const logs = path.join(place.root, '.aider_logs');
  try {
    ensureLogs(place.root);
    const folder = claimWorktreesFolder(place.commonDir);
    for (let second = 0; ; second++) {
      const stamp = formatStamp(new Date(now + second * 1000));
      // The folder of worktrees is shared by all checkouts of the repository, as the branches are.
      if (!makeNew(path.join(folder.worktrees, stamp))) continue;
      if (!makeNew(logPaths(place.root, stamp).raw)) continue;
      return ok(begin(place, folder, stamp));
    }
  } catch (error) {
    return err(fileFailure(error, (error as NodeJS.ErrnoException).path ?? logs));
  }
}

/** Records the making of a map, which begins before there is a run. Throws like `fs`. */
export function claimMap(place: Place): RunRecord {
  const folder = claimWorktreesFolder(place.commonDir);
  const stamp = `map-${process.pid}`;
  makePrivateFolder(path.join(folder.worktrees, stamp));
  return begin(place, folder, stamp);
}

interface RecordFolder {
  readonly records: string;
  readonly worktrees: string;
}

function claimWorktreesFolder(commonDir: string): RecordFolder {
  const id = claimRepository(commonDir);
  const worktrees = worktreesFolder(id);
  makePrivateFolder(worktrees);
  // Git tells real paths.
  return { records: repositoryFolder(id), worktrees: realpathSync(worktrees) };
}

function begin({ root }: Place, { records, worktrees }: RecordFolder, stamp: string): RunRecord {
  const file = path.join(records, `${stamp}.jsonl`);
  const folder = path.join(worktrees, stamp);
  rmSync(file, { force: true });
  rmSync(journalFile(file), { force: true });
  const fd = openPrivate(file, 'new');
  try {
    const owner = currentOwner();
    const version = recordVersion;
    appendLine(fd, { record: 'run', version, stamp, root, worktrees: folder, owner });
  } finally {
    closeSync(fd);
  }
  syncFolder(records);
  return new RunRecord(stamp, folder, file);
}

/** True when this call has made the folder. */
function makeNew(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** What our records tell of a repository. */
export interface Records {
  /** Oldest first; also of its other checkouts. */
  readonly runs: readonly KnownRun[];
  /** Records that this version cannot read, as sentences. */
  readonly problems: readonly string[];
  /** The repository that this one is a copy of; null when it is none. */
  readonly copyOf: string | null;
}

/** Reads all records of a repository. Nothing is written. */
export function readRecords(place: Place): Records {
  const known = knowRepository(place.commonDir);
  if (known.state === 'copy') return { runs: [], problems: [], copyOf: known.of };
  if (known.state === 'new') return { runs: [], problems: [], copyOf: null };
  const folder = repositoryFolder(known.id);
  const runs: KnownRun[] = [];
  const problems: string[] = [];
  const names = readdirSync(folder).filter((name) => /^(\d{8}_\d{6}|map-\d+)\.jsonl$/.test(name));
  const cache = worktreesFolder(known.id);
  for (const name of names.sort()) {
    const file = path.join(folder, name);
    const run = readRecord(file, name.replace(/\.jsonl$/, ''), place, known.movedFrom, cache);
    if (typeof run === 'string') problems.push(`${file}: ${run}`);
    else if (run !== null) runs.push(run);
  }
  return { runs, problems, copyOf: null };
}

/** All runs of this user, whatever repository they are of, oldest first. Nothing is written. */
export function readAllRecords(): KnownRun[] {
  const runs: KnownRun[] = [];
  const ids = unless(unreadable, [], () => readdirSync(repositoriesFolder()));
  for (const id of ids) runs.push(...readRecordsIn(repositoryFolder(id)));
  return runs.sort((a, b) => (a.stamp < b.stamp ? -1 : 1));
}

/**
 * The runs in a repository's folder of records, oldest first; those that cannot be read are left out.
 * @param wanted only these stamps
 */
export function readRecordsIn(folder: string, wanted?: readonly string[]): KnownRun[] {
  const cache = worktreesFolder(path.basename(folder));
  const names = unless(unreadable, [], () => readdirSync(folder));
  return names
    .filter((name) => /^\d{8}_\d{6}\.jsonl$/.test(name))
    .filter((name) => wanted?.includes(name.replace(/\.jsonl$/, '')) ?? true)
    .sort()
    .flatMap((name) => {
      const file = path.join(folder, name);
      const run = readRecord(file, name.replace(/\.jsonl$/, ''), null, null, cache);
      return run === null || typeof run === 'string' ? [] : [run];
    });
}

/** @param place null where it is not looked up from one: then its checkout is where it was */
function readRecord(
  file: string,
  stamp: string,
  place: Place | null,
  movedFrom: string | null,
  cache: string,
): KnownRun | string | null {
  const text = unless(unreadable, null, () => readFileSync(file, 'utf8'));
  if (text === null) return 'it cannot be read';
  // A program that was killed in its first moment has made nothing.
  if (!text.includes('\n')) return null;
  const lines = text.split('\n');
  // The last line has its end, or is half a one.
  lines.pop();
  const made = new Map<string, RecordedWorktree>();
  let head: (Line & { record: 'run' }) | null = null;
  let owner: Owner | null = null;
  let rules: RecordedRules | null = null;
  const landings: { commit: string; from: string }[] = [];
  let dead = false;
  let closed: KnownRun['closed'] = null;
  for (const [index, line] of lines.entries()) {
    const value = parseJson(line);
    const parsed = lineSchema.safeParse(value);
    if (!parsed.success) {
      const version = (value as { version?: unknown } | undefined)?.version;
      const isNewer = typeof version === 'number' && version > recordVersion;
      return isNewer
        ? `written by a newer version of aider-orchestrator (${version})`
        : `line ${index + 1} cannot be read`;
    }
    const { data } = parsed;
    if (data.record === 'run') {
      if (head !== null || data.stamp !== stamp) return 'it is not what its name says';
      head = data;
      owner = data.owner;
    } else if (head === null) return 'it does not begin with its run';
    else if (data.record === 'worktree') {
      const { record: _, ...worktree } = data;
      // Only below our own folder, whatever stands here.
      if (isBelow(cache, worktree.path)) made.set(worktree.path, { ...worktree, ready: false });
    } else if (data.record === 'ready') {
      const worktree = made.get(data.path);
      if (worktree) made.set(data.path, { ...worktree, ready: true });
    } else if (data.record === 'resumed') {
      owner = data.owner;
      [dead, closed] = [false, null];
    } else if (data.record === 'rules') rules = data;
    else if (data.record === 'landed') landings.push({ commit: data.commit, from: data.from });
    else if (data.record === 'dead') dead = true;
    else closed = data.how;
  }
  if (head === null || owner === null) return null;
  // It may be cleaned up in this very moment.
  const silent = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return {
    stamp,
    root: place === null ? head.root : rootNow(head.root, place, movedFrom),
    liveness: dead ? 'dead' : closed === null ? livenessOf(owner, silent) : 'dead',
    pid: owner.pid,
    host: owner.host,
    closed,
    summary: readOwnSummary(file, stamp),
    worktrees: isBelow(cache, head.worktrees) ? head.worktrees : path.join(cache, stamp),
    made: [...made.values()],
    rules,
    landings,
    file,
  };
}

/** The checkout of a run where it is now: with a repository that was moved, its own checkout moved too. */
function rootNow(root: string, place: Place, movedFrom: string | null): string {
  if (movedFrom !== null && root === path.dirname(movedFrom)) return path.dirname(place.commonDir);
  return existsSync(root) ? root : place.root;
}

/** Whether a path lies below a folder, both as they are written and as they really are. */
function isBelow(folder: string, file: string): boolean {
  if (!path.isAbsolute(file) || path.normalize(file) !== file) return false;
  const folders = [folder, realOr(folder)];
  return folders.some((one) => file.startsWith(`${one}${path.sep}`));
}

function realOr(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return folder;
    throw error;
  }
}

function readOwnSummary(record: string, stamp: string): Summary | null {
  const summary = readSummaryFile(summaryFile(record));
  return summary?.timestamp === stamp ? summary : null;
}

/** Reads a summary; null when there is none, or it has not the form of one. */
export function readSummaryFile(file: string): Summary | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP')) return null;
    throw error;
  }
  const parsed = summarySchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

/** Runs that lie in a checkout's `.aider_logs` and that this user's records do not know, oldest first. */
export function foreignRuns(root: string, known: readonly KnownRun[]): string[] {
  const { logs } = logPaths(root, '');
  const ours = new Set(known.map((run) => run.stamp));
  const names = (folder: string): string[] => {
    try {
      return readdirSync(folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return [];
      throw error;
    }
  };
  const stamps = [
    // A dry run leaves an empty folder; that is nobody's run.
    ...names(path.join(logs, 'runs')).filter((stamp) => existsSync(logPaths(root, stamp).journal)),
    ...names(logs).flatMap((name) => /^summary_(\d{8}_\d{6})\.json$/.exec(name)?.[1] ?? []),
  ];
  return [...new Set(stamps)]
    .filter((stamp) => stampPattern.test(stamp) && !ours.has(stamp))
    .sort();
}

/** Whether a run's program died before its end, so that its books are still open. */
export function diedEarly(run: KnownRun): boolean {
  return run.liveness === 'dead' && run.closed === null;
}

/** Whether a run is of the checkout that somebody stands in. */
export function isHere(run: KnownRun, root: string): boolean {
  return run.root === root;
}

/**
 * Makes this process the one that closes a dead run's books; null when another one does.
 * @returns its record, to go on with
 */
export function adoptRun(run: KnownRun): RunRecord | null {
  const lock = run.file.replace(/\.jsonl$/, '.adopted.json');
  const holder = readHolder(lock);
  if (holder === 'alive') return null;
  try {
    // One that died while it did this counts no more.
    rmSync(lock, { force: true });
    const fd = openPrivate(lock, 'new');
    writeFileSync(fd, JSON.stringify(currentOwner()));
    closeSync(fd);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return null;
    throw error;
  }
  return new RunRecord(run.stamp, run.worktrees, run.file);
}

/** The record of a run that this program has adopted, after it was closed. */
export function reopenRecord(run: KnownRun): RunRecord {
  return new RunRecord(run.stamp, run.worktrees, run.file);
}

function readHolder(lock: string): Liveness | null {
  let text: string;
  try {
    text = readFileSync(lock, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  const parsed = ownerSchema.safeParse(parseJson(text));
  return parsed.success ? livenessOf(parsed.data, Date.now() - statSync(lock).mtimeMs) : null;
}

/** Records that a person says of a run that it is dead. Throws like `fs`. */
export function declareDead(run: KnownRun): void {
  const fd = openPrivate(run.file, 'append');
  try {
    appendLine(fd, { record: 'dead', by: 'clean --dead' });
  } finally {
    closeSync(fd);
  }
}

/** Records that a finished run has led its branch from one commit to another. Throws like `fs`. */
export function recordLanding(run: KnownRun, commit: string, from: string): void {
  const fd = openPrivate(run.file, 'append');
  try {
    appendLine(fd, { record: 'landed', commit, from });
  } finally {
    closeSync(fd);
  }
}

/** Writes our own copy of a summary anew, after its work was landed or taken back. Throws like `fs`. */
export function updateSummary(run: KnownRun, summary: Summary): void {
  const text = `${JSON.stringify(summary, null, 2)}\n`;
  writeWhole(summaryFile(run.file), text);
  writeWhole(logPaths(run.root, run.stamp).summary, text);
}

/** A run whose branches are gone is not gone on with any more. */
export function forgetJournal(run: KnownRun): void {
  rmSync(journalFile(run.file), { force: true });
}

/** Forgets a record of which nothing is left. */
export function forget(run: KnownRun): void {
  forgetJournal(run);
  rmSync(run.file, { force: true });
}

/** Gives a run's folder of worktrees back; one that still holds something stays. */
export function releaseWorktrees(folder: string): void {
  forgetGone(folder);
  try {
    rmdirSync(folder);
  } catch (error) {
    // Work that could not be committed is still there.
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}
