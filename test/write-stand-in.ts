import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Writes a package named `aider` into a folder, and its script as pip writes it, so that what stands in for
 * Aider is found, loaded and forked as Aider is.
 * @param python the interpreter of the script
 * @param main Python that defines `main()`
 * @returns the script
 */
export function writeStandIn(folder: string, python: string, main: string): string {
  mkdirSync(path.join(folder, 'aider'));
  writeFileSync(path.join(folder, 'aider/__init__.py'), '');
  const slowImports = 'def load_slow_imports(swallow=True): pass';
  writeFileSync(path.join(folder, 'aider/main.py'), `${main}\n${slowImports}\n`);
  const script = path.join(folder, 'aider-script');
  writeFileSync(
    script,
    `#!${python}\nimport sys\nfrom aider.main import main\nif __name__ == '__main__':\n    sys.exit(main())\n`,
  );
  chmodSync(script, 0o755);
  return script;
}
