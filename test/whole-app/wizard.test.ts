import { describe, expect, test } from 'vitest';
import { Harness, type HarnessOptions, keys, task, tasks } from './harness.js';

const gone = (text: string) => new RegExp(`^(?![\\s\\S]*${text})`);

async function toGroups(options: HarnessOptions = {}): Promise<Harness> {
  const app = new Harness({ cols: 110, rows: 30, change: 'Dates', ...options });
  await app.shows(/Everything a run needs/);
  await app.press(keys.enter, /▸ PRD[\s\S]*R1/);
  await app.press(keys.enter, /▸ GROUPS/);
  return app;
}

test('from the change to the start: steps forward, and back without a loss', async () => {
  const app = new Harness({ cols: 100, rows: 30 });
  await app.shows(/▸ CHANGE/);
  await app.press('Größere 日本語', /Größere 日本語/);
  await app.press(keys.enter, /▸ PRD[\s\S]*R1: dates are read/);
  expect(app.text()).toContain('ISO  │ 2026-01-02');
  await app.press(keys.enter, /▸ GROUPS[\s\S]*src\/date-forms\.ts +new/);
  expect(app.text()).toContain('1: T1 T2  │  2: T3');
  await app.press(keys.enter, /This is what will happen[\s\S]*Base +main at bbbbbbbbbbbb Start/);
  await app.press(keys.esc, /▸ GROUPS/);
  await app.press(keys.esc, /▸ PRD/);
  await app.press(keys.esc, /▸ CHANGE[\s\S]*Größere 日本語/);
  // Nothing changed, so nothing is made again.
  await app.press(keys.enter, /▸ PRD/);
  expect(app.plans).toBe(1);
  await app.press(keys.esc, /▸ CHANGE/);
  await app.press('!', /日本語!/);
  await app.press(keys.enter, /made for another change/);
  await app.press(`${keys.down}${keys.enter}`, /▸ PRD/);
  expect(app.plans).toBe(1);
});

describe('the change', () => {
  test('several lines, pasted text, a tab, control bytes as pictures', async () => {
    const app = new Harness();
    await app.shows(/What is to be changed/);
    await app.press('one', /one/);
    await app.press(`${keys.ctrl('j')}two`, /one\n +two/);
    await app.press('\x1b\r', /two\n/);
    await app.press('\x1b[200~th\x07ree\r\nfour\x1b[201~', /th␇ree\n +four/);
  });

  test('Up brings earlier changes, Down what was being typed', async () => {
    const app = new Harness();
    await app.press('being typed', /being typed/);
    await app.press(keys.up, /An earlier change/);
    await app.press(keys.down, /being typed/);
  });

  test('an editor; one that fails changes nothing', async () => {
    const app = new Harness({ change: 'short', editor: (text) => `${text} and long\n` });
    await app.press(keys.ctrl('e'), /short and long/);
    const without = new Harness({ change: 'short' });
    await without.press(keys.ctrl('e'), /The editor ed could not be started; nothing was changed/);
  });

  test('nothing goes on without a change', async () => {
    const app = new Harness();
    await app.press(keys.enter, /Type what is to be changed first/);
  });
});

describe('the PRD', () => {
  test('an edited text is read again, and the tasks follow it', async () => {
    const app = new Harness({
      cols: 110,
      rows: 30,
      change: 'Dates',
      editor: (text) => text.replace('Document both', 'Document it all'),
    });
    await app.press(keys.enter, /R1/);
    await app.press('e', /read from the new text/);
    await app.press(keys.enter, /GROUPS[\s\S]*Document it all/);
  });

  test('is written again with a remark', async () => {
    const app = new Harness({ change: 'Dates' });
    await app.press(keys.enter, /R1/);
    await app.press('r', /Write the PRD again/);
    await app.press(`smaller${keys.enter}`, gone('Write the PRD'));
    await app.shows(/R1/);
    expect(app.plans).toBe(2);
  });

  test('one that is replaced can be had back; nothing written replaces nothing', async () => {
    let written = (text: string) => text;
    const app = new Harness({ change: 'Dates', editor: (text) => written(text) });
    await app.press(keys.enter, /PRD by gemini-2\.5-pro, 3 tasks/);
    await app.press('w', /Nothing was changed/);
    expect(app.text()).toContain('PRD by gemini-2.5-pro, 3 tasks');
    written = () => '# Mine\n\n## Tasks\n\n### T1: all\n';
    await app.press('w', /Your PRD, 1 task/);
    await app.press('u', /PRD by gemini-2\.5-pro, 3 tasks/);
    await app.press('u', /There is no previous PRD/);
  });

  test('is searched', async () => {
    const app = new Harness({ change: 'Dates' });
    await app.press(keys.enter, /R1/);
    await app.press('/', /^ +\/ *$/m);
    await app.press(`iso${keys.enter}`, /\/iso: 1 line/);
  });
});

describe('the groups', () => {
  test('a file goes to another group with one key, and u takes it back', async () => {
    const app = await toGroups();
    await app.press(`${keys.down}>`, /src\/date-forms\.ts moved to T2/);
    await app.press('u', /Undone/);
    await app.press('u', /There is nothing to undo/);
  });

  test('rename, add, files by a fuzzy finder, leave out', async () => {
    const app = await toGroups();
    await app.press('r', /Rename T1/);
    await app.press(`${keys.ctrl('u')}Dates of all kinds${keys.enter}`, /Dates of all kinds/);
    await app.press('n', /New group/);
    await app.press(`More${keys.enter}`, /▸T4/);
    // A group without files may change all, so it cannot run beside others.
    await app.shows(/T4 names no files, so it may change all/);
    await app.press(keys.enter, /The problems above have to be solved first/);
    await app.press('f', /Files for T4/);
    await app.press(`more${keys.enter}`, /src\/more\.ts +1\.2 kB/);
    expect(app.text()).not.toContain('names no files');
    // Without it the group would be about all files, which is not what one wants who takes it away.
    await app.press('x', /only file of this group/);
    expect(app.text()).toContain('src/more.ts');
  });

  test('split and merge', async () => {
    const app = await toGroups();
    await app.press('s', /Parse dates .*\n[\s\S]*1: T1 T4 {2}│ {2}2: T2 {2}│ {2}3: T3/);
    await app.press('m', /1: T1 T2 {2}│ {2}2: T3/);
  });

  test('more agents at once change the waves', async () => {
    const four = [...tasks.slice(0, 2), task('T3', 'Three', ['c']), task('T4', 'Four', ['d'])];
    const app = await toGroups({ tasks: four });
    await app.shows(/with 2 at once {2}1: T1 T2 {2}│ {2}2: T3 T4/);
    await app.press('+', /with 3 at once {2}1: T1 T2 T3 {2}│ {2}2: T4/);
    await app.press('--', /with 1 at once {2}1: T1 {2}│/);
  });

  test('a circle says so, and cannot be started', async () => {
    const app = await toGroups();
    await app.press('w', /What does T1 wait for\?/);
    await app.press(`${keys.down}${keys.enter}`, /T1 → T3 → T1 depend on each other in a circle/);
    await app.press(keys.enter, /The problems above have to be solved first/);
  });

  test("a task's text in the editor: the first line is its title", async () => {
    const app = await toGroups({ editor: () => 'Another title\n\nDo it so.\n' });
    await app.press('e', /Another title/);
    await app.press(keys.esc, /▸ PRD/);
    await app.press('G', /T3/);
    await app.press('/', /^ +\/ *$/m);
    await app.press(`do it so${keys.enter}`, /\/do it so: 1 line/);
  });

  test('the last group deleted: nothing to start', async () => {
    const app = await toGroups({ tasks: [task('T1', 'One', ['a'])] });
    await app.press('D', /There is no group/);
    await app.press(keys.enter, /The problems above have to be solved first/);
  });
});

test('the tests: proposed from the manifest, confirmed or changed, and allowed to be red', async () => {
  const app = await toGroups({ cols: 140 });
  await app.press(
    keys.enter,
    /no tests configured: the work lands untested \(t takes `npm test` \(from\s+package\.json\)\)/,
  );
  await app.press('b', /No tests are configured/);
  await app.press('t', /It decides whether work counts[\s\S]*npm test/);
  app.type(' --silent');
  await app.press(keys.enter, /npm test --silent: on the base first,[\s\S]*asked\s+\(b\)/);
  await app.press('b', /only\s+green\s+work\s+lands/);
  await app.press('v', /by gemini-2\.5-pro: each agent's diff against the PRD/);
  await app.press(keys.enter, /▸ RUN/);
  expect(app.choices).toMatchObject({ testCmd: 'npm test --silent', redBase: 'fix', review: true });
});

test('a setting of the start: a bad value stays in its field with the reason, a good one is confirmed', async () => {
  const app = await toGroups({ cols: 140 });
  await app.press(keys.enter, /This is what will happen/);
  const setting = async (rows: number, title: RegExp) => {
    await app.press('c', /Change a setting/);
    await app.press(`${keys.down.repeat(rows)}${keys.enter}`, title);
  };
  await setting(2, /Iterations of each agent/);
  await app.press(
    `${keys.ctrl('u')}many${keys.enter}`,
    /many[\s\S]*Enter a whole number from 1 to 1000/,
  );
  await app.press(`${keys.ctrl('u')}3${keys.enter}`, /Iterations of each agent: 3\./);
  await setting(4, /US dollars/);
  await app.press(`-1${keys.enter}`, /-1 is not an amount of dollars/);
  await app.press(`${keys.ctrl('u')}1e999${keys.enter}`, /1e999 is not an amount of dollars/);
  await app.press(keys.esc, gone('US dollars'));
  await setting(10, /Files that each worktree gets/);
  await app.press(`.env.* /etc/*${keys.enter}`, /\/etc\/\* leads out of the repository/);
  await app.press(
    `${keys.ctrl('u')}.env.*${keys.enter}`,
    /Files that each worktree gets: \.env\.\*\./,
  );
  await app.press('M', /Aider's model/);
  await app.press(`${keys.ctrl('u')}two words${keys.enter}`, /no spaces/);
});

test('a new file of a group lies in the repository', async () => {
  const app = await toGroups();
  await app.press('a', /New file for T1/);
  await app.press(`../../etc/x${keys.enter}`, /\.\.\/\.\.\/etc\/x is outside the repository/);
  await app.press(`${keys.ctrl('u')}src/new.ts${keys.enter}`, /new\.ts/);
  await app.press('f', /Files for T1/);
  await app.press(`qqqq${keys.enter}`, /No file matches\. Esc, then a names one/);
});

test('the PRD can be skipped, from Change and from the PRD, and comes back', async () => {
  const app = new Harness({ change: 'Dates' });
  await app.shows(/Everything a run needs/);
  await app.press(keys.f(4), /▸ GROUPS/);
  expect(app.plans).toBe(0);
  // What was edited there is not made anew.
  await app.press('r', /Rename/);
  await app.press(`${keys.ctrl('u')}All of it${keys.enter}`, /All of it/);
  await app.press(keys.esc, /The PRD was skipped: r has one written, s continues/);
  await app.press('s', /▸ GROUPS[\s\S]*All of it/);
  await app.press(keys.esc, /The PRD was skipped: r has one written, s continues/);
  await app.press('r', /What is to be different/);
  await app.press(keys.enter, /R1/);
  await app.press('s', /▸ GROUPS/);
  await app.press(keys.esc, /u restores the\s+previous\s+one/);
  await app.press('u', /The previous PRD is back/);
  await app.shows(/R1/);
});

test('git stash asks git when it is pressed; keys that are letters are not told on Change', async () => {
  const app = new Harness({ change: 'Dates' });
  await app.shows(/Everything a run needs/);
  await app.press(keys.ctrl('s'), /stashed; git stash pop/);
  expect(app.stashed).toBe(1);
  await app.press(keys.f(1), /type to filter/);
  await app.press('help', /│ +F1 +show this help/);
  await app.press(`${keys.ctrl('u')}palette`, /│ +Ctrl-P +/);
  expect(app.text()).not.toContain('a dialog is open');
});

test('who commits is asked for where git does not know it, and looked up again before Enter refuses', async () => {
  let known = false;
  const missing = {
    name: 'identity' as const,
    state: 'missing' as const,
    text: 'git does not know who commits',
    mend: 'git config --global user.name "Your Name"',
    action: { kind: 'identity' as const },
  };
  const app = new Harness({ change: 'Dates', checks: () => (known ? [] : [missing]) });
  await app.shows(/F5 sets it for this repository/);
  await app.press(keys.enter, /Identity: git does not know who commits\. F5/);
  await app.press(keys.f(5), /Who commits\?/);
  await app.press(`Ann${keys.enter}`, /an address in angle brackets/);
  await app.press(` Ann <ann@example.com>${keys.enter}`, /Commits in this repository are by/);
  expect(app.identity).toBe('Ann Ann <ann@example.com>');
  // Mended elsewhere: what git knows is not overwritten.
  known = true;
  await app.press(keys.enter, /▸ PRD/);
  await app.press(keys.esc, /Everything a run needs/);
  await app.press(keys.f(5), /Git knows who commits/);
});

test('keys that are named in advice are those of the key table', async () => {
  const own = { 'start.redBase': 'B', 'start.test': 'T', 'start.review': 'V', 'summary.land': 'W' };
  const app = await toGroups({ cols: 140, keys: own });
  await app.press(keys.enter, /\(T takes `npm test`/);
  await app.press('T', /Test command/);
  await app.press(keys.enter, /asked\s+\(B\)/);
  await app.shows(/none \(V turns it on\)/);
  await app.press('c', /Change a setting/);
  await app.press(`${keys.down.repeat(5)}${keys.enter}`, /W lands it/);
});
