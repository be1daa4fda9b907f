import { describe, expect, test } from 'vitest';
import { eventually } from '../eventually.js';
import { Harness, keys } from './harness.js';

/**
 * Every step as text, at three sizes. `npx vitest run --config test/vitest.config.ts test/app -u` writes them anew after a change that is meant.
 */

const output = `\x1b[38;2;0;255;0mAider v0.86.2\x1b[0m
Main model: gpt-4o with diff edit format
日本語 and 👩‍👩‍👧 stand straight
\x1b[1mApplied edit to src/date.ts\x1b[0m
`;

const checks = [
  {
    name: 'model' as const,
    state: 'missing' as const,
    text: 'gpt-4o needs OPENAI_API_KEY, which is not set',
    mend: 'Set OPENAI_API_KEY, in the environment or a .env file',
    action: { kind: 'key' as const, variable: 'OPENAI_API_KEY' },
  },
];

describe.each([
  [80, 24],
  [120, 40],
  [200, 60],
])('at %ix%i', (cols, rows) => {
  const golden = (app: Harness, name: string) =>
    expect(`${app.text()}\n`).toMatchFileSnapshot(`golden/${name}-${cols}x${rows}.txt`);

  test('what is missing is said first', async () => {
    const app = new Harness({ cols, rows, checks, missingKeys: ['OPENAI_API_KEY'] });
    await app.press('Größere 日本語', /OPENAI_API_KEY[\s\S]*Größere 日本語/);
    await app.press(keys.enter, /Model: gpt-4o needs/);
    await golden(app, 'change-missing');
    await app.press(keys.ctrl('k'), /Which key\?[\s\S]*OPENAI_API_KEY \(missing\)/);
    await app.press(keys.enter, /OPENAI_API_KEY[\s\S]*written nowhere/);
    await app.press('sk-secret', /\*{9}/);
    expect(app.text()).not.toContain('sk-secret');
    await golden(app, 'change-key');
  });

  test('from the change to the summary', async () => {
    const app = new Harness({ cols, rows, change: 'Dates and texts' });
    await app.shows(/Everything a run needs is here/);
    await golden(app, 'change');
    await app.press(keys.enter, /R1: dates are read/);
    await golden(app, 'prd');
    await app.press(keys.enter, /GROUPS/);
    await golden(app, 'groups');
    await app.press(keys.enter, /This is what will happen/);
    await golden(app, 'start');
    await app.press(keys.enter, /▸ RUN/);
    const run = app.run;
    if (!run) throw new Error('no run');
    await app.settle();
    await run.begin(0, output);
    await run.begin(1, 'Allow edits? (Y)es/(N)o [Yes]: ');
    run.dispatch({ type: 'agent_asks', agent: 1, question: 'Allow edits?' });
    await app.shows(/\? asks/);
    await golden(app, 'run');
    await app.press('z', /^(?![\s\S]*1 T2)/);
    await eventually(() => expect(run.sizes.get(0)).not.toBe(run.sizes.get(1)));
    await app.settle();
    await golden(app, 'run-zoomed');
    await app.press('?', /type to filter/);
    await golden(app, 'help');
    await app.press(keys.esc, /^(?![\s\S]*type to filter)/);
    // Esc and a letter right after it would be one key, Alt with the letter.
    await app.press(keys.esc, /1 T2/);
    await eventually(() => expect(run.sizes.get(0)).toBe(run.sizes.get(1)));
    await app.press('x', /Kill agent0/);
    await golden(app, 'run-kill');
    await app.press('n', /asks/);
    run.dispatch({ type: 'agent_goes_on', agent: 1 });
    run.finish(0);
    run.finish(1);
    run.merge();
    await run.begin(2, 'Documenting\n');
    run.finish(2);
    run.merge({ 2: 'README.md' });
    await app.shows(/2 done/);
    await golden(app, 'run-finished');
    await app.press(keys.enter, /▸ SUMMARY[\s\S]*conflicts with/);
    await golden(app, 'summary');
  });
});
