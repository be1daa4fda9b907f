import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Harness, keys, task } from './harness.js';

/** Errors, reasons and questions are never cut: whatever they say, at any size, every word of them is on the screen. */

const sizes = [
  { cols: 50, rows: 14 },
  { cols: 80, rows: 24 },
  { cols: 120, rows: 40 },
  { cols: 200, rows: 60 },
] as const;

/** Words as tools write them: paths, numbers, a long one without a place to break. */
const word = fc.oneof(
  fc.stringMatching(/^[a-z]{1,9}$/),
  fc.stringMatching(/^src\/[a-z]{3,12}\/[a-z]{3,12}\.ts$/),
  fc.stringMatching(/^[A-Z]{2,8}=[0-9]{1,6}$/),
);
const sentence = fc
  .array(word, { minLength: 1, maxLength: 18 })
  .map((words) => words.join(' ').slice(0, 130).trim());

/** What a text says, without the frames and breaks that the size of the screen makes. */
function joined(text: string): string {
  return text.replace(/[│╭╮╰╯─▸\s]+/g, '');
}

/** The lines of the dialog with that title, without what lies beside it. */
function dialog(app: Harness, title: string): string {
  const lines = app.text().split('\n');
  const first = lines.findIndex((line) => line.includes(`─ ${title}`));
  const left = lines[first]?.indexOf(`╭─ ${title}`) ?? -1;
  const right = lines[first]?.indexOf('╮', left) ?? -1;
  return lines
    .slice(first)
    .map((line) => line.slice(left, right + 1))
    .join('\n');
}

test('no error, reason or question is cut', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...sizes), sentence, async (size, text) => {
      const whole = (part: string, text = app.text()) =>
        expect(joined(text)).toContain(joined(part));
      let fails = true;
      const app = new Harness({
        ...size,
        change: 'Dates',
        tasks: [task('T1', 'Do it', ['a.ts']), task('T2', 'Do that', ['b.ts'])],
        maxAgents: 2,
        get startFails() {
          return fails ? ({ kind: 'usage', message: `${text}.` } as const) : undefined;
        },
      } as ConstructorParameters<typeof Harness>[0]);
      await app.shows(/Everything a run needs/);
      await app.press(keys.enter, /R1/);
      await app.press(keys.enter, /groups/i);
      await app.press(keys.enter, /This is what will happen/);
      app.type(keys.enter);
      await app.settle();
      await app.shows(new RegExp(text.slice(0, 5)));
      whole(`${text}.`);
      fails = false;
      await app.press(keys.enter, /q quit/);
      const { run } = app;
      if (!run) throw new Error('no run');
      run.dispatch({ type: 'agent_not_prepared', agent: 0, reason: 'setup_failed', detail: text });
      await app.shows(/the set-up/);
      whole(`the set-up command failed (${text})`);
      await app.press('1x', /Kill agent1/);
      const question = dialog(app, 'Kill agent1');
      whole('What it has written so far is kept on its branch.', question);
      whole('y kill, n or Enter cancel', question);
      await app.press('n', /^(?![\s\S]*Kill agent1)/);
      run.dispatch({
        type: 'agent_not_prepared',
        agent: 1,
        reason: 'worktree_failed',
        detail: text,
      });
      await app.shows(/Enter summary/);
      await app.press(keys.enter, /SUMMARY|Summary/);
      await app.press(keys.enter, /agent0 \(T1\)/);
      whole(`the set-up command failed (${text})`, dialog(app, 'agent0 (T1)'));
      await app.host.close();
    }),
    { numRuns: 12 },
  );
});
