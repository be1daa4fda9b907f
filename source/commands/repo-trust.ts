import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  askedIn,
  type DotenvFile,
  readDotenv,
  takeDotenv,
} from '../services/config/dotenv-files.js';
import {
  askedOf,
  confName,
  type HandedSettings,
  handedFrom,
  type RepoAiderFiles,
  readRepoAiderFiles,
  testCommandIn,
} from '../services/config/repo-aider-files.js';
import {
  isRefused,
  isTrusted,
  recordRefusal,
  recordTrust,
  type Trustable,
} from '../services/config/trust.js';
import type { Repository } from '../services/git/repository.js';
import { environment } from '../services/machine/environment.js';
import type { Arguments } from './arguments.js';
import { askYesNo, type Stdio } from './stdio.js';

/** What a repository says by files other than our own settings, as far as the person trusts it. */
export interface RepoSays {
  readonly handed: HandedSettings;
  /** Its tests; null when it names none that may be run. */
  readonly testCmd: string | null;
}

/** Of a file that needs trust so many lines are shown; the rest is counted. */
const mostLines = 40;

/** Whether somebody is there to be asked before anything else is shown. */
export function personIsThere({ flags }: Arguments, stdio: Stdio): boolean {
  return stdio.interactive && !flags.headless && !flags.json;
}

/**
 * Takes of the repository's files what may be taken, and asks once for each content that needs trust. What
 * is not trusted is named, and left out.
 * @param needsTests false where the tests are named elsewhere, or are not to be run
 */
export async function hearRepository(
  repo: Repository,
  args: Arguments,
  stdio: Stdio,
  needsTests: boolean,
): Promise<RepoSays> {
  const files = await readRepoAiderFiles(repo.root);
  const isTracked = (file: string) => repo.tracked.has(file);
  for (const problem of files.problems) stdio.error(`! ${problem}.\n`);
  for (const { file, lines } of askedOf(files, isTracked)) {
    const asked = needsTests ? lines : lines.filter((line) => !line.startsWith('test-cmd:'));
    if (asked.length > 0) await settle(file, asked, args, stdio, usesOf(file, asked));
  }
  sayUnused(repo, stdio);
  return saidBy(files, isTracked);
}

/** What is taken of the files, by the trust there is; nobody is asked. */
export function saidBy(files: RepoAiderFiles, isTracked: (file: string) => boolean): RepoSays {
  const { conf } = files;
  return {
    handed: handedFrom(files, isTrusted, isTracked),
    testCmd: conf !== null && isTrusted(conf) ? testCommandIn(conf.settings) : null,
  };
}

/** Takes the `.env` files into the environment; asks where they say more than keys. */
export async function hearDotenv(repo: Repository, args: Arguments, stdio: Stdio): Promise<void> {
  const files = readDotenv(process.cwd(), repo.root);
  for (const file of files) {
    const names = askedIn(file).filter((name) => environment()[name] === undefined);
    if (names.length === 0) continue;
    const lines = names.map((name) => `${name}=${shown(name, file)}`);
    await settle(file, lines, args, stdio, 'leads keys or chooses settings');
  }
  takeDotenv(files, isTrusted);
}

/** A value that is no secret by its name. */
function shown(name: string, { variables }: DotenvFile): string {
  return /KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH/i.test(name) ? '***' : (variables[name] ?? '');
}

function usesOf(file: Trustable, lines: readonly string[]): string {
  if (path.basename(file.path) !== confName) return 'chooses how models are reached';
  return lines.every((line) => line.startsWith('test-cmd:'))
    ? 'names a test command'
    : 'sets more than what can do no harm';
}

async function settle(
  file: Trustable,
  lines: readonly string[],
  args: Arguments,
  stdio: Stdio,
  what: string,
): Promise<void> {
  if (isTrusted(file)) return;
  if (!args.flags.trust) {
    if (!personIsThere(args, stdio)) {
      const first = lines.slice(0, 3).join('; ');
      const more = lines.length > 3 ? `; and ${lines.length - 3} more` : '';
      const then = what === 'names a test command' ? ', so the work is not tested' : '';
      stdio.error(
        `! ${file.path} ${what} (${first}${more}) and is not trusted${then === '' ? ', so that is not used' : then}. Look at it, then use --trust once${then === '' ? '' : '; --no-test goes without'}.\n`,
      );
      return;
    }
    if (isRefused(file)) {
      stdio.error(`! ${file.path} ${what}, and you said no to that. To use it: --trust\n`);
      return;
    }
    stdio.error(`${file.path} ${what}:\n`);
    for (const line of lines.slice(0, mostLines)) stdio.error(`  ${line}\n`);
    if (lines.length > mostLines) {
      stdio.error(`  … and ${lines.length - mostLines} more lines\n`);
    }
    const question =
      what === 'names a test command' ? 'Check the work by it?' : 'Use it, and trust this content?';
    if (!(await askYesNo(question, false))) {
      recordRefusal(file);
      return;
    }
  }
  recordTrust(file);
}

/** What an Aider that is started by hand in the subfolder would read, and agents do not. */
function sayUnused({ root, prefix }: Repository, stdio: Stdio): void {
  if (prefix === '') return;
  const file = path.join(root, prefix, confName);
  if (!existsSync(file)) return;
  stdio.error(
    `! ${file} is not used: agents work in the root of the repository, and only ${path.join(root, confName)} counts.\n`,
  );
}

/**
 * An Aider that is not the script that pip writes cannot be kept from the repository's files: then they have
 * to be trusted, or not be there.
 * @returns those that are there and are not trusted
 */
export async function untrustedForAider(repo: Repository): Promise<string[]> {
  const files = await readRepoAiderFiles(repo.root);
  const isTracked = (file: string) => repo.tracked.has(file);
  const asked = askedOf(files, isTracked)
    .filter(({ file }) => isTracked(path.relative(repo.root, file.path)) && !isTrusted(file))
    .map(({ file }) => file.path);
  const envs = readDotenv(repo.root, null).filter(
    (file) => isTracked('.env') && Object.keys(file.variables).length > 0 && !isTrusted(file),
  );
  return [...asked, ...envs.map((file) => file.path)];
}
