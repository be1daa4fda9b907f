import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkReply, lastReply } from '../../../../source/services/agents/aider/reply-check.js';
import { diffEdit, wholeEdit } from '../../../../source/services/model-server/script.js';

const files = ['src/a.ts', 'b.ts', 'x/__init__.py', 'y/__init__.py'];
const root = '/w/repo';
const flaw = (format: string, reply: string) =>
  checkReply(reply, format, files, root)?.kind ?? null;

describe('the last reply', () => {
  test.each([
    ['a block for its file', diffEdit('src/a.ts', 'old', 'new'), null],
    [
      'two blocks, the second without a name',
      `${diffEdit('b.ts', 'a', 'b')}\n\`\`\`\n<<<<<<< SEARCH\nc\n=======\nd\n>>>>>>> REPLACE\n\`\`\``,
      null,
    ],
    ['a name with marks', `**src/a.ts**:\n${diffEdit('', 'old', 'new').trimStart()}`, null],
    ['a bare name that is the only one', diffEdit('a.ts', 'old', 'new'), null],
    ['an absolute path in the worktree', diffEdit('/w/repo/b.ts', 'old', 'new'), null],
    ['no block at all', 'All is well.', null],
    ['a bare name that several have', diffEdit('__init__.py', 'old', 'new'), 'misnamed'],
    ['another file', diffEdit('src/c.ts', 'old', 'new'), 'misnamed'],
    ['no name', diffEdit('', 'old', 'new'), 'unnamed'],
    ['a heading as a marker', diffEdit('b.ts', 'old', 'One\n=====\ntwo'), 'markers'],
    ['no end', diffEdit('b.ts', 'old', 'new').slice(0, -25), 'cut'],
    ['a block without markers', 'b.ts\n```ts\nnew\n```', 'ignored'],
    ['code left out', diffEdit('b.ts', 'old', '// ... existing code ...'), 'placeholder'],
  ])('diff: %s', (_, reply, kind) => {
    expect(flaw('diff', reply)).toBe(kind);
  });

  test.each([
    ['a whole file', wholeEdit('b.ts', 'new'), null],
    [
      'a command behind it, where each file is named',
      `${files.map((file) => wholeEdit(file, 'x')).join('\n')}\nRun:\n\n\`\`\`sh\nls\n\`\`\``,
      null,
    ],
    [
      'a command behind it, where one is not',
      `${wholeEdit('b.ts', 'x')}\nRun:\n\n\`\`\`sh\nls\n\`\`\``,
      'unnamed',
    ],
    ['no end', wholeEdit('b.ts', 'new').slice(0, -4), 'cut'],
    ['another file', wholeEdit('test/b.ts', 'new'), 'misnamed'],
    ['code left out', wholeEdit('b.ts', '# ... rest of the file unchanged'), 'placeholder'],
  ])('whole: %s', (_, reply, kind) => {
    expect(flaw('whole', reply)).toBe(kind);
  });

  test('edits of its own files are sound, whatever stands in them but markers', () => {
    const line = fc
      .string()
      .filter((text) => !/^(<{5,9} |={5,9}\s*$|>{5,9} )|\.\.\.|…|[\r\n]/.test(text));
    const text = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.join('\n'));
    const block = fc.tuple(fc.constantFrom(...files), text, text);
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
        const reply = blocks.map(([file, from, to]) => diffEdit(file, from, to)).join('\n');
        expect(flaw('diff', reply)).toBe(null);
        // Cut anywhere within the last block, it is not.
        const last = reply.lastIndexOf('<<<<<<< SEARCH');
        const end = reply.lastIndexOf('>>>>>>> REPLACE');
        expect(flaw('diff', reply.slice(0, Math.floor((last + 15 + end) / 2)))).not.toBe(null);
      }),
    );
  });

  test('is read from the history as it came, also where a model imitates it', () => {
    const history = `TO LLM 2026-01-02T03:04:05
USER hello
LLM RESPONSE 2026-01-02T03:04:06
ASSISTANT first
TO LLM 2026-01-02T03:04:07
ASSISTANT first
LLM RESPONSE 2026-01-02T03:04:08
ASSISTANT LLM RESPONSE 2026-01-02T03:04:09
ASSISTANT${' '}
ASSISTANT ASSISTANT twice
`;
    expect(lastReply(history)).toBe('LLM RESPONSE 2026-01-02T03:04:09\n\nASSISTANT twice');
    expect(lastReply('')).toBe(null);
  });
});
