import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Harness, keys, type PlayedRun, task } from './harness.js';

/**
 * What the hint line offers can be had: on any screen that keys and events lead to, no key of it is refused. What
 * would be refused is read from help, which tells it of every key.
 */

/** Room for all of help at once, and for every hint. */
const size = { cols: 260, rows: 170 } as const;

const four = ['T1', 'T2', 'T3', 'T4'].map((id, index) =>
  task(id, `Do ${id}`, [`${id}.ts`], index === 3 ? ['T1'] : []),
);

const bytesOf: Readonly<Record<string, string>> = {
  Enter: keys.enter,
  // As a terminal sends it that leaves no doubt about it.
  Esc: '\x1b[27u',
  Space: ' ',
  Tab: keys.tab,
  PgDn: '\x1b[6~',
  PgUp: keys.pageUp,
  'Alt-Enter': '\x1b\r',
};

/** The keys of the hint line, as they are shown and as bytes. */
function hints(app: Harness): { readonly label: string; readonly bytes: string }[] {
  const line = app.text().split('\n').at(-1) ?? '';
  return line
    .trim()
    .split(/ {2,}/)
    .flatMap((hint) => {
      const [label = ''] = hint.split(' ');
      const ctrl = /^Ctrl-(.)$/.exec(label)?.[1];
      const bytes = bytesOf[label] ?? (ctrl ? keys.ctrl(ctrl) : label.length === 1 ? label : null);
      return bytes === null ? [] : [{ label, bytes }];
    });
}

/** Every reason for which a key would be refused now, as it would be said. */
async function refusals(app: Harness): Promise<string[]> {
  await app.press('\x1bOP', /type to filter/);
  const text = app.text().replace(/[│\s]+/g, ' ');
  await app.press('\x1b[27u', /^(?![\s\S]*type to filter)/);
  return [...text.matchAll(/\(not now: (.*?)\) {1,2}\w+\.\w+/g)].map(
    ([, reason = '']) => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`,
  );
}

/** Whether a dialog or a field for a search has the keys. */
function asks(app: Harness): boolean {
  return /Esc c(ancel|lose)|Enter cancel|^ *\/ *$/m.test(app.text());
}

/** Whether an agent has the keys, that of help too: none is refused then. */
function isTyping(app: Harness): boolean {
  return / stops typing[;.]/.test(app.text());
}

type Event = (run: PlayedRun) => void | Promise<void>;

const happenings: Readonly<Record<string, Event>> = {
  begin: (run) => run.begin(0, 'zero\n'.repeat(300)),
  ask: (run) => run.dispatch({ type: 'agent_asks', agent: 0, question: 'Sure?' }),
  finish: (run) => run.finish(0),
  fail: (run) => run.fail(1),
  merge: (run) => run.merge(),
  spend: (run) => run.dispatch({ type: 'set_budget', usd: 0.001 }),
  all: (run) => {
    for (let agent = 0; agent < run.state().agents.length; agent++) run.finish(agent);
    run.merge();
  },
  land: (run) =>
    run.dispatch({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    }),
};

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ event: fc.constantFrom(...Object.keys(happenings)) }) },
  { weight: 2, arbitrary: fc.record({ hint: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ key: fc.constantFrom('o', 'z', 'j', 'k', 'p', '+', '1') }) },
);

test('no screen shows a hint whose key is refused', { timeout: 240_000 }, async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 5 }), fc.array(step, { maxLength: 12 }), async (steps, walk) => {
      const app = new Harness({ ...size, change: 'Dates', tasks: four, maxAgents: 2 });
      await app.shows(/Everything a run needs/);
      for (let forward = 0; forward < steps; forward++) {
        app.type(keys.enter);
        await app.settle();
      }
      for (const one of walk) {
        if (app.exited) break;
        if ('event' in one) {
          if (!app.run) continue;
          await happenings[one.event]?.(app.run);
        } else if ('key' in one) {
          if (!app.text().includes('▸ CHANGE')) app.type(one.key);
        } else {
          await app.settle();
          const offered = hints(app).filter(({ label }) => label !== '?' && label !== 'F1');
          const hint = offered[one.hint % Math.max(1, offered.length)];
          // What lies above has the keys.
          if (!hint || asks(app)) continue;
          const reasons = isTyping(app) ? [] : await refusals(app);
          app.type(hint.bytes);
          await app.settle();
          const after = app.text();
          seen.add(hint.label);
          for (const reason of reasons) expect(after, hint.label).not.toContain(reason);
          expect(after, hint.label).not.toContain('does nothing here');
          // A question or a text that it has opened is left again.
          if (asks(app)) app.type('\x1b[27u');
        }
        await app.settle();
      }
      await app.host.close();
    }),
    { numRuns: 40 },
  );
  // Many were pressed, not only those of one screen.
  expect(seen.size).toBeGreaterThan(10);
});
