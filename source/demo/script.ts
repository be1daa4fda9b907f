import { diffEdit, type Script } from '../services/model-server/script.js';

/** The change the demo makes. */
export const demoChange =
  'Make tiny-text fit for real texts: slugs without accents and punctuation, truncation at word borders, and a word count.';

const prd = `# Make tiny-text fit for real texts

## Problem

\`slugify\` leaves accents and punctuation in slugs, \`truncate\` cuts words in half, and there is no way to count words. Four tests fail for it.

## Goals

- Slugs that can be used in a URL as they are.
- Truncated texts that read well.
- A word count.

## Non-goals

- Transliteration of scripts other than Latin.

## Requirements

- R1: \`slugify\` takes accents off, drops punctuation and never doubles a hyphen.
- R2: \`truncate\` cuts after a whole word and ends with "…"; the result is never longer than asked.
- R3: \`wordCount(text)\` counts words between white space.
- R4: \`wordCount\` is exported and documented.

## Acceptance criteria

- \`npm test\` passes.

## Risks

- A single word longer than the length has no border to cut at; it is cut as before.
`;

const tasks = [
  {
    id: 'T1',
    title: 'Take accents and punctuation out of slugs',
    description:
      'In src/slugify.js: decompose the text (NFKD), drop combining marks, turn every run of other characters than a-z and 0-9 into one hyphen, and trim hyphens at both ends.',
    files: ['src/slugify.js'],
    new_files: [],
    read: ['test/slugify.test.js'],
    depends_on: [],
    requirements: ['R1'],
  },
  {
    id: 'T2',
    title: 'Truncate at word borders',
    description:
      'In src/truncate.js: a text that fits stays. Otherwise cut at the last space that leaves room for "…" and append it.',
    files: ['src/truncate.js'],
    new_files: [],
    read: ['test/truncate.test.js'],
    depends_on: [],
    requirements: ['R2'],
  },
  {
    id: 'T3',
    title: 'Add wordCount',
    description:
      'New file src/word-count.js that exports wordCount(text): the number of runs of characters that are not white space.',
    files: [],
    new_files: ['src/word-count.js'],
    read: [],
    depends_on: [],
    requirements: ['R3'],
  },
  {
    id: 'T4',
    title: 'Export and document wordCount',
    description:
      'Export wordCount from src/index.js and add a line for it to the list in README.md.',
    files: ['src/index.js', 'README.md'],
    new_files: [],
    read: ['src/word-count.js'],
    depends_on: ['T3'],
    requirements: ['R4'],
  },
];

const slugify = diffEdit(
  'src/slugify.js',
  "  return text.toLowerCase().replaceAll(' ', '-');",
  `  return text
    .normalize('NFKD')
    .replace(/\\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');`,
);

const truncate = diffEdit(
  'src/truncate.js',
  '  return text.slice(0, length);',
  `  if (text.length <= length) return text;
  const border = text.lastIndexOf(' ', length - 1);
  return \`\${text.slice(0, border > 0 ? border : length - 1)}…\`;`,
);

/** A review that finds all met but what a diff alone cannot tell; each with a line of the diff. */
const review = (...found: readonly (readonly [id: string, file: string, line: number])[]) => ({
  text: JSON.stringify({
    criteria: [
      ...found.map(([id, file, line]) => ({ id, verdict: 'met', file, line, note: '' })),
      { id: 'A1', verdict: 'cannot_tell', note: 'The diff does not show that the tests were run.' },
    ],
    remarks: '',
  }),
});

const pace = { chunkSize: 12, chunkDelayMs: 12 };

/** What the scripted model says in the demo: edits in the `diff` format that gpt-4o is asked for. */
export const demoScript: Script = {
  // The default gemini-1.5-pro is shut down in the real world too, so the demo shows what then happens.
  geminiModels: ['gemini-2.5-pro', 'gemini-2.5-flash'],
  gemini: [
    {
      when: 'work on one task: Take accents',
      replies: [review(['R1', 'src/slugify.js', 4], ['T1', 'src/slugify.js', 6])],
    },
    {
      when: 'work on one task: Truncate at',
      replies: [review(['R2', 'src/truncate.js', 4], ['T2', 'src/truncate.js', 5])],
    },
    {
      when: 'work on one task: Add wordCount',
      replies: [review(['R3', 'src/word-count.js', 3], ['T3', 'src/word-count.js', 3])],
    },
    {
      when: 'work on one task: Export and document',
      replies: [review(['R4', 'src/index.js', 3], ['T4', 'README.md', 7])],
    },
    {
      when: 'the whole work on a PRD',
      replies: [
        review(
          ['R1', 'src/slugify.js', 4],
          ['R2', 'src/truncate.js', 4],
          ['R3', 'src/word-count.js', 3],
          ['R4', 'src/index.js', 3],
        ),
      ],
    },
    {
      replies: [
        { text: JSON.stringify({ prd, parallel: true, tasks }), chunkSize: 80, chunkDelayMs: 8 },
      ],
    },
  ],
  chat: [
    {
      when: 'Task: Take accents',
      replies: [
        { ...pace, text: `I decompose the text, so that accents can be dropped.\n\n${slugify}` },
      ],
    },
    {
      when: 'Task: Truncate at',
      replies: [
        // The first try quotes the file wrongly, as models do; Aider says so and the next one is right.
        {
          ...pace,
          text: `I cut at the last space.\n\n${truncate.replace('text.slice(0, length);\n=', 'text.substring(0, length);\n=')}`,
        },
        { ...pace, text: `You are right, the line reads differently. Once more:\n\n${truncate}` },
      ],
    },
    {
      when: 'Task: Add wordCount',
      replies: [
        {
          ...pace,
          text: `A new file for it:\n\n${diffEdit(
            'src/word-count.js',
            '',
            `/** The number of words in a text. */
export function wordCount(text) {
  return text.match(/\\S+/g)?.length ?? 0;
}
`,
          )}`,
        },
      ],
    },
    {
      when: 'Task: Export and document',
      replies: [
        {
          ...pace,
          text: `The export, then the documentation.\n\n${diffEdit(
            'src/index.js',
            "export { truncate } from './truncate.js';",
            "export { truncate } from './truncate.js';\nexport { wordCount } from './word-count.js';",
          )}\n${diffEdit(
            'README.md',
            '- `truncate(text, length)`: a text cut to a length',
            '- `truncate(text, length)`: a text cut to a length, after a whole word\n- `wordCount(text)`: the number of words in a text',
          )}`,
        },
      ],
    },
  ],
};

const model = {
  max_input_tokens: 128_000,
  max_output_tokens: 16_384,
  input_cost_per_token: 0.0000025,
  output_cost_per_token: 0.00001,
  litellm_provider: 'openai',
  mode: 'chat',
};

/** Limits and prices of the models that the demo names, in LiteLLM's form. */
export const demoModels = { 'gpt-4o': model, 'gpt-4o-mini': model };
