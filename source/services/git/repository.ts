// Longer than 300 lines: what is asked of a repository before a run.
import { readFileSync } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import type { Task } from '../../core/plan/plan.js';
import type { Failure } from '../../core/policy/failure.js';
import { isGitName, normalisePath, type PathFacts, refusePath } from '../../core/policy/paths.js';
import { err, ok, type Result } from '../../core/result.js';
import { shellWord } from '../../core/text/shell-word.js';
import { unless, unlessLater, unreadable } from '../files/private-files.js';
import { git, gitText, splitNul } from './run-git.js';

export interface Repository {
  /** Absolute path of the checkout (of a linked worktree, when that is where we are). */
  readonly root: string;
  /** The folder shared by all worktrees, absolute. */
  readonly commonDir: string;
  /** The working folder relative to the root; '' at the root. */
  readonly prefix: string;
  readonly head: string;
  /** The first line of its message. */
  readonly title: string;
  /** Null when HEAD is detached. */
  readonly branch: string | null;
  readonly tracked: ReadonlyMap<string, TrackedFile>;
  readonly submodules: readonly string[];
}

export interface TrackedFile {
  readonly mode: string;
  readonly object: string;
  /** Bytes; null where the clone has left it at its remote, or it is no file. */
  readonly size: number | null;
}

/** Opens the repository around `cwd`, or says why it cannot be worked on. */
export async function openRepository(cwd: string): Promise<Result<Repository, Failure>> {
  const folder = await unlessLater(unreadable, null, stat(cwd));
  if (!folder?.isDirectory()) {
    const message = folder ? `${cwd} is not a folder.` : `The folder ${cwd} does not exist.`;
    return err({
      kind: 'usage',
      message,
      hint: 'Name the folder of a git repository with --repo DIR.',
    });
  }
  const place = ['rev-parse', '--show-toplevel', '--git-common-dir', '--show-prefix'];
  // In one go, as each start of git is felt before the first frame.
  const where = await gitText(cwd, [...place, 'HEAD^{commit}', '--symbolic-full-name', 'HEAD']);
  if (!where.ok) {
    const alone = await gitText(cwd, place);
    if (!alone.ok) return err(noRepository(cwd, alone.failure));
    const named = await gitText(cwd, ['rev-parse', '--verify', '--quiet', 'HEAD'], {
      answers: [1],
    });
    return err(noHead(alone.value, where.failure, named.ok ? named.value : ''));
  }
  const [top = '', common = '', prefix = '', head = '', ref = ''] = where.value.split('\n');
  const root = await realpath(top);
  // Of a partial clone a size is told by fetching the file, one after the other.
  const sizes = isPartial(path.resolve(cwd, common)) ? [] : ['--long'];
  const [listed, title] = await Promise.all([
    git(root, ['ls-tree', '-r', '-z', ...sizes, '--full-tree', head]),
    gitText(root, ['log', '-1', '--no-show-signature', '--format=%s', head, '--']),
  ]);
  if (!listed.ok) return listed;
  const tracked = new Map<string, TrackedFile>();
  const submodules: string[] = [];
  for (const line of splitNul(listed.value.stdout)) {
    const tab = line.indexOf('\t');
    const [mode = '', type = '', object = '', size = ''] = line.slice(0, tab).split(/ +/);
    if (type === 'commit') submodules.push(line.slice(tab + 1));
    else
      tracked.set(line.slice(tab + 1), {
        mode,
        object,
        size: /^\d+$/.test(size) ? Number(size) : null,
      });
  }
  return ok({
    root,
    commonDir: path.resolve(cwd, common),
    prefix: prefix.replace(/\/$/, ''),
    head,
    title: title.ok ? title.value : '',
    branch: ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null,
    tracked,
    submodules,
  });
}

/** Whether a clone has left files at its remote (`--filter`), by its configuration. */
export function isPartial(commonDir: string): boolean {
  const file = path.join(commonDir, 'config');
  const config = unless(unreadable, '', () => readFileSync(file, 'utf8'));
  return /^\s*(promisor|partialclone)\s*=/im.test(config);
}

/**
 * @param place what git answers for a repository: its top folder comes first
 * @param named the object that HEAD names, which is no commit; '' when it names none
 */
function noHead(place: string, failure: Failure, named: string): Failure {
  const root = place.split('\n')[0];
  if (named !== '') {
    return {
      kind: 'usage',
      message: `The repository ${root} is damaged: HEAD names ${named.slice(0, 12)}, which is not in it.`,
      hint: 'Look at it: git fsck; and at what HEAD was: git reflog',
    };
  }
  // Whatever else is wrong with HEAD, git tells.
  if (failure.kind !== 'git' || !/unknown revision|single revision/.test(failure.detail)) {
    return failure;
  }
  return {
    kind: 'usage',
    message: `The repository ${root} has no commits, so there is nothing to start from.`,
    hint: 'Make a first commit: git add -A && git commit -m "Start"',
  };
}

function noRepository(cwd: string, failure: Failure): Failure {
  if (failure.kind !== 'git') return failure;
  const { detail } = failure;
  if (/\bENOENT\b/.test(detail)) {
    return {
      kind: 'usage',
      message: 'There is no git in the PATH.',
      hint: 'Install git (https://git-scm.com/downloads), or add its folder to PATH.',
    };
  }
  if (/dubious ownership/.test(detail)) {
    // The folder that it means, which may lie above.
    const meant = /in repository at '([^'\n]+)'/.exec(detail)?.[1] ?? cwd;
    return {
      kind: 'usage',
      message: `git does not trust ${meant}: it belongs to somebody else.`,
      hint: `If you trust it: git config --global --add safe.directory ${shellWord(meant)}`,
    };
  }
  if (/must be run in a work tree/.test(detail)) {
    return {
      kind: 'usage',
      message: `${cwd} is inside a git folder or a bare repository, not in a checkout.`,
    };
  }
  if (/unknown repository extension|repo version/.test(detail)) {
    return {
      kind: 'usage',
      message: `This git is too old for the repository: ${detail.replace(/^fatal: /, '').replace(/\s+/g, ' ')}`,
      hint: 'Use the git that it was made with: git --version',
    };
  }
  if (!/not a git repository/.test(detail)) return failure;
  return {
    kind: 'usage',
    message: `${cwd} is not in a git repository.`,
    hint: 'Go into one, name one with --repo DIR, or make one: git init && git add -A && git commit -m "Start"',
  };
}

/** Tracked files that have changes, staged or not. */
export async function changedTrackedFiles(root: string): Promise<Result<string[], Failure>> {
  const status = await git(root, [
    'status',
    '--porcelain',
    '-z',
    '--untracked-files=no',
    '--ignore-submodules=none',
    '--no-renames',
  ]);
  if (!status.ok) return status;
  const entries = splitNul(status.value.stdout).map((line) => [line.slice(0, 2), line.slice(3)]);
  const rewritten = await onlyByRules(
    root,
    entries.flatMap(([state, name = '']) => (state === ' M' ? [name] : [])),
  );
  if (!rewritten.ok) return rewritten;
  return ok(entries.flatMap(([, name = '']) => (rewritten.value.has(name) ? [] : [name])));
}

/**
 * Of files that git calls modified, those that are byte for byte what was committed: by its rules (line ends,
 * filters) git would commit them otherwise, though nobody has touched them.
 */
export async function onlyByRules(
  root: string,
  files: readonly string[],
): Promise<Result<ReadonlySet<string>, Failure>> {
  const asked = files.filter((file) => !/[\n\r"]/.test(file));
  if (asked.length === 0) return ok(new Set());
  const input = asked.map((file) => `${file}\n`).join('');
  const literal = asked.map((file) => `:(top,literal)${file}`);
  const [hashed, listed] = await Promise.all([
    gitText(root, ['hash-object', '--no-filters', '--stdin-paths'], { input }),
    git(root, ['ls-files', '-s', '-z', '--', ...literal]),
  ]);
  if (!hashed.ok) return hashed;
  if (!listed.ok) return listed;
  const objects = hashed.value.split('\n');
  const now = new Map(asked.map((file, at) => [file, objects[at] ?? '']));
  const same = splitNul(listed.value.stdout).flatMap((line) => {
    const tab = line.indexOf('\t');
    const [, object = ''] = line.slice(0, tab).split(' ');
    const name = line.slice(tab + 1);
    return now.get(name) === object ? [name] : [];
  });
  return ok(new Set(same));
}

/** Which of these paths git ignores; a tracked one never is. */
export async function ignoredOf(
  root: string,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  const asked = paths.filter(
    (file) => file !== '' && normalisePath(file) !== null && !/[\n\r]/.test(file),
  );
  if (asked.length === 0) return new Set();
  const answer = await git(root, ['check-ignore', '-z', '--stdin'], {
    input: asked.map((file) => `${file}\0`).join(''),
    answers: [1, 128],
  });
  return new Set(answer.ok ? splitNul(answer.value.stdout) : []);
}

/** Of these paths those that are there, folders left aside. */
async function existing(root: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const file of paths) {
    const stats = await unlessLater(unreadable, null, lstat(path.join(root, file)));
    if (stats && !stats.isDirectory()) found.add(file);
  }
  return found;
}

async function pathFacts(repo: Repository, paths: readonly string[]): Promise<PathFacts> {
  // Git dies on a path beyond a submodule's edge, so those are not asked about.
  const outside = paths.filter(
    (file) => !repo.submodules.some((sub) => file.startsWith(`${sub}/`)),
  );
  const folders = new Set<string>();
  const byLowerCase = new Map<string, string>();
  for (const name of repo.tracked.keys()) {
    byLowerCase.set(name.toLowerCase(), name);
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return {
    tracked: new Set(repo.tracked.keys()),
    folders,
    byLowerCase,
    links: new Set(
      [...repo.tracked].flatMap(([name, { mode }]) => (mode === '120000' ? [name] : [])),
    ),
    untracked: await existing(
      repo.root,
      outside.filter((file) => !repo.tracked.has(file)),
    ),
    submodules: repo.submodules,
    ignored: await ignoredOf(repo.root, outside),
  };
}

/**
 * Checks the paths of tasks against the repository and brings them to git's form.
 * @param lenient drops files to be read that do not exist or cannot be, instead of naming them
 * @returns the tasks, or one sentence for each file that cannot be used
 */
export async function resolveTasks(
  repo: Repository,
  tasks: readonly Task[],
  lenient = false,
): Promise<{ tasks: Task[]; problems: string[] }> {
  const all = tasks.flatMap((task) => [...task.files, ...task.read]);
  const facts = await pathFacts(
    repo,
    all.map((file) => normalisePath(file) ?? file),
  );
  const problems = new Set<string>();
  const check = (task: Task, file: string): string => {
    const refusal = refusePath(file, facts);
    if (refusal) problems.add(`${task.id}: ${refusal}`);
    return normalisePath(file) ?? file;
  };
  const resolved = tasks.map((task) => ({
    ...task,
    files: [...new Set(task.files.map((file) => check(task, file)))],
    read: [...new Set(task.read.map((file) => normalisePath(file) ?? file))].filter((file) => {
      if (task.files.includes(file)) return false;
      // A link may lead to whatever its author wants an agent to be shown.
      const link = facts.links.has(file) || file.split('/').some(isGitName);
      if (link && !lenient) problems.add(`${task.id}: ${refusePath(file, facts)}`);
      if (link) return false;
      if (repo.tracked.has(file) || tasks.some((other) => other.files.includes(file))) return true;
      if (!lenient)
        problems.add(
          `${task.id}: ${refusePath(file, facts) ?? `${file} is to be read, but does not exist`}`,
        );
      return false;
    }),
  }));
  return { tasks: resolved, problems: [...problems] };
}

/**
 * Turns the values of `--files` (files, folders, globs; relative to the working folder) into files.
 * A name without a match is a new file; a glob or folder without one is a mistake.
 */
export async function resolveFocus(
  repo: Repository,
  given: readonly string[],
): Promise<Result<string[], Failure>> {
  const found: string[] = [];
  const problems: string[] = [];
  // A link may lead anywhere, however it is named.
  const files = [...repo.tracked].flatMap(([name, { mode }]) => (mode === '120000' ? [] : [name]));
  for (const value of given) {
    const relative = path.isAbsolute(value)
      ? path.relative(repo.root, await unlessLater(unreadable, value, realpath(value)))
      : value;
    const normal = normalisePath(relative, path.isAbsolute(value) ? '' : repo.prefix);
    if (normal === null) {
      problems.push(`${value} is outside the repository`);
      continue;
    }
    if (repo.tracked.has(normal) && repo.tracked.get(normal)?.mode !== '120000') {
      found.push(normal);
      continue;
    }
    const inside = files.filter((file) => normal === '' || file.startsWith(`${normal}/`));
    if (inside.length > 0) {
      found.push(...inside);
      continue;
    }
    if (picomatch.scan(normal).isGlob) {
      const matches = picomatch(normal, { dot: true });
      const hits = files.filter((file) => matches(file));
      if (hits.length === 0) problems.push(`${value} matches no tracked file`);
      found.push(...hits);
      continue;
    }
    const refusal = refusePath(normal, await pathFacts(repo, [normal]));
    if (refusal) problems.push(refusal);
    else found.push(normal);
  }
  if (problems.length > 0) {
    return err({ kind: 'usage', message: `--files: ${problems.join('; ')}.` });
  }
  return ok([...new Set(found)]);
}

/** Who commits, as git tells it by whatever means. */
export interface Identity {
  readonly name: string;
  readonly email: string;
}

/**
 * Who commits, where that does not stand in a configuration (but in `GIT_AUTHOR_*`, as in containers): Aider
 * looks there alone, and would write a made-up one. Null where it stands there, or git knows none.
 */
export async function unwrittenIdentity(root: string): Promise<Identity | null> {
  const written = await Promise.all(
    ['user.name', 'user.email'].map((key) =>
      gitText(root, ['config', '--get', key], { answers: [1] }),
    ),
  );
  if (written.every((one) => one.ok && one.value !== '')) return null;
  const ident = await gitText(root, ['var', 'GIT_AUTHOR_IDENT']);
  const [, name, email] = (ident.ok && /^(.*) <(.*)> \d+ [+-]\d+$/.exec(ident.value)) || [];
  return name && email ? { name, email } : null;
}

/** Whether the person's own commits are signed. */
export async function signsCommits(root: string): Promise<boolean> {
  const all = ['config', '--bool', '--get-all', 'commit.gpgSign'];
  const setting = await gitText(root, all, { answers: [1] });
  // The last one is what we give ourselves.
  return setting.ok && setting.value.split('\n').at(-2) === 'true';
}

/** True when git knows a name and an address to commit with. */
export async function hasIdentity(root: string): Promise<boolean> {
  const answer = await git(root, ['var', 'GIT_COMMITTER_IDENT']);
  const author = await git(root, ['var', 'GIT_AUTHOR_IDENT']);
  return answer.ok && author.ok;
}
