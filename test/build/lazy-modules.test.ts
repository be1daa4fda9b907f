import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkLazyModules, lazyImports } from '../../source/build/lazy-modules.js';
import { root } from '../rig.js';

test('the build finds what a lazily loaded module does not give', () => {
  const input = 'source/services/config/repo-aider-files.ts';
  expect(lazyImports(path.join(root, input))).toMatchObject([
    { specifier: './yaml.js', names: ['parseYaml', 'YamlError'] },
  ]);
  const yaml = 'source/services/config/yaml.ts';
  const meta = (exports: string[]) => ({
    inputs: {
      [input]: {
        bytes: 1,
        imports: [{ path: yaml, kind: 'dynamic-import' as const, original: './yaml.js' }],
      },
    },
    outputs: { 'dist/yaml.js': { bytes: 1, inputs: {}, imports: [], exports, entryPoint: yaml } },
  });
  expect(checkLazyModules(meta(['parseYaml', 'YamlError']), root)).toBe(2);
  expect(() => checkLazyModules(meta(['default']), root)).toThrow(/takes parseYaml/);
  expect(existsSync(path.join(root, 'dist/cli.js.map'))).toBe(true);
});
