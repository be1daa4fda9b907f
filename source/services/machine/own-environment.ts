import path from 'node:path';

/** Lists of folders that programs are, or Python's modules are, looked up in. */
const folderLists = ['PATH', 'PYTHONPATH'];

/**
 * An environment in which nothing is looked up below the working folder, as that may be a stranger's: without
 * the relative entries of such lists (an empty one means the working folder).
 */
export function lookingElsewhere<T extends Readonly<Record<string, string | undefined>>>(
  env: T,
): T {
  const changed = folderLists.flatMap((name): [string, string][] => {
    const value = env[name];
    if (value === undefined) return [];
    const absolute = value.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
    return [[name, absolute.join(path.delimiter)]];
  });
  return { ...env, ...Object.fromEntries(changed) };
}
