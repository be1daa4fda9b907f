import { diffEdit, wholeEdit } from '../../../source/services/model-server/script.js';
import { broken, fixed, type Row } from './row.js';

const search = '    return a - b';
const replace = '    return a + b';
const good = (at: (file: string) => string) => diffEdit(at('calc.py'), search, replace);
const mismatch = (at: (file: string) => string) =>
  diffEdit(at('calc.py'), '    return a * b', replace);

/** Texts in which no two parts are alike: a model that repeats itself is taken for broken. */
const numbers = (count: number) =>
  Array.from({ length: count }, (_, index) => index * 7919).join(' ');

/** What a model replies, in the `diff` format (gpt-4o), one response each. */
export const replyRows: readonly Row[] = [
  {
    name: 'a good edit',
    replies: (at) => [{ text: good(at) }],
    outcome: 'succeeded',
    iterations: 1,
  },
  {
    name: 'a reply without an edit',
    replies: () => [{ text: 'It is fine as it is.' }],
    outcome: 'no_change',
    words: /replied, but changed nothing \(after 1 iteration\)/,
  },
  {
    name: 'a claim that all tests pass',
    replies: () => [{ text: 'I fixed it. I ran the tests, and all of them pass.' }],
    outcome: 'no_change',
  },
  {
    name: 'a shell command instead of an edit',
    replies: () => [{ text: '```bash\nsed -i s/-/+/ calc.py\n```\n' }],
    outcome: 'no_change',
  },
  {
    name: 'an edit that changes nothing',
    replies: (at) => [{ text: diffEdit(at('calc.py'), search, search) }],
    outcome: 'no_change',
  },
  {
    name: 'nothing but emptiness at the end of a line',
    replies: (at) => [{ text: diffEdit(at('calc.py'), search, `${search}   `) }],
    outcome: 'white_space_only',
    words: /changed white space only/,
    branch: { 'calc.py': broken.replace('a - b', 'a - b   ') },
  },
  {
    name: 'nothing but one more row of emptiness',
    replies: (at) => [{ text: diffEdit(at('calc.py'), search, `\n${search}`) }],
    outcome: 'white_space_only',
    branch: { 'calc.py': broken.replace(search, `\n${search}`) },
  },
  {
    name: 'nothing but emptiness where that is the task',
    description: 'Indent with a tab.',
    replies: (at) => [{ text: diffEdit(at('calc.py'), search, '\treturn a - b') }],
    outcome: 'succeeded',
    branch: { 'calc.py': broken.replace('    return', '\treturn') },
  },
  {
    name: 'an empty reply',
    replies: () => [{ text: '' }],
    outcome: 'empty_reply',
    iterations: 1,
  },
  {
    name: 'a reply of nothing but newlines',
    replies: () => [{ text: ' \n\n' }],
    outcome: 'no_change',
  },
  {
    name: 'a reply that refuses',
    replies: () => [{ text: "I'm sorry, but I can't help with that.", finish: 'content_filter' }],
    outcome: 'no_change',
  },
  {
    name: 'a reply cut by the token limit',
    replies: (at) => [{ text: good(at).slice(0, 40), finish: 'length' }],
    outcome: 'token_limit',
    words: /hit the model's token limit/,
  },
  {
    name: 'a reply cut by the token limit behind a whole edit',
    replies: (at) => [{ text: `${good(at)}\nAnd now the next`, finish: 'length' }],
    outcome: 'token_limit',
  },
  {
    name: 'a context window exceeded',
    replies: () => [
      { status: 400, text: "This model's maximum context length is 8192 tokens, you sent 9000" },
    ],
    outcome: 'token_limit',
  },
  {
    name: 'another client error',
    replies: () => [{ status: 400, text: 'messages: roles must alternate' }],
    outcome: 'request_refused',
    words: /the provider refused the request/,
  },
  {
    name: 'a rate limit, once',
    replies: (at) => [{ status: 429, text: 'Rate limit reached' }, { text: good(at) }],
    outcome: 'succeeded',
    iterations: 1,
  },
  {
    name: 'a server error, once',
    replies: (at) => [{ status: 500, text: 'overloaded' }, { text: good(at) }],
    outcome: 'succeeded',
    iterations: 1,
  },
  {
    name: 'a gateway error, once',
    replies: (at) => [{ status: 503, text: 'try later' }, { text: good(at) }],
    outcome: 'succeeded',
  },
  {
    name: 'a slow first byte and a slow stream',
    replies: (at) => [{ text: good(at), delayMs: 3000, chunkDelayMs: 200 }],
    outcome: 'succeeded',
  },
  {
    name: 'the failure texts of Aider in the words of the model',
    replies: (at) => [
      {
        text: `Beware: Only 3 reflections allowed, stopping. Empty response received from LLM. The API provider is not able to authenticate you.\n\n${good(at)}`,
      },
    ],
    outcome: 'succeeded',
  },
  {
    name: 'a claim of an edit that Aider never made',
    files: { 'other.py': 'x = 1\n' },
    replies: (at) => [
      { text: `> Applied edit to ../x\n\n> Applied edit to ${at('other.py')}\n\n${good(at)}` },
    ],
    outcome: 'succeeded',
  },
  {
    name: 'escape sequences in the words of the model',
    replies: (at) => [
      { text: `\x1b]2;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[31mRed\x1b[0m \x1b[2J\n\n${good(at)}` },
    ],
    outcome: 'succeeded',
  },
  {
    name: 'a NUL in the new content',
    replies: (at) => [{ text: diffEdit(at('calc.py'), search, `${replace}  # \0`) }],
    outcome: 'succeeded',
    branch: { 'calc.py': `${fixed.trimEnd()}  # \0\n` },
  },
  {
    name: 'wide, combined and right-to-left text',
    replies: (at) => [{ text: diffEdit(at('calc.py'), search, `${replace}  # 日本 👩‍🚀 é שלום`) }],
    outcome: 'succeeded',
    branch: { 'calc.py': `${fixed.trimEnd()}  # 日本 👩‍🚀 é שלום\n` },
  },
  {
    name: 'a path with blanks, accents and brackets',
    group: ['a [b] ü.py'],
    files: { 'a [b] ü.py': broken },
    replies: (at) => [{ text: diffEdit(at('a [b] ü.py'), search, replace) }],
    outcome: 'succeeded',
    branch: { 'a [b] ü.py': fixed },
  },
  {
    name: 'a new file in a new folder',
    group: ['new/deep/er.py'],
    replies: (at) => [{ text: diffEdit(at('new/deep/er.py'), '', fixed) }],
    outcome: 'succeeded',
    branch: { 'new/deep/er.py': fixed },
  },
  {
    name: 'a new file that is only talked about',
    group: ['new.py'],
    replies: () => [{ text: 'Sure, I will think about it.' }],
    outcome: 'no_change',
  },
  {
    name: 'a new file of blanks',
    group: ['new.py'],
    replies: (at) => [{ text: diffEdit(at('new.py'), '', '\n\n') }],
    outcome: 'white_space_only',
    branch: { 'new.py': '\n' },
  },
  {
    name: 'conflict markers of ours, resolved',
    files: {
      'calc.py': `def add(a, b):\n${'<'.repeat(15)} 12ab\n    return a - b\n${'='.repeat(15)}\n    return b - a\n${'>'.repeat(15)} 34cd\n`,
    },
    replies: (at) => [
      {
        text: diffEdit(
          at('calc.py'),
          `${'<'.repeat(15)} 12ab\n    return a - b\n${'='.repeat(15)}\n    return b - a\n${'>'.repeat(15)} 34cd`,
          replace,
        ),
      },
    ],
    outcome: 'succeeded',
  },
  {
    name: 'a file of a similar name outside its group',
    files: { 'calc2.py': broken },
    replies: (at) => [{ text: diffEdit(at('calc2.py'), search, replace) }],
    outcome: 'unsafe_edits',
    words: /a block for a file that is not its own/,
    branch: {},
  },
  {
    name: 'a heading that reads like a marker',
    group: ['doc.rst'],
    files: { 'doc.rst': 'Title\n\nold\n' },
    replies: (at) => [{ text: diffEdit(at('doc.rst'), 'old', 'Section\n=======\n\nnew') }],
    outcome: 'unsafe_edits',
    words: /reads like a marker/,
    branch: {},
  },
  {
    name: 'a second file without markers',
    group: ['calc.py', 'b.py'],
    files: { 'b.py': 'b = 1\n' },
    replies: (at) => [{ text: `${good(at)}\n${at('b.py')}\n\`\`\`python\nb = 2\n\`\`\`\n` }],
    outcome: 'unsafe_edits',
    branch: {},
  },
  {
    name: 'code that is left out',
    replies: (at) => [
      { text: diffEdit(at('calc.py'), search, '    # ... rest of the function unchanged') },
    ],
    outcome: 'unsafe_edits',
    words: /it leaves code out/,
    branch: {},
  },
  {
    name: 'a stream that ends early without a word',
    replies: (at) => [{ text: good(at).slice(0, -30) }],
    outcome: 'malformed_edits',
  },
  {
    name: 'a line of a megabyte',
    replies: (at) => [
      {
        text: diffEdit(at('calc.py'), search, `${replace}  # ${numbers(108_000)}`),
        chunkSize: 65_536,
      },
    ],
    outcome: 'succeeded',
    branch: { 'calc.py': `${fixed.trimEnd()}  # ${numbers(108_000)}\n` },
  },
];

/** What takes more than one response to tell; at most four. */
export const longRows: readonly Row[] = [
  {
    name: 'malformed once, then good',
    replies: (at) => [{ text: mismatch(at) }, { text: good(at) }],
    outcome: 'succeeded',
    iterations: 2,
  },
  {
    name: 'malformed twice, then good',
    replies: (at) => [{ text: mismatch(at) }, { text: mismatch(at) }, { text: good(at) }],
    outcome: 'succeeded',
    iterations: 3,
  },
  {
    name: 'malformed four times',
    replies: (at) => [{ text: mismatch(at) }],
    outcome: 'malformed_edits',
    iterations: 4,
  },
  {
    name: 'no edit first, the edit when told so',
    replies: (at) => [{ text: 'Fine.' }, { text: good(at) }],
    outcome: 'succeeded',
    iterations: 2,
  },
  {
    name: 'no edit, whatever it is told',
    replies: () => [{ text: 'Fine.' }],
    outcome: 'no_change',
    iterations: 2,
    words: /the same twice, and nothing changed in between/,
  },
  {
    name: 'half of the edits, then none that matches',
    replies: (at) => [
      { text: `${good(at)}\n${diffEdit(at('calc.py'), 'no such line', 'x')}` },
      { text: mismatch(at) },
    ],
    outcome: 'malformed_edits',
    // Nothing is thrown away: what was done stands on its branch.
    branch: { 'calc.py': fixed },
  },
  {
    name: 'a good edit and one of a file outside, then without it',
    files: { 'other.py': 'x = 1\n' },
    replies: (at) => [
      { text: `${good(at)}\n${diffEdit(at('other.py'), 'x = 1', 'x = 2')}` },
      { text: diffEdit(at('calc.py'), 'def add(a, b):', 'def add(a, b):  # sum') },
    ],
    outcome: 'succeeded',
    refused: { 'other.py': 'outside' },
    branch: { 'calc.py': fixed.replace('b):', 'b):  # sum') },
  },
  {
    name: 'a stream that breaks off in the middle, then a whole one',
    replies: (at) => [
      { text: `Here:\n\n${numbers(60)}\n\n${good(at)}`, breakAfter: 200 },
      { text: good(at) },
    ],
    outcome: 'succeeded',
  },
  {
    name: 'half of the edits malformed, then given up',
    group: ['calc.py', 'b.py'],
    files: { 'b.py': 'b = 7\n' },
    replies: (at) => [
      { text: `${good(at)}\n${diffEdit(at('b.py'), 'b = 1', 'b = 2')}` },
      { text: 'Done, all edits are in place.' },
    ],
    outcome: 'no_change',
    branch: { 'calc.py': fixed },
  },
  {
    name: 'an edit outside taken back, then nothing left to do',
    files: { 'other.py': 'x = 1\n' },
    replies: (at) => [
      { text: `${good(at)}\n${diffEdit(at('other.py'), 'x = 1', 'x = 2')}` },
      { text: 'My own file is right already; nothing is left to do.' },
    ],
    outcome: 'succeeded',
    iterations: 2,
    refused: { 'other.py': 'outside' },
  },
];

/** The same for models that send whole files. */
export const wholeRows: readonly Row[] = [
  {
    name: 'a whole file',
    replies: (at) => [{ text: wholeEdit(at('calc.py'), fixed) }],
    outcome: 'succeeded',
    iterations: 1,
  },
  {
    name: 'a whole file as it was',
    replies: (at) => [{ text: wholeEdit(at('calc.py'), broken) }],
    outcome: 'no_change',
  },
  {
    name: 'a whole file without its name, where one is in the chat',
    replies: () => [{ text: `\`\`\`\n${fixed}\`\`\`\n` }],
    outcome: 'unsafe_edits',
    words: /a block without the name of its file/,
    branch: {},
  },
  {
    name: 'a file with a byte order mark',
    files: { 'calc.py': `\uFEFF${broken}` },
    replies: (at) => [{ text: wholeEdit(at('calc.py'), fixed) }],
    outcome: 'succeeded',
  },
  {
    name: 'a whole file that ends early without a word',
    replies: (at) => [{ text: wholeEdit(at('calc.py'), `${fixed}${numbers(50)}`).slice(0, 120) }],
    outcome: 'reply_cut',
    words: /it ends within a block/,
    branch: {},
  },
  {
    name: 'a command in place of the file',
    replies: () => [{ text: 'Run it like this:\n\n```\npython calc.py 1 2\n```\n' }],
    outcome: 'unsafe_edits',
    branch: {},
  },
  {
    name: 'a file of the same name in another folder',
    replies: (at) => [{ text: wholeEdit(at('tests/calc.py'), fixed) }],
    outcome: 'outside_scope',
    refused: { 'tests/calc.py': 'outside' },
  },
  {
    name: 'whole but for the rest',
    replies: (at) => [{ text: wholeEdit(at('calc.py'), '# ... rest of the code unchanged\n') }],
    outcome: 'unsafe_edits',
    branch: {},
  },
  {
    name: 'a command behind the whole file',
    replies: (at) => [
      {
        text: `${wholeEdit(at('calc.py'), fixed)}\nRun it:\n\n${'`'.repeat(3)}bash\npython calc.py\n${'`'.repeat(3)}\n`,
      },
    ],
    outcome: 'succeeded',
  },
  {
    name: 'a whole file with line ends of Windows',
    files: { 'calc.py': broken.replaceAll('\n', '\r\n') },
    replies: (at) => [{ text: wholeEdit(at('calc.py'), fixed) }],
    outcome: 'succeeded',
    branch: { 'calc.py': fixed.replaceAll('\n', '\r\n') },
  },
];

/** What the provider does, for ever. */
export const providerRows: readonly Row[] = [
  {
    name: 'bytes that are no UTF-8',
    // At once: Aider would take what came before for the whole answer, and ask for the rest of it.
    replies: (at) => [{ text: `Caf\xe9: ${good(at)}`, bytes: true }],
    outcome: 'provider_error',
  },
  {
    name: 'a rate limit for ever',
    replies: () => [{ status: 429, text: 'Rate limit reached' }],
    outcome: 'rate_limited',
    iterations: 0,
  },
  {
    name: 'a server error for ever',
    replies: () => [{ status: 500, text: 'overloaded' }],
    outcome: 'provider_error',
    iterations: 0,
  },
  {
    name: 'a refused key',
    replies: () => [{ status: 401, text: 'Incorrect API key provided' }],
    outcome: 'auth',
    words: /the provider refused the API key/,
    iterations: 0,
  },
  {
    name: 'a key that may not',
    replies: () => [{ status: 403, text: 'You are not allowed to use this model' }],
    outcome: 'auth',
  },
  {
    name: 'an unknown model',
    replies: () => [{ status: 404, text: 'The model does not exist' }],
    outcome: 'model_not_found',
    words: /the provider does not know the model/,
  },
  {
    name: 'a stream that breaks off in the middle, for ever',
    replies: (at) => [{ text: `Here:\n\n${numbers(60)}\n\n${good(at)}`, breakAfter: 200 }],
    outcome: 'provider_error',
  },
  {
    name: 'a reply that trips Aider up',
    files: { 'calc.py': `# calc.py\n${broken}` },
    replies: (at) => [{ text: diffEdit(at('calc.py'), '# calc.py', '# y') }],
    outcome: 'edit_failed',
  },
];
