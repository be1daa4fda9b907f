import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { chromiumHere } from '../browser.js';
import { eventually, until } from '../eventually.js';
import { given, isUsable, makeListeners, open, press, terminal, tryOut } from '../page-rig.js';
import { hostsOf } from '../processes.js';
import { lastSummary, runCli, startCli } from '../rig.js';
import { openScreen } from '../screen-rig.js';

const browserTest = test.skipIf(chromiumHere === null);

/** A desktop that only notes what is to be opened in a browser. */
function desktop(home: string): {
  readonly env: NodeJS.ProcessEnv;
  opened(): string;
  environment(): string;
} {
  const folder = path.join(home, 'desktop');
  const note = path.join(folder, 'opened');
  mkdirSync(folder);
  writeFileSync(note, '');
  const opener = path.join(folder, 'xdg-open');
  writeFileSync(opener, `#!/bin/sh\nprintf '%s' "$*" > '${note}'\nenv > '${note}.env'\n`);
  chmodSync(opener, 0o755);
  const env = { DISPLAY: ':99', PATH: `${folder}:${process.env['PATH']}` };
  return {
    env,
    opened: () => readFileSync(note, 'utf8'),
    environment: () => readFileSync(`${note}.env`, 'utf8'),
  };
}

const shown = /http:\/\/127\.0\.0\.1:\d+\/enter\/[\w-]{22}(?![\w-])/;

browserTest(
  'w on the screen opens this run in a browser; terminal and two browsers lead it',
  async () => {
    const { where, repo, args } = makeListeners();
    const { env, opened, environment } = desktop(where.home);
    const screen = openScreen([...args, '--change', 'All of it'], {
      cwd: repo,
      env: { ...where.env, ...env, OPENAI_API_KEY: 'sk-of-the-person' },
      cols: 80,
      rows: 24,
    });
    await screen.shows(/Everything a run needs/);
    await screen.press('\r', /GROUPS/);
    await screen.press('\r', /This is what will happen/);
    await screen.press('\r', /at work on/);
    await screen.press('w', /This run in a browser/);
    await screen.shows(/Your browser was asked to open it/);
    // The whole address stands in one line of a small screen.
    const [address = ''] = shown.exec(screen.text()) ?? [];
    // What the browser is started with leads there, and tells the secret to nobody else.
    const file = opened();
    expect(file).not.toContain('enter');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    expect(readFileSync(file, 'utf8')).toContain(address);
    // Nor does the browser get the keys that the person has given.
    expect(environment()).toContain('DISPLAY=:99');
    expect(environment()).not.toContain('sk-of-the-person');
    const { page, problems } = await open(pathToFileURL(file).href);
    await terminal(page, 0).getByText('at work on f0.txt').waitFor();
    // Another address for another browser, which gets there by a link on a page of another origin.
    await screen.press('n', /^(?![\s\S]*in a browser)/);
    await screen.press('w', /This run in a browser/);
    await screen.shows(new RegExp(`^(?![\\s\\S]*${address})[\\s\\S]*enter/`));
    const [second = ''] = shown.exec(screen.text()) ?? [];
    const elsewhere = await otherOrigin(`<a href="${second}">there</a>`);
    const other = await open(elsewhere);
    await other.page.getByRole('link', { name: 'there' }).click();
    await terminal(other.page, 1).getByText('at work on f1.txt').waitFor();
    await screen.press('n', /^(?![\s\S]*in a browser)/);
    // Each leads an agent of its own, and sees what the others do.
    await page.keyboard.press('0');
    await terminal(page, 0).locator('textarea').pressSequentially('from one\n');
    await other.page.keyboard.press('1');
    await terminal(other.page, 1).locator('textarea').pressSequentially('from two\n');
    await screen.press('2', /▸2/);
    await screen.press('i', /stops typing/);
    screen.type('from three\r');
    await screen.shows(/heard: from one/);
    await screen.shows(/heard: from two/);
    await screen.shows(/heard: from three/);
    await page.keyboard.press('Control+]');
    await page.keyboard.press('Escape');
    await terminal(page, 1).getByText('heard: from two').first().waitFor();
    await terminal(page, 2).getByText('heard: from three').first().waitFor();
    expect([...problems, ...other.problems]).toEqual([]);
    // The screen is left, and the page with it; the run goes on.
    screen.type('\x1d');
    await screen.press('q', /[Ll]eave it running/);
    screen.type('\r');
    expect((await screen.end()).code).toBe(0);
    await page.getByText(/cannot be reached/i).waitFor();
    expect(readdirSync(path.dirname(file))).toEqual([]);
    const [, run = ''] = /Run (\d{8}_\d{6}) goes on/.exec((await screen.exit).text) ?? [];
    await page.context().close();
    await other.page.context().close();
    expect((await runCli(['stop', run], { cwd: repo, env: where.env })).code).toBe(0);
    await until(() => hostsOf(where.home).length === 0);
  },
);

/** A page of another origin on this machine; gives its address. */
async function otherOrigin(html: string): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  // Another name than that of the page: ports alone do not make another site.
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}

browserTest(
  'a page of another origin is refused whatever it tries in a browser that was let in',
  async () => {
    const { links, run, repo, where } = await given();
    const { page } = await open(links[0] as string);
    await page.getByRole('link', { name: run }).waitFor();
    const { port } = new URL(links[0] as string);
    const own = `127.0.0.1:${port}`;
    const id = (await page.evaluate(
      async () => (await (await fetch('/api/runs')).json())[0].id,
    )) as string;
    for (const host of [own, `localhost:${port}`]) {
      const attacker = await page.context().newPage();
      await attacker.goto(await otherOrigin('<h1>Elsewhere</h1>'));
      const tried = await attacker.evaluate(
        async ({ host, id }) => {
          const read = await fetch(`http://${host}/api/runs`, { credentials: 'include' }).then(
            (answer) => answer.text(),
            () => 'refused',
          );
          const blind = await fetch(`http://${host}/api/runs`, {
            mode: 'no-cors',
            credentials: 'include',
          }).then(
            ({ type }) => type,
            () => 'refused',
          );
          const live = await new Promise<string>((resolve) => {
            const socket = new WebSocket(`ws://${host}/api/runs/${id}/live`);
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
          });
          const script = await new Promise<string>((resolve) => {
            const element = document.createElement('script');
            element.src = `http://${host}/assets/page.js`;
            element.onload = () => resolve('loaded');
            element.onerror = () => resolve('refused');
            document.head.append(element);
          });
          const frame = document.createElement('iframe');
          frame.src = `http://${host}/`;
          document.body.append(frame);
          await new Promise((resolve) => frame.addEventListener('load', resolve));
          let framed = 'unseen';
          try {
            framed = frame.contentDocument?.body.textContent ?? 'unseen';
          } catch {}
          return { read, blind, live, script, framed };
        },
        { host, id },
      );
      expect(tried, host).toEqual({
        read: 'refused',
        blind: 'refused',
        live: 'refused',
        script: 'refused',
        framed: 'unseen',
      });
      await attacker.close();
    }
    // The page itself is as well as before.
    await page.getByRole('link', { name: run }).click();
    await terminal(page, 0).getByText('at work on f0.txt').waitFor();
    await page.context().close();
    await runCli(['stop', run], { cwd: repo, env: where.env });
  },
);

browserTest(
  '--web without a screen tells the address, and the page is there until the run ends',
  async () => {
    const { where, repo, args } = makeListeners();
    const running = startCli([...args, '--yes', '--web'], { cwd: repo, env: where.env });
    let told = '';
    running.child.stderr?.on('data', (text) => {
      told += text;
    });
    await until(() => shown.test(told));
    const { page } = await open(shown.exec(told)?.[0] as string);
    for (const agent of [0, 1, 2, 3]) {
      await terminal(page, agent).getByText(`at work on f${agent}.txt`).first().waitFor();
      await page.keyboard.press(String(agent));
      await terminal(page, agent).locator('textarea').pressSequentially('go\n');
      await page.keyboard.press('Control+]');
      await page.keyboard.press('Escape');
    }
    expect((await running.end).code).toBe(0);
    await eventually(() => expect(lastSummary(repo).landed).toBe(true));
    await page.getByText(/cannot be reached/i).waitFor();
    // All that happened has come before that.
    await page.getByText('has ended', { exact: true }).waitFor();
    await page.keyboard.press('v');
    await page.getByText('The work landed on main').waitFor();
    await page.context().close();
  },
);

browserTest('--web --read-only gives a link that can only watch', async () => {
  const { where, repo, args } = makeListeners();
  const flags = ['--yes', '--web', '--read-only'];
  const running = startCli([...args, ...flags], { cwd: repo, env: where.env });
  let told = '';
  running.child.stderr?.on('data', (text) => {
    told += text;
  });
  await until(() => shown.test(told));
  expect(told).toMatch(/The page of this run, to watch it/);
  const { page } = await open(shown.exec(told)?.[0] as string);
  await terminal(page, 0).getByText('at work on f0.txt').waitFor();
  await tryOut(page, 'Kill all');
  await page.getByRole('status').getByText('This link can only watch.').waitFor();
  await page.context().close();
  running.child.kill('SIGINT');
  await running.end;
});

test('--web and --detach exclude each other, with the way out', async () => {
  const { where, repo, args } = makeListeners();
  const { code, stderr } = await runCli([...args, '--web', '--detach'], {
    cwd: repo,
    env: where.env,
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/--detach leaves at once/);
  expect(stderr).toMatch(/aider-orchestrator web shows all your runs/);
});

browserTest(
  'the page decides about tests that fail on the base, and about model and set-up',
  async () => {
    const { where, repo, args } = makeListeners();
    const { env } = desktop(where.home);
    const red = [
      ...args.filter((arg) => arg !== '--no-test'),
      '--test-cmd',
      'echo all is red; false',
    ];
    const options = { cwd: repo, env: { ...where.env, ...env }, cols: 120, rows: 40 };
    const screen = openScreen([...red, '--change', 'All of it'], options);
    await screen.shows(/Everything a run needs/);
    await screen.press('\r', /GROUPS/);
    await screen.press('\r', /This is what will happen/);
    await screen.press('\r', /The tests fail on the base/);
    await screen.press('\x1b', /decide/);
    await screen.press('w', /This run in a browser/);
    const { page, problems } = await open(shown.exec(screen.text())?.[0] as string);
    await page
      .getByRole('region', { name: 'The tests on the base' })
      .getByText('all is red', { exact: true })
      .waitFor();
    await isUsable(page);
    await press(page, 'Set-up command');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('echo made ready');
    await page.keyboard.press('Enter');
    await press(page, 'Model');
    await dialog.getByRole('textbox').fill('two words');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('That cannot be taken.').waitFor();
    await press(page, 'Model');
    await dialog.getByRole('textbox').fill('gpt-4o-mini');
    await page.keyboard.press('Enter');
    await press(page, 'Another test command');
    await dialog.getByRole('textbox').fill('true');
    await page.keyboard.press('Enter');
    await terminal(page, 3).getByText('at work on f3.txt').waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
    await screen.press('n', /at work on f0/);
    await screen.press('q', /[Ss]top it/);
    screen.type('j\r');
    await screen.end();
    const { model_used, timestamp } = lastSummary(repo);
    expect(model_used).toBe('gpt-4o-mini');
    const logs = path.join(repo, '.aider_logs');
    const setup = readdirSync(logs, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes(timestamp) && name.endsWith('setup.log'))
      .map((name) => readFileSync(path.join(logs, name), 'utf8'));
    expect(setup.join('')).toContain('made ready');
    await until(() => hostsOf(where.home).length === 0);
  },
);
