import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { Shells } from '../../../source/services/git/git-shells.js';
import { git, startFromShells } from '../../../source/services/git/run-git.js';
import { until } from '../../eventually.js';
import { isAlive, makeRepo, git as run, tempFolder } from '../../rig.js';

const nothing = { cwd: '/', env: {}, input: undefined };

function open(): Shells {
  const shells = new Shells({ PATH: process.env['PATH'], KEPT: 'kept' });
  onTestFinished(() => shells.close());
  return shells;
}

const sh = (script: string, ...words: string[]) => ['sh', '-c', script, 'sh', ...words];

async function answer(shells: Shells, command: Parameters<Shells['run']>[0]) {
  const led = shells.run(command);
  if (!led) throw new Error('not taken');
  const { stdout, stderr, code } = await led;
  return { out: stdout.toString(), errors: stderr.toString(), code };
}

test('any words, variables and input arrive as they are, and what is printed comes back', async () => {
  const shells = open();
  const word = fc.string({
    unit: fc.constantFrom('a', ' ', "'", '"', '\\', '$', '`', '\n', '*', '.', '!', 'ß', '日'),
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 4 }), word, word, async (words, value, text) => {
      const input = `${text}\n`;
      const script =
        'for word; do printf "%s|" "$word"; done; printf "%s|%s|" "$OWN" "$KEPT"; cat; printf "e%s" "$OWN" >&2';
      const seen = await answer(shells, {
        cwd: '/',
        args: sh(script, ...words),
        env: { OWN: value },
        input,
      });
      const printed = [...words, value, 'kept', input].join('|');
      expect(seen).toEqual({ out: printed, errors: `e${value}`, code: 0 });
    }),
  );
});

test('exit codes, folders, large outputs, no input; a variable of one command is not the next one’s', async () => {
  const shells = open();
  expect(await answer(shells, { ...nothing, args: sh('exit 7') })).toMatchObject({ code: 7 });
  expect(await answer(shells, { ...nothing, args: ['no-such-command'] })).toMatchObject({
    code: 127,
  });
  const gone = { ...nothing, cwd: path.join(tempFolder(), 'gone'), args: ['pwd'] };
  const { code, errors } = await answer(shells, gone);
  expect(code).toBeGreaterThan(0);
  expect(errors).toContain('gone');
  const { out } = await answer(shells, {
    ...nothing,
    args: sh('cat; yes ...... | head -n 300000'),
  });
  expect(out.length).toBe(2_100_000);
  await answer(shells, { ...nothing, env: { ONCE: '1' }, args: ['true'] });
  const after = await answer(shells, { ...nothing, args: sh('echo "$ONCE$(pwd)"') });
  expect(after.out).toBe('/\n');
});

test('any bytes are an input; what no line of shell can hold is left to others', async () => {
  const shells = open();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const input = Buffer.from(bytes);
      const answer = await shells.run({ ...nothing, args: ['cat'], input });
      expect(answer?.stdout.equals(input)).toBe(true);
    }),
  );
  expect(shells.run({ ...nothing, args: ['cat'], input: 'a'.repeat(300_000) })).toBe(null);
  expect(shells.run({ ...nothing, args: ['a\0'] })).toBe(null);
  const many = Array.from({ length: 40 }, (_, at) =>
    shells.run({ ...nothing, args: ['echo', String(at)] }),
  );
  const said = (await Promise.all(many)).map((one) => Number(one?.stdout));
  expect(said).toEqual(Array.from({ length: 40 }, (_, at) => at));
});

test('a shell that is killed fails its command alone; closed, none is left', async () => {
  const shells = open();
  const pid = Number((await answer(shells, { ...nothing, args: sh('echo $PPID') })).out);
  expect(isAlive(pid)).toBe(true);
  const led = shells.run({ ...nothing, args: sh('kill -9 $PPID; sleep 0.1') });
  await expect(led).rejects.toThrow(/has ended/);
  const others = Array.from({ length: 20 }, () =>
    answer(shells, { ...nothing, args: sh('echo $PPID') }),
  );
  const pids = (await Promise.all(others)).map(({ out }) => Number(out));
  expect(new Set(pids).size).toBeGreaterThan(0);
  expect(pids).not.toContain(pid);
  shells.close();
  await until(() => !pids.some(isAlive));
  expect(shells.run({ ...nothing, args: ['true'] })).toBe(null);
});

test('git answers the same from a shell as started here', async () => {
  const repo = makeRepo({ 'a b.txt': "it's\n", 'ä.txt': 'two\n' });
  const ask = async () => [
    await git(repo, ['ls-files', '-z']),
    await git(repo, ['log', '-1', '--format=%s%n%b']),
    await git(repo, ['hash-object', '-w', '--stdin'], { input: "it's\n$x\n" }),
    await git(repo, ['check-ignore', '-z', '--stdin'], { input: 'a\0', answers: [1] }),
    await git(repo, ['rev-parse', '--verify', 'nothing']),
    await git(repo, ['hash-object', '-w', '--stdin'], {
      input: Buffer.from([0, 255, 37, 39, 92, 10]),
    }),
    await git(repo, ['write-tree'], { env: { GIT_INDEX_FILE: path.join(repo, '.git/index') } }),
  ];
  const direct = await ask();
  const end = startFromShells();
  onTestFinished(end);
  expect(await ask()).toEqual(direct);
  expect(direct.map((one) => one.ok)).toEqual([true, true, true, true, false, true, true]);
  expect(run(repo, 'status', '--porcelain')).toBe('');
});

test('the shells serve all runs of a process, and end with the last', async () => {
  const repo = makeRepo({ 'a.txt': 'a\n' });
  const before = new Set(childPids());
  const [one, other] = [startFromShells(), startFromShells()];
  onTestFinished(one);
  onTestFinished(other);
  const shells = childPids().filter((pid) => !before.has(pid));
  expect(shells.length).toBe(8);
  one();
  one();
  expect((await git(repo, ['status'])).ok).toBe(true);
  expect(shells.every(isAlive)).toBe(true);
  other();
  await until(() => !shells.some(isAlive));
});

function childPids(): number[] {
  const file = `/proc/${process.pid}/task/${process.pid}/children`;
  return readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
