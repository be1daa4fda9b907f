import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { git } from '../services/git/run-git.js';

/** The demo's repository: a small library whose tests ask for more than it can do. */
export const sampleFiles: Readonly<Record<string, string>> = {
  'package.json': `{
  "name": "tiny-text",
  "version": "1.0.0",
  "description": "Small helpers for texts",
  "type": "module",
  "exports": "./src/index.js",
  "scripts": { "test": "node --test" }
}
`,
  'README.md': `# tiny-text

Small helpers for texts.

- \`slugify(text)\`: a text as part of a URL
- \`truncate(text, length)\`: a text cut to a length

Tests: \`npm test\`
`,
  'src/index.js': `export { slugify } from './slugify.js';
export { truncate } from './truncate.js';
`,
  'src/slugify.js': `/** A text as part of a URL. */
export function slugify(text) {
  return text.toLowerCase().replaceAll(' ', '-');
}
`,
  'src/truncate.js': `/** A text cut to a length. */
export function truncate(text, length) {
  return text.slice(0, length);
}
`,
  'test/slugify.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slugify } from '../src/slugify.js';

test('lower case, words joined by hyphens', () => {
  assert.equal(slugify('Hello World'), 'hello-world');
});

test('accents are taken off', () => {
  assert.equal(slugify('Crème Brûlée'), 'creme-brulee');
});

test('punctuation goes, hyphens stay single', () => {
  assert.equal(slugify(' What? -- Really! '), 'what-really');
});
`,
  'test/truncate.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { truncate } from '../src/truncate.js';

test('a short text stays', () => {
  assert.equal(truncate('short', 10), 'short');
});

test('a long text is cut after a word and says so', () => {
  assert.equal(truncate('the quick brown fox', 12), 'the quick…');
});
`,
  'test/word-count.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';

test('words are counted, and the library exports it', async () => {
  const { wordCount } = await import('../src/index.js');
  assert.equal(wordCount('  one two\\nthree '), 3);
  assert.equal(wordCount(''), 0);
});
`,
};

/** Makes the sample repository with one commit. Throws when git fails: the folder is ours. */
export async function makeSampleRepo(folder: string): Promise<void> {
  for (const [name, text] of Object.entries(sampleFiles)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const identity = ['-c', 'user.name=Demo', '-c', 'user.email=demo@example.com'];
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['config', 'user.name', 'Demo'],
    ['config', 'user.email', 'demo@example.com'],
    ['add', '--all'],
    [...identity, 'commit', '--quiet', '--message', 'Start tiny-text'],
  ]) {
    const done = await git(folder, args);
    if (!done.ok) throw new Error(`git ${args.join(' ')}: ${JSON.stringify(done.failure)}`);
  }
}
