import { describe, expect, test } from 'vitest';
import { err } from '../../source/core/result.js';
import { cleanExit, unchanged } from '../attempt-facts.js';
import { Harness, keys, type PlayedRun, task, tasks } from './harness.js';
import { usual } from './played.js';

/**
 * Every place of the screen where something is wrong, as text, at four sizes: the reason stands there whole, with
 * what to press. `npx vitest run --config test/vitest.config.ts test/whole-app -u` writes them anew after a change that is meant.
 */

/** What the screen says, without the frames and breaks that its size makes. */
function words(app: Harness): string {
  return app.text().replace(/[│╭╮╰╯─\s]+/g, ' ');
}

describe.each([
  [50, 14],
  [80, 24],
  [120, 40],
  [200, 60],
])('at %ix%i', (cols, rows) => {
  const size = { cols, rows };
  const golden = (app: Harness, name: string) =>
    // The spinner turns.
    expect(`${app.text().replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/, '⠋')}\n`).toMatchFileSnapshot(
      `golden/error-${name}-${cols}x${rows}.txt`,
    );
  /** All of these sentences are there, and none is cut. */
  const whole = (app: Harness, ...sentences: readonly string[]) => {
    for (const sentence of sentences) expect(words(app)).toContain(sentence);
  };
  const start = async (options: ConstructorParameters<typeof Harness>[0] = {}) => {
    const app = new Harness({ ...size, change: 'Dates', ...options });
    await app.shows(/Everything a run needs/);
    return app;
  };
  const toRun = async (options: ConstructorParameters<typeof Harness>[0] = {}) => {
    const app = await start(options);
    await app.press(keys.enter, /prd/i);
    await app.shows(/R1/);
    await app.press(keys.enter, /groups/i);
    await app.press(keys.enter, /This is what will happen/);
    await app.press(keys.enter, /q quit/);
    const { run } = app;
    if (!run) throw new Error('no run');
    await app.settle();
    return { app, run };
  };
  const four = ['T1', 'T2', 'T3', 'T4'].map((id) => task(id, `Do ${id}`, [`${id}.ts`]));

  test('Gemini: a refused key', async () => {
    const detail = 'HTTP 403: The caller does not have permission';
    const app = await start({
      plan: async () => err({ kind: 'planner', problem: 'bad_key', detail }),
    });
    await app.press(keys.enter, /refused the API key/);
    whole(app, `Gemini refused the API key (${detail}).`);
    await golden(app, 'gemini-key');
    await app.press(keys.ctrl('k'), /Which key/);
    await app.press(keys.enter, /It replaces/);
    await app.press(`another${keys.enter}`, /GEMINI_API_KEY is set for this run/);
    expect(app.keysGiven.get('GEMINI_API_KEY')).toBe('another');
  });

  test('Gemini: waited for, with its own delay; a cancel loses nothing', async () => {
    const app = await start({
      plan: (_wish, { onText, onWait }, signal) => {
        onText('# Half\n\nof a PRD');
        onWait({
          problem: 'quota',
          detail: 'HTTP 429: slow down',
          until: Date.UTC(2026, 0, 2, 3, 4, 17),
          attempt: 2,
          attempts: 4,
        });
        return new Promise((resolve) => {
          signal.addEventListener('abort', () =>
            resolve(err({ kind: 'planner', problem: 'cancelled', detail: '' })),
          );
        });
      },
    });
    await app.press(keys.enter, /Trying again\s+in 12 s/);
    whole(app, "Gemini's quota is used up (HTTP 429: slow down).", 'Esc cancels, nothing is lost.');
    await golden(app, 'gemini-wait');
    await app.press(keys.esc, /^(?![\s\S]*Trying again)[\s\S]*Half/);
  });

  test('Gemini: a broken stream keeps the half PRD, a failed rewrite the remark', async () => {
    const app = await start({
      plan: async (_wish, { onText }) => {
        onText('# Half\n\nof a PRD');
        return err({ kind: 'planner', problem: 'network', detail: 'ECONNRESET' });
      },
    });
    await app.press(keys.enter, /cannot be reached/);
    whole(
      app,
      'Gemini cannot be reached (ECONNRESET).',
      'What had arrived stands below; e edits it.',
    );
    await app.shows(/Half/);
    await golden(app, 'gemini-half');
    await app.press('r', /Write the PRD/);
    await app.press(`fewer tasks${keys.enter}`, /cannot be reached/);
    await app.press('r', /fewer tasks/);
  });

  test('a PRD whose tasks cannot be read', async () => {
    const app = await start({
      editor: () => '# X\n\n## Tasks\n\n### Whatever this is\n',
    });
    await app.press(keys.enter, /R1/);
    await app.press('e', /Whatever this is/);
    await golden(app, 'prd-tasks');
  });

  test('groups that cannot be started', async () => {
    const problem =
      'T1 is to change src/date.ts and T2 is to change it too, and both may run at the same time; let one wait for the other (w)';
    const app = await start({ problems: () => [problem] });
    await app.press(keys.enter, /R1/);
    await app.press(keys.enter, /groups/i);
    await app.shows(/✗ T1 is to change/);
    await app.press(keys.enter, /problems above have\s+to be solved/);
    await golden(app, 'groups');
    // Where there is no room for all of it, Space shows it.
    await app.press(' ', /Problems of the plan/);
    whole(app, problem);
  });

  test('a run that cannot be started', async () => {
    const message =
      'The base has moved while you were looking: main is at another commit now, so look again at the plan and start.';
    const app = await start({ startFails: { kind: 'usage', message } });
    await app.press(keys.enter, /R1/);
    await app.press(keys.enter, /groups/i);
    await app.press(keys.enter, /This is what will happen/);
    await app.press(keys.enter, /The base has moved/);
    whole(app, message);
    await golden(app, 'start');
  });

  test('tests that fail on the base', async () => {
    const check = { command: 'npm test', from: 'you', timeoutMs: 1000, report: null };
    const { app, run } = await toRun({ config: { testCommand: check, redBase: 'ask' } });
    run.dispatch({
      type: 'base_tested',
      testRun: { state: 'failed', words: 'exit code 1', output: 'E', ms: 1, flaky: false },
    });
    await app.shows(/The tests fail on the base/);
    whole(app, 'npm test: tests failed (exit code 1). No agent has started.');
    await golden(app, 'red-base');
  });

  const halted = async (): Promise<{ app: Harness; run: PlayedRun }> => {
    const { app, run } = await toRun({ tasks: four, maxAgents: 4 });
    for (const agent of [0, 1, 2, 3]) await run.begin(agent, `agent ${agent} works\n`);
    for (const agent of [0, 1, 2]) run.fail(agent, 'auth', 'Incorrect API key provided');
    await app.shows(/the provider refused the API key/);
    return { app, run };
  };

  test('a refused key halts the run, and the way out stands there', async () => {
    const { app, run } = await halted();
    whole(app, 'Ctrl-K enters another key', 'M chooses another model', 'p resumes');
    await golden(app, 'halted');
    await app.press(keys.ctrl('k'), /Which key/);
    await app.press(`${keys.down}${keys.enter}`, /It replaces/);
    await app.press(`sk-new${keys.enter}`, /OPENAI_API_KEY is set/);
    expect(app.keysGiven.get('OPENAI_API_KEY')).toBe('sk-new');
    await app.press('M', /Aider's model/);
    await app.press(`${keys.ctrl('u')}gpt-4.1${keys.enter}`, /New attempts use\s+gpt-4\.1/);
    await app.press('p', /(preparing|queued again)/);
    expect(run.state().circuitBreaker).toBe(null);
    expect(run.state().config.model).toBe('gpt-4.1');
  });

  test('why an agent failed, whole on Enter', async () => {
    const { app, run } = await halted();
    run.message = 'Please do T1,\nand nothing else.';
    await app.press(keys.enter, /The last message/);
    whole(app, 'Failed: the provider refused the API key', 'Check the API key of the model');
    await golden(app, 'failed-details');
  });

  test('the overview tells it in its row', async () => {
    const { app } = await halted();
    await app.press('o', /state/i);
    await golden(app, 'overview');
  });

  test('a warning stands on the run until it was seen', async () => {
    const { app, run } = await toRun({ config: { budgetUsd: 0.012 } });
    await run.begin(0, 'zero\n');
    run.dispatch({ type: 'turn_started', agent: 0 });
    run.dispatch({ type: 'turn_ended', agent: 0, usage: usual });
    await app.shows(/80 % of the budget/);
    whole(
      app,
      '80 % of the budget of $0.0120 is spent.',
      'W shows all warnings, Esc dismisses this.',
    );
    await golden(app, 'warning');
    await app.press(keys.esc, /^(?![\s\S]*80 % of)/);
    await app.press('W', /80 % of the budget/);
  });

  test('what is missing before a change is typed: each with its key, all of it on F2', async () => {
    const missing = { state: 'missing' as const, mend: 'Read the manual.' };
    const variable = 'OPENAI_API_KEY';
    const app = new Harness({
      ...size,
      missingKeys: [variable],
      checks: [
        {
          ...missing,
          name: 'Aider',
          text: 'Aider is not installed',
          action: { kind: 'install' },
        },
        {
          ...missing,
          name: 'model',
          text: `gpt-4o needs ${variable}, which is not set`,
          action: { kind: 'key', variable },
        },
        {
          name: 'Gemini',
          state: 'warning',
          text: 'no key, so no PRD can be written',
          mend: 'Use --no-prd',
          action: { kind: 'key', variable: 'GEMINI_API_KEY' },
        },
      ],
    });
    await app.shows(/Gemini: /);
    for (const name of ['Aider', 'model', 'Gemini']) {
      expect(words(app)).toMatch(new RegExp(`${name}: .*?(Ctrl-O|Ctrl-K)`));
    }
    await golden(app, 'missing');
    await app.press(keys.f(2), /What is missing/);
    whole(app, 'Aider: Aider is not installed. Enter installs it.');
    await app.press(`${keys.down}${keys.enter}`, /Which key\?/);
    await app.press('x', /x does nothing here/);
    await app.press(keys.esc, /^(?![\s\S]*Which key)/);
    await app.press(keys.f(2), /What is missing/);
    expect(words(app)).not.toContain('--no-prd');
    await app.press(keys.esc, /^(?![\s\S]*What is missing)/);
    await app.press(`Dates${keys.enter}`, /Ctrl-O installs it/);
    whole(app, 'Aider: Aider is not installed. Ctrl-O installs it.', 'F3 chooses another model.');
    await app.press(keys.f(3), /Aider's model/);
    await app.press(`${keys.ctrl('u')}two words${keys.enter}`, /no spaces/);
    await app.press(`${keys.ctrl('u')}gpt-5${keys.enter}`, /OPENAI_API_KEY/);
  });

  test('a set-up command that fails is changed where one stands', async () => {
    const { app, run } = await toRun({ tasks: four, maxAgents: 4, config: { setup: 'npm ci' } });
    const detail = 'npm ci: exit code 127: npm: not found';
    run.dispatch({ type: 'agent_not_prepared', agent: 0, reason: 'setup_failed', detail });
    await app.shows(/the set-up command failed/);
    whole(app, `(${detail}).`, 'Fix the set-up command. S changes it; r restarts the agent.');
    expect(app.text().split('\n').at(-1)).toContain('S set-up command');
    expect(words(app)).not.toContain('Ctrl-K enters');
    await golden(app, 'setup');
    await app.press('S', /Set-up command[\s\S]*npm ci/);
    await app.press(`${keys.ctrl('u')}true${keys.enter}`, /prepared by `true`/);
    expect(run.state().config.setup).toBe('true');
    await app.press('r', /queued again|preparing/);
  });

  test('a question that has settled itself closes, and says so', async () => {
    const { app, run } = await toRun({ tasks: four, maxAgents: 4 });
    await run.begin(0, 'zero\n');
    await app.press('x', /Kill agent0/);
    run.finish(0);
    await app.shows(/^(?![\s\S]*Kill agent0)[\s\S]*Agent0 has ended\./);
  });

  test('a question about an agent that waits closes when it starts', async () => {
    const { app, run } = await toRun({ tasks: four, maxAgents: 1 });
    await app.press('1x', /It does not start\./);
    run.dispatch({ type: 'set_slots', slots: 2 });
    await app.shows(/^(?![\s\S]*It does not start)[\s\S]*It has started meanwhile; ask\s+again\./);
    expect(run.state().agents[1]?.state.name).toBe('preparing');
  });

  test('a refusal is told as long as it is so', async () => {
    const { app, run } = await toRun({ tasks: four, maxAgents: 1 });
    await app.press('i', /Agent0 has no process to type into/);
    await run.begin(0, 'zero\n');
    await app.shows(/^(?![\s\S]*has no process)[\s\S]*zero/);
  });

  test('a filter that nothing matches: no hidden agent is acted on, and Esc clears it', async () => {
    const { app } = await toRun({ tasks: four, maxAgents: 4 });
    await app.press('o', /state/i);
    await app.press(`/nobody${keys.enter}`, /No agent matches "nobody"/);
    whole(app, 'No agent matches "nobody"; Esc clears the filter.');
    await app.press('x', /No agent matches the filter; Esc clears\s+it\./);
    await golden(app, 'filter');
    await app.press(keys.esc, /Do T4/);
  });

  test('failing tests are said before work lands, and after', async () => {
    const check = { command: 'npm test', from: 'you', timeoutMs: 1000, report: null };
    const one = [task('T1', 'Do T1', ['T1.ts'])];
    const { app, run } = await toRun({
      tasks: one,
      config: { testCommand: check, redBase: 'report', land: 'none' },
    });
    const red = {
      state: 'failed',
      words: 'exit code 1',
      output: 'E',
      ms: 1,
      flaky: false,
    } as const;
    run.dispatch({ type: 'base_tested', testRun: red });
    await run.begin(0, 'zero\n');
    run.finish(0);
    await app.settle();
    run.dispatch({ type: 'agent_tested', agent: 0, testRun: red });
    const work = { commit: 'c'.repeat(40), diff: { files: [] } };
    run.dispatch({ type: 'agent_committed', agent: 0, work });
    run.merge({}, red);
    await app.shows(/Enter summary|not landed/);
    await app.press(keys.enter, /L lands/);
    await app.press('L', /Land work whose tests fail\?/);
    whole(app, 'tests failed (exit code 1)');
    await golden(app, 'land-red');
    await app.press('y', /landing|Landing/);
    run.dispatch({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    await app.shows(/■ Landed on main/);
  });

  test('typing into an agent that has ended', async () => {
    const { app, run } = await toRun();
    await run.begin(0, 'zero\n');
    await app.press('i', /TYPING/);
    run.finish(0);
    await app.shows(/HAS ENDED/);
    await golden(app, 'typing-ended');
  });

  test('leaving while agents work', async () => {
    const { app, run } = await toRun();
    await run.begin(0, 'zero\n');
    await app.press('q', /Stop the run and quit/);
    whole(
      app,
      '3 agents have not finished.',
      'nothing lands',
      'stops at once.',
      'y stop and quit, n or Enter cancel',
    );
    await golden(app, 'quit');
  });

  test('a draft that could not be written is not said to be kept', async () => {
    const app = await start({ keeps: false });
    await app.press('\x03', /Quit\?/);
    whole(app, 'The draft could not be written, and will be lost.');
    await golden(app, 'quit-unkept');
  });

  test('nothing landed, and what to do', async () => {
    const { app, run } = await halted();
    run.dispatch({ type: 'kill_agent', agent: 3 });
    run.dispatch({
      type: 'attempt_exited',
      agent: 3,
      exit: { ...cleanExit, code: null, signal: 'SIGINT' },
    });
    run.dispatch({ type: 'attempt_inspected', agent: 3, inspection: unchanged });
    run.dispatch({
      type: 'agent_committed',
      agent: 3,
      work: { commit: null, diff: { files: [] } },
    });
    run.dispatch({ type: 'pause', paused: false });
    for (const agent of [0, 1, 2]) {
      await run.begin(agent, 'again\n');
      run.fail(agent, 'auth', 'Incorrect API key provided');
    }
    await app.shows(/4 failed|3 failed {2}■ 1 killed/);
    await app.press(keys.enter, /Not landed/);
    whole(
      app,
      'Check the API key of the model, and that it may use it.',
      'Ctrl-K enters another key, M chooses another model, R restarts the agents that did not succeed.',
    );
    await golden(app, 'summary');
  });

  test('a reason without an end leaves room for the rest, and is read by scrolling', async () => {
    const { app, run } = await toRun({ tasks: [task('T1', 'Do T1', ['T1.ts'])] });
    const reason = `${'the branch has moved and '.repeat(100)}the end of it`;
    await run.begin(0, 'zero\n');
    run.finish(0);
    run.merge();
    run.dispatch({ type: 'landing_done', landing: { state: 'refused', reason, how: '' } });
    await app.shows(/Enter summary/);
    await app.press(keys.enter, /Not landed/);
    expect(app.text()).toMatch(/agent0 .*succeeded/);
    expect(app.text().split('\n').at(-1)).toContain('? help');
    for (let page = 0; page < 150 && !words(app).includes('the end of it'); page++) {
      app.type('\x1b[6~');
      await app.settle();
    }
    whole(app, 'the end of it');
  });

  test('a key that does nothing says so', async () => {
    const { app } = await toRun();
    await app.press('Q', /Q does nothing here\. F1 shows the keys\./);
    await app.press('b', /does not wait for a\s+decision about its\s+tests/);
    await golden(app, 'refused');
  });

  test('a command that cannot be had says why', async () => {
    const { app } = await toRun({ tasks });
    await app.press(':', /Commands/);
    await app.press('summary', /no command matches|Commands/);
    await app.press(`${keys.ctrl('u')}decide`, /decide/);
    await app.shows(/does not wait for a\s*│?\s*│?\s*decision/);
    await golden(app, 'palette');
    await app.press(keys.esc, /^(?![\s\S]*Commands)/);
  });
});
