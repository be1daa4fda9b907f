import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A file that ships with the program, such as a script for another interpreter.
 * @param name its path in the sources; the package has the same below `dist`
 * @returns its absolute path; throws where there is none, which is a broken installation
 */
export function packageFile(name: string): string {
  const root = packageRoot();
  const places = [path.join(root, name), path.join(root, 'dist', name)];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`the installation lacks ${name}`);
  return found;
}

/** The version of this program. */
export function programVersion(): string {
  return JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')).version;
}

/** The folder with our package.json: above the sources as above the bundle. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  return folder;
}
