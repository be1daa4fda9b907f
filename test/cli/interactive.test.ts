import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../eventually.js';
import {
  git,
  isAlive,
  lastSummary,
  makeRepo,
  modelServer,
  processesWith,
  runCli,
  tempFolder,
  world,
  writeFiles,
} from '../rig.js';
import { key, openScreen, type ScreenRun } from '../screen-rig.js';

/** The stand-in for agents is enough here: what is tested is the screen around them. */
const noAider = process.execPath;

function openWizard(
  args: readonly string[] = [],
  more: NodeJS.ProcessEnv = {},
): ScreenRun & { repo: string; home: string } {
  const repo = makeRepo({ 'a.ts': '1\n' });
  const where = world(null);
  const app = openScreen(['--no-prd', '--aider', noAider, ...args], {
    cwd: repo,
    env: { ...where.env, OPENAI_API_KEY: 'k', ...more },
  });
  return { ...app, repo, home: where.home };
}

/** What the terminal was asked to keep and give back; the last word on each. */
function expectTerminalWhole(bytes: string): void {
  for (const [set, reset] of [
    ['\x1b[?1049h', '\x1b[?1049l'],
    ['\x1b[?25l', '\x1b[?25h'],
    ['\x1b[?1000h', '\x1b[?1000l'],
    ['\x1b[?1006h', '\x1b[?1006l'],
    ['\x1b[?2004h', '\x1b[?2004l'],
    ['\x1b[?7l', '\x1b[?7h'],
    ['\x1b[22;0t', '\x1b[23;0t'],
    ['\x1b[?2026h', '\x1b[?2026l'],
  ] as const) {
    expect(bytes.lastIndexOf(set), JSON.stringify(set)).toBeGreaterThanOrEqual(0);
    expect(bytes.lastIndexOf(reset), JSON.stringify(reset)).toBeGreaterThan(bytes.lastIndexOf(set));
  }
}

/** An editor that says that it is there and waits. */
function waitingEditor(): string {
  const script = path.join(tempFolder('editor'), 'editor.sh');
  writeFileSync(script, '#!/bin/sh\nprintf "EDITING %s\\n" "$1"\nexec sleep 1000\n');
  chmodSync(script, 0o755);
  return script;
}

describe('leaving the wizard', () => {
  test('nothing typed: at once; the terminal is whole, nothing was written', async () => {
    const app = openWizard();
    await app.shows(/What is to be changed\?/);
    app.type(key.ctrl('c'));
    const end = await app.end();
    expect(end.code, end.text).toBe(1);
    expect(end.text).toContain('Not started.');
    expectTerminalWhole(app.bytes());
    expect(git(app.repo, 'branch', '--list', 'aider/*')).toBe('');
    expect(git(app.repo, 'status', '--porcelain', '--ignored')).toBe('');
  });

  test('something typed: after asking; it is in the history of the next start', async () => {
    const app = openWizard();
    await app.shows(/Everything a run needs|missing|warning|changed\?/);
    await app.press('Größere Änderung', /Größere Änderung/);
    await app.press(key.ctrl('c'), /Quit\?/);
    await app.press('n', /^(?![\s\S]*Quit\?)/);
    await app.press(key.ctrl('c'), /Quit\?/);
    app.type(key.ctrl('c'));
    expect((await app.end()).code).toBe(1);
    const history = path.join(app.home, 'data/aider-orchestrator/changes.json');
    expect(JSON.parse(readFileSync(history, 'utf8'))).toEqual(['Größere Änderung']);
    const again = openScreen(['--no-prd', '--aider', noAider], {
      cwd: app.repo,
      env: { ...world(null, app.home).env, OPENAI_API_KEY: 'k' },
    });
    // The draft itself is offered, and taken or dropped for good.
    await again.shows(/Continue where you left off\?[\s\S]*Größere Änderung/);
    await again.press(key.enter, /changed\?\s+Größere Änderung/);
    await again.press(' und mehr', /Größere Änderung und mehr/);
    process.kill(again.pid, 'SIGHUP');
    await again.end();
    const third = openScreen(['--no-prd', '--aider', noAider], {
      cwd: app.repo,
      env: { ...world(null, app.home).env, OPENAI_API_KEY: 'k' },
    });
    await third.shows(/Continue where you left off\?[\s\S]*Größere Änderung und mehr/);
    await third.press('j', /▸ Start with an empty change/);
    await third.press(key.enter, /^(?![\s\S]*Continue where)/);
    await third.press(key.up, /Größere Änderung/);
    third.type(key.ctrl('c'));
    await third.press(key.ctrl('c'), /Quit\?|Not started/);
    await third.end();
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: the terminal is whole, also while an editor has it', async (signal, code) => {
    const app = openWizard([], { EDITOR: waitingEditor() });
    await app.shows(/changed\?/);
    app.type('text');
    await app.press(key.ctrl('e'), /EDITING .*change\.md/);
    const file = /EDITING (\S+)/.exec(app.text())?.[1] as string;
    expect(existsSync(file)).toBe(true);
    process.kill(app.pid, signal);
    const end = await app.end();
    expect(end.code, end.text).toBe(code);
    expectTerminalWhole(app.bytes());
    expect(processesWith(file)).toEqual([]);
    // The text was the person's own, and nobody's any more.
    expect(existsSync(file)).toBe(false);
  });

  test('SIGTERM in the wizard itself', async () => {
    const app = openWizard();
    await app.shows(/changed\?/);
    process.kill(app.pid, 'SIGTERM');
    const end = await app.end();
    expect(end.code).toBe(143);
    expectTerminalWhole(app.bytes());
  });

  test('a bug: the message is readable on a whole terminal', async () => {
    const app = openWizard(['--change', 'x'], {
      // Node loads it before our program: a timer of it throws while the screen is shown.
      NODE_OPTIONS: `--import ${bug()}`,
    });
    const end = await app.end();
    expect(end.code).toBe(1);
    expectTerminalWhole(app.bytes());
    const after = app.bytes().slice(app.bytes().lastIndexOf('\x1b[?1049l'));
    expect(after).toContain('internal error: Error: planted');
  });

  test('Ctrl-Z gives the shell its terminal, and fg brings the screen back', async () => {
    const repo = makeRepo({ 'a.ts': '1\n' });
    const where = world(null);
    const app = openScreen(['--norc', '--noprofile', '-i'], {
      cwd: repo,
      env: { ...where.env, OPENAI_API_KEY: 'k', PS1: 'shell$ ' },
      command: ['/bin/bash'],
    });
    const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');
    await app.shows(/shell\$/);
    await app.press(`${noAider} ${cli} --no-prd --aider ${noAider}\r`, /changed\?/);
    await app.press('some text', /some text/);
    await app.press(key.ctrl('z'), /Stopped[\s\S]*shell\$$/m);
    await app.press('echo "in the $((1+1))nd place"\r', /in the 2nd place/);
    await app.press('fg\r', /changed\?[\s\S]*some text/);
    await app.press(' and more', /some text and more/);
    await app.press(key.ctrl('c'), /Quit\?/);
    await app.press('y', /shell\$ ?$/m);
    app.type('exit\r');
    await app.end();
  });
});

function bug(): string {
  const script = path.join(tempFolder('bug'), 'bug.mjs');
  writeFileSync(
    script,
    `if (process.argv[1]?.endsWith('cli.js')) {
      const write = process.stdout.write.bind(process.stdout);
      process.stdout.write = (chunk, ...rest) => {
        if (String(chunk).includes('What is')) setImmediate(() => { throw new Error('planted'); });
        return write(chunk, ...rest);
      };
    }`,
  );
  return script;
}

describe('where there is no screen', () => {
  test('TERM=dumb goes without one', async () => {
    const app = openWizard(['--change', 'x', '--dry-run'], { TERM: 'dumb' });
    const end = await app.end();
    expect(end.code, end.text).toBe(0);
    expect(app.bytes()).not.toContain('\x1b[?1049h');
  });

  test('a locale without UTF-8 and NO_COLOR: ASCII and no colours', async () => {
    const app = openWizard([], { LANG: 'C', LC_ALL: 'C', NO_COLOR: '1' });
    await app.shows(/> CHANGE/);
    app.type(key.ctrl('c'));
    await app.end();
    expect(app.bytes()).toMatch(/^[\x00-\x7f]*$/);
    expect(app.bytes()).not.toMatch(/\x1b\[[\d;]*3[0-7]m/);
  });
});

describe('on the screen', () => {
  test('a key that is missing is given, and never shown or written', async () => {
    const repo = makeRepo({ 'a.ts': '1\n' });
    const server = await modelServer([]);
    const where = world(server);
    const { OPENAI_API_KEY: _, ...env } = where.env;
    const app = openScreen(['--aider', noAider], { cwd: repo, env });
    await app.shows(/model: gpt-4o needs OPENAI_API_KEY/);
    await app.press('x', /^ +x/m);
    await app.press(key.enter, /Model: gpt-4o needs/);
    await app.press(key.ctrl('k'), /Which key\?[\s\S]*▸ OPENAI_API_KEY \(missing\)/);
    await app.press(key.enter, /The key for Aider's model gpt-4o. It is not set/);
    await app.press('sk-very-secret', /\*{14}/);
    await app.press(key.enter, /^(?![\s\S]*needs OPENAI_API_KEY)[\s\S]*changed\?/);
    await app.press(key.ctrl('c'), /Quit/);
    app.type('y');
    const end = await app.end();
    expect(app.bytes() + end.text).not.toContain('sk-very-secret');
    const found = await runCli(['runs'], { cwd: repo, env });
    expect(found.stdout + found.stderr).not.toContain('sk-very-secret');
  });

  test('what a repository wants is asked for once for each content, whatever was answered', async () => {
    const repo = makeRepo({
      'a.py': 'a = 1\n',
      '.aider.conf.yml': 'openai-api-base: http://x.test\n',
    });
    const { env } = world(null);
    const open = () =>
      openScreen(['--no-prd', '--aider', noAider], {
        cwd: repo,
        env: { ...env, OPENAI_API_KEY: 'k' },
      });
    const first = open();
    await first.shows(/openai-api-base.*\n(.*\n)*.*trust this content\? \[y\/N\]/);
    await first.press('n\r', /What is to be changed/);
    first.type(key.ctrl('c'));
    await first.end();
    const second = open();
    await second.shows(/What is to be changed/);
    second.type(key.ctrl('c'));
    const end = await second.end();
    expect(end.text).not.toContain('trust this content');
    expect(second.bytes()).toContain('you said no to that. To use it: --trust');
    writeFiles(repo, { '.aider.conf.yml': 'openai-api-base: http://y.test\n' });
    const third = open();
    await third.shows(/trust this content\? \[y\/N\]/);
    third.type(key.ctrl('c'));
    await third.end();
  });

  test('pasted text of many lines is the change; a wrong settings key is named before any screen', async () => {
    const app = openWizard();
    await app.shows(/changed\?/);
    await app.press('\x1b[200~one\ntwo\r\nthree 日本\x1b[201~', /^ +one\n +two\n +three 日本$/m);
    await app.press(key.enter, /GROUPS/);
    await app.press(key.ctrl('c'), /Quit/);
    app.type('y');
    await app.end();

    writeFileSync(
      path.join(app.repo, '.aider-orchestrator.json'),
      JSON.stringify({ keys: { 'run.kill': 'r' } }),
    );
    const again = openScreen([], { cwd: app.repo, env: world(null).env });
    const end = await again.end();
    expect(end.code).toBe(2);
    expect(end.text).toContain('keys: r is for run.kill and for run.restart');
    expect(again.bytes()).not.toContain('\x1b[?1049h');
  });

  test('the demo with simulated agents, by its keys alone; Ctrl-C twice ends a run at once', async () => {
    const where = world(null);
    const app = openScreen(['demo', '--aider', '/no/such/aider'], {
      cwd: tempFolder(),
      env: where.env,
      cols: 120,
      rows: 40,
    });
    await app.shows(/Make tiny-text fit/);
    await app.shows(/gemini-1\.5-pro is gone/);
    await app.press(key.enter, /PRD by gemini-2\.5-pro/);
    await app.press(key.enter, /GROUPS/);
    await app.press(key.enter, /This is what will happen[\s\S]*SIMULATED/);
    await app.press(key.enter, /running SIMULATED/);
    await app.press(key.ctrl('c'), /Stop the run and quit\?/);
    app.type(key.ctrl('c'));
    const end = await app.end();
    expect(end.code, end.text).toBe(130);
    expect(end.text).toContain('The agents were SIMULATED');
    expect(end.text).toContain('killed (SIGINT)');
    expectTerminalWhole(app.bytes());
    const repo = /Sample repository: (.*) \(/.exec(app.bytes())?.[1] as string;
    expect(lastSummary(repo).interrupted_by).toBe('SIGINT');
    await eventually(() => expect(processesWith(`${repo}/`)).toEqual([]));
    expect(isAlive(app.pid)).toBe(false);
  });
});

test('the demo without Aider goes on with simulated agents, and says so on every line that shows them', async () => {
  const where = world(null);
  const end = await runCli(['demo', '--aider', '/no/such/aider'], {
    cwd: tempFolder(),
    env: where.env,
  });
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(end.stdout).toContain('The demo continues with SIMULATED agents');
  const agentLines = end.stdout.split('\n').filter((line) => /\bagent\d/.test(line));
  expect(agentLines.length).toBeGreaterThan(8);
  for (const line of agentLines) expect(line).toContain('simulated');
  expect(end.stdout).toContain('after 6 pass, 0 fail');
  const repo = /Sample repository: (.*) \(/.exec(end.stdout)?.[1] as string;
  expect(lastSummary(repo)).toMatchObject({
    simulated: true,
    landed: true,
    gemini_model_used: 'gemini-2.5-pro',
  });
  expect(readFileSync(path.join(repo, 'src/index.js'), 'utf8')).toContain('wordCount');
  expect(git(repo, 'log', '--format=%B')).toContain('Made by a simulated agent.');
});

test('a PRD or a plan whose tasks cannot be used opens the screen, where that is said and mended', async () => {
  const app = openWizard();
  await app.shows(/changed\?/);
  app.type(key.ctrl('c'));
  await app.end();
  const file = path.join(app.home, 'prd.md');
  writeFileSync(file, '# X\n\n## Tasks\n\n### Nobody understands this\n');
  const prd = openScreen(['--prd', file, '--change', 'x', '--aider', noAider], {
    cwd: app.repo,
    env: { ...world(null, app.home).env, OPENAI_API_KEY: 'k' },
  });
  await prd.shows(/changed\?/);
  await prd.press(key.enter, /PRD[\s\S]*line 5[\s\S]*Nobody understands this/);
  await prd.press(key.enter, /could not be read/);
  prd.type(key.ctrl('c'));
  await prd.press(key.ctrl('c'), /Quit\?|Not started/);
  await prd.end();
  const plan = path.join(app.home, 'plan.json');
  const task = { title: 'Same', files: ['src/a.ts'] };
  writeFileSync(
    plan,
    JSON.stringify({
      tasks: [
        { id: 'T1', ...task },
        { id: 'T2', ...task },
      ],
    }),
  );
  const groups = openScreen(['--plan', plan, '--change', 'x', '--aider', noAider], {
    cwd: app.repo,
    env: { ...world(null, app.home).env, OPENAI_API_KEY: 'k' },
  });
  await groups.shows(/changed\?/);
  await groups.press(key.enter, /GROUPS[\s\S]*✗ .*src\/a\.ts/);
  groups.type(key.ctrl('c'));
  await groups.press(key.ctrl('c'), /Quit\?|Not started/);
  await groups.end();
});
