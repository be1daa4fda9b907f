import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { diffEdit } from '../../source/services/model-server/script.js';
import { eventually } from '../eventually.js';
import { aiderTest, git, lastSummary, makeRepo, modelServer, tempFolder, world } from '../rig.js';
import { key, openScreen } from '../screen-rig.js';

const names = ['a', 'b', 'c', 'd'];
const files = Object.fromEntries(names.map((name) => [`${name}.py`, `${name} = 1\n`]));
const edit = (name: string) => diffEdit(`${name}.py`, `${name} = 1`, `${name} = 2`);
const endless = { text: 'I think about it, and think', hang: true };

function planned(id: string, title: string, own: string[]) {
  return {
    id,
    title,
    description: `Do: ${title}.`,
    files: own,
    new_files: [],
    read: [],
    depends_on: [],
    requirements: [],
  };
}

const prd = '# Raise them all\n\n## Requirements\n\n- R1: everything is **2**.\n';

/** An editor as people configure one: a program that gets a file. */
function editor(): string {
  const script = path.join(tempFolder('editor'), 'editor.sh');
  writeFileSync(script, '#!/bin/sh\nsed -i.bak "s/Do: Raise b\\./Do: Raise b, carefully./" "$1"\n');
  chmodSync(script, 0o755);
  return script;
}

describe.each([
  { cols: 200, rows: 60, small: [70, 20] as const },
  { cols: 80, rows: 24, small: [50, 14] as const },
])('on a terminal of $cols x $rows, with real Aider', ({ cols, rows, small }) => {
  aiderTest(
    'the whole way: change, edited PRD, moved file, kill, restart with a remark, take-over, resize, summary, land',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer(
        [
          { when: 'please raise c', replies: [{ text: edit('c') }] },
          { when: 'Task: Raise a', replies: [endless, { text: edit('a') }] },
          {
            when: 'Task: Raise b[\\s\\S]*Mind d too',
            replies: [{ text: `${edit('b')}\n${edit('d')}` }],
          },
          { when: 'Task: Raise', replies: [endless] },
        ],
        {
          gemini: [
            {
              replies: [
                {
                  text: JSON.stringify({
                    prd,
                    parallel: true,
                    tasks: [
                      planned('T1', 'Raise a', ['a.py', 'd.py']),
                      planned('T2', 'Raise b', ['b.py']),
                      planned('T3', 'Raise c', ['c.py']),
                    ],
                  }),
                },
              ],
            },
          ],
        },
      );
      const where = world(server);
      const app = openScreen(
        ['--land', 'none', '--max-agents', '3', ...where.aiderFlags, ...where.afterFlags],
        { cwd: repo, env: { ...where.env, EDITOR: editor() }, cols, rows },
      );

      // The wizard.
      await app.shows(/gemini-1\.5-pro is gone/);
      await app.press(key.ctrl('g'), /Gemini model for the PRD/);
      await app.press(key.enter, /Everything a run needs is here/);
      await app.press('Größer: alles auf 2', /Größer: alles auf 2/);
      await app.press(key.enter, /PRD by [\s\S]*everything is 2/);
      await app.press('e', /read from the new text/);
      await app.press(key.enter, /GROUPS[\s\S]*T3/);
      await app.press(`${key.down}>`, /d\.py moved to T2/);
      await app.press(key.enter, /This is what will happen[\s\S]*Raise b: b\.py, d\.py/);
      await app.press(key.enter, /▸ RUN/);

      // Three agents at work: one is killed, one restarted with a remark, one taken over.
      await app.shows(/3 working/);
      await eventually(() =>
        expect(server.requests.filter(({ kind }) => kind === 'chat').length).toBe(3),
      );
      await app.press('0z', /^(?![\s\S]*1 T2)[\s\S]*0 T1 Raise a[\s\S]*I think about it/);
      await app.press('/', /^\/ ?$/m);
      await app.press(`think about${key.enter}`, /\/think about \d+ of \d+/);
      await app.press(key.esc, /^(?![\s\S]*\/think about)/);
      await app.press(key.esc, /1 T2|1●/);
      await app.press('0x', /Kill agent0 \(T1\)\?/);
      await app.press('y', /1 killed/);
      await app.press('1R', /Restart agent1 \(T2\) with a remark/);
      await app.press(`Mind d too${key.enter}`, /1 done/);
      await app.press('2t', /Take over agent2/);
      await app.press('y', /taken over/);
      await app.press('z', /2 T3 Raise c[\s\S]*^.?> /m);
      await app.press('i', /TYPING/);
      await app.press(`please raise c${key.enter}`, /Applied edit to c\.py/);
      await app.press(key.leave, /^(?![\s\S]*TYPING)/);

      // Small, and back.
      app.resize(small[0], small[1]);
      await app.shows(/T3 Raise c/);
      for (const line of app.text().split('\n'))
        expect([...line].length).toBeLessThanOrEqual(small[0]);
      app.resize(cols, rows);
      await app.press(key.esc, /1 T2 Raise b/);
      await app.press('i', /TYPING/);
      await app.press(`/exit${key.enter}`, /2 done[\s\S]*not landed, as asked/);
      await app.press(key.leave, /^(?![\s\S]*HAS ENDED)/);

      // The summary: what failed once more on top of what is merged, then all of it lands.
      await app.press(key.enter, /▸ SUMMARY[\s\S]*killed/);
      await app.press('R', /▸ RUN/);
      await app.shows(/3 done[\s\S]*not landed, as asked/);
      await app.press(key.enter, /▸ SUMMARY/);
      await app.press('L', /landed on main/);
      await app.press(key.enter, /agent0 \(T1\)[\s\S]*Succeeded\./);
      // Esc and a letter right after it would be Alt with the letter.
      await app.press(key.esc, /^(?![\s\S]*Esc close)/);
      app.type('q');

      const end = await app.end();
      expect(end.code, end.text).toBe(0);
      expect(end.text).toContain('The work landed on main');
      for (const name of names) {
        expect(readFileSync(path.join(repo, `${name}.py`), 'utf8')).toBe(`${name} = 2\n`);
      }
      const summary = lastSummary(repo);
      expect(summary).toMatchObject({ landed: true, successful_agents: 3, failed_agents: 0 });
      expect(summary.agents['agent1']?.files).toEqual(['b.py', 'd.py']);
      // The edited text is what the agent got, and the remark.
      const texts = server.requests.map((request) => request.text).join('\n');
      expect(texts).toContain('Do: Raise b, carefully.');
      expect(texts).toContain('A person who watches you says: Mind d too');
      expect(readFileSync(path.join(repo, String(summary.prd_path)), 'utf8')).toContain(
        'carefully',
      );
      // What the restarted agents did before is kept.
      expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
      expect(app.bytes()).toMatch(/\x1b\[\?1049l/);
      expect(app.bytes()).toContain('\x1b]2;aider-orchestrator 3/3');
    },
    180_000,
  );
});

describe('what a provider refuses', () => {
  aiderTest(
    'refused keys are said where one stands, replaced there, and the run goes on to its landing',
    async () => {
      const repo = makeRepo(files);
      const [g, o] = ['g-right-key-12345', 'sk-right-key-12345'];
      const server = await modelServer(
        ['a', 'b', 'c'].map((name) => ({
          when: `Task: Raise ${name}`,
          replies: [{ text: edit(name) }],
        })),
        {
          keys: [g, o],
          gemini: [
            {
              replies: [
                {
                  text: JSON.stringify({
                    prd,
                    parallel: true,
                    tasks: ['a', 'b', 'c'].map((name, index) =>
                      planned(`T${index + 1}`, `Raise ${name}`, [`${name}.py`]),
                    ),
                  }),
                },
              ],
            },
          ],
        },
      );
      const where = world(server);
      const app = openScreen(
        ['--max-agents', '3', '--change', 'Raise', ...where.aiderFlags, ...where.afterFlags],
        { cwd: repo, env: where.env, cols: 80, rows: 24 },
      );
      // Gemini's key, before anything is asked of it.
      await app.shows(/Gemini: .*refused/);
      await app.press(key.ctrl('k'), /Which key\?[\s\S]*GEMINI_API_KEY \(set\)/);
      await app.press(
        /▸ GEMINI/.test(app.text()) ? key.enter : `${key.down}${key.enter}`,
        /It replaces/,
      );
      await app.press(`${g}${key.enter}`, /^(?![\s\S]*refused)[\s\S]*(Everything|!)/);
      await app.press(key.enter, /PRD by/);
      await app.press(key.enter, /GROUPS/);
      await app.press(key.enter, /This is what will happen/);
      await app.press(key.enter, /▸ RUN/);
      // Aider's key: it is said on the run, in the summary, and in what is known of the agent.
      await app.shows(
        /3 agents: the provider refused the API key[\s\S]*Ctrl-K enters another\s+key/,
      );
      await app.shows(/3 failed/);
      await app.press(key.enter, /SUMMARY[\s\S]*Ctrl-K enters another\s+key/);
      await app.press(
        key.enter,
        /Failed: the provider refused[\s\S]*Check the API key of the model/,
      );
      await app.press(key.esc, /^(?![\s\S]*Esc close)/);
      await app.press(key.ctrl('k'), /Which key\?/);
      await app.press(
        /▸ OPENAI/.test(app.text()) ? key.enter : `${key.down}${key.enter}`,
        /It replaces/,
      );
      await app.press(`${o}${key.enter}`, /OPENAI_API_KEY is set for this run/);
      await app.press('R', /landed on main/);
      const bytes = app.bytes();
      expect(bytes).not.toContain(g);
      expect(bytes).not.toContain(o);
      app.type('q');
      expect((await app.end()).code).toBe(0);
      for (const name of ['a', 'b', 'c']) {
        expect(readFileSync(path.join(repo, `${name}.py`), 'utf8')).toBe(`${name} = 2\n`);
      }
    },
  );
});
