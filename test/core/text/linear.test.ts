import { readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { inputs, readers } from '../../linear-readers.js';
import { root } from '../../rig.js';

describe('text of a model, a provider or a program', () => {
  // A pattern that is quadratic takes minutes for one of these; all of them together take seconds.
  for (const [name, read] of Object.entries(readers)) {
    test(`${name} takes time in proportion to its length`, { timeout: 60_000 }, () => {
      for (const input of inputs()) read(input);
    });
  }

  test('the list has every function that is given such a text', () => {
    const missing = files()
      .flatMap((file) => textReaders(file))
      .filter((name) => !isListed(name));
    expect(missing).toEqual([]);
  });
});

/** Functions whose text is a name, a person's own or a repository's, and short by what it is. */
const short = new Set([
  'dollarsIn',
  'outsideGlob',
  'agentBranch',
  'runBranches',
  'roundBranch',
  'refOf',
  'integrationBranch',
  'agentLogName',
  'normalisePath',
  'refusePath',
  'escapeIgnorePattern',
  'isGitName',
  'shellWord',
  'askForReport',
  'namesOf',
  'isNamed',
  'leadsOut',
  'runsCode',
  'isManifest',
  'providerOf',
  'keyVariable',
  'providerBase',
  'reasonWords',
  'faultWords',
  'chunkFiles',
  'firstLine',
  'journalHead',
  'makeDigest',
  'planPrompt',
  'questionFor',
  'around',
  'isCommon',
  'isHopeless',
  'writeMap',
]);

const isListed = (name: string) => name in readers || short.has(name);

function files(): string[] {
  const core = path.join(root, 'source/core');
  const own = readdirSync(core, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(core, name));
  const others = [
    'services/provider/retry-hint.ts',
    'services/gemini/answer.ts',
    'services/gemini/failures.ts',
    'services/agents/aider/analytics-log.ts',
    'services/agents/aider/chat-history.ts',
    'services/agents/aider/edit-fence.ts',
    'services/agents/aider/repo-map.ts',
    'services/agents/aider/reply-check.ts',
    'services/agents/aider/screen-facts.ts',
    'app/text/markdown.ts',
    'app/text/diff-lines.ts',
  ].map((name) => path.join(root, 'source', name));
  return [...own, ...others];
}

/** Exported functions whose first parameter is a text, or several. */
function textReaders(file: string): string[] {
  const program = ts.createSourceFile(
    file,
    ts.sys.readFile(file) ?? '',
    ts.ScriptTarget.Latest,
    true,
  );
  return program.statements.flatMap((node) => {
    if (!ts.isFunctionDeclaration(node) || !node.name) return [];
    const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    const type = node.parameters[0]?.type?.getText() ?? '';
    return isExported && /^(readonly )?string(\[\])?$/.test(type) ? [node.name.text] : [];
  });
}
