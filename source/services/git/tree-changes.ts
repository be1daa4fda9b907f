import type { Failure } from '../../core/policy/failure.js';
import type { TreeChange } from '../../core/policy/fence.js';
import { ok, type Result } from '../../core/result.js';
import { git, gitText, splitNul, withoutIndex } from './run-git.js';

const linkMode = '120000';
const submoduleMode = '160000';
const nothing = /^0+$/;

/** Every path that differs between two trees or commits, with modes, sizes and targets of links. */
export async function treeChanges(
  cwd: string,
  from: string,
  to: string,
): Promise<Result<TreeChange[], Failure>> {
  const how = ['-r', '-z', '--raw', '--no-abbrev', '--no-renames', '--ignore-submodules=none'];
  const raw = await git(cwd, ['diff-tree', ...how, from, to, '--'], { env: withoutIndex });
  if (!raw.ok) return raw;
  const parts = splitNul(raw.value.stdout);
  const found: { path: string; oldMode: string; newMode: string; object: string }[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    // ":100644 100755 <old object> <new object> M"
    const [oldMode = '', newMode = '', , object = ''] = (parts[at] ?? '').slice(1).split(' ');
    found.push({ path: parts[at + 1] ?? '', oldMode, newMode, object });
  }
  const blobs = found.filter(
    ({ object, newMode }) => !nothing.test(object) && newMode !== submoduleMode,
  );
  const sizes = await blobSizes(
    cwd,
    blobs.map(({ object }) => object),
  );
  if (!sizes.ok) return sizes;
  const changes: TreeChange[] = [];
  for (const { path, oldMode, newMode, object } of found) {
    let target: string | null = null;
    if (newMode === linkMode) {
      const text = await gitText(cwd, ['cat-file', 'blob', object]);
      if (!text.ok) return text;
      target = text.value;
    }
    changes.push({ path, oldMode, newMode, size: sizes.value.get(object) ?? 0, target });
  }
  return ok(changes);
}

async function blobSizes(
  cwd: string,
  objects: readonly string[],
): Promise<Result<ReadonlyMap<string, number>, Failure>> {
  if (objects.length === 0) return ok(new Map());
  const answer = await git(cwd, ['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    input: `${objects.join('\n')}\n`,
  });
  if (!answer.ok) return answer;
  const lines = answer.value.stdout.split('\n').filter(Boolean);
  return ok(
    new Map(
      lines.map((line) => {
        const [name = '', size = '0'] = line.split(' ');
        return [name, Number(size) || 0] as const;
      }),
    ),
  );
}

/** Whether two trees differ in more than white space; a new file of blanks alone does not count. */
export async function isSubstantial(
  cwd: string,
  from: string,
  to: string,
): Promise<Result<boolean, Failure>> {
  const plain = ['--no-ext-diff', '--no-textconv', '--no-renames', '--ignore-submodules=none'];
  const base = [...plain, from, to, '--'];
  const numbers = await git(cwd, [
    'diff',
    '-z',
    '-w',
    '--ignore-blank-lines',
    '--numstat',
    ...base,
  ]);
  if (!numbers.ok) return numbers;
  const more = splitNul(numbers.value.stdout).some((line) => !line.startsWith('0\t0\t'));
  if (more) return ok(true);
  // Files that are gone, or changed their kind.
  const kinds = await git(cwd, ['diff', '-z', '--name-only', '--diff-filter=DT', ...base]);
  return kinds.ok ? ok(kinds.value.stdout !== '') : kinds;
}
