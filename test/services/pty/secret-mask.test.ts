import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spawnPty } from '../../../source/services/pty/pty-process.js';
import { readToEnd } from '../../../source/services/pty/run-command.js';
import {
  maskText,
  providerSecrets,
  SecretMask,
  withoutSecrets,
} from '../../../source/services/pty/secret-mask.js';
import { aiderTest, makeRepo, modelServer, runPlan, tempFolder, world } from '../../rig.js';

const secret = 'sk-proj-Zq7Lx0aBcDeFgHiJkLmNoPqRsTuVwXyZ';

/** All that comes out for some chunks, at the end too. */
function through(chunks: readonly Buffer[], secrets = [secret]): string {
  const mask = new SecretMask(secrets);
  const out = chunks.map((chunk) => mask.next(Buffer.from(chunk)));
  return Buffer.concat([...out, mask.flush()]).toString();
}

/** A text without what may stand between the characters of a broken line. */
const joined = (text: string) => text.replace(/\r|\n|\x1b\[[0-9;]*m/g, '');

describe('secrets in what a program prints', () => {
  const breaks = fc.constantFrom('', '\r\n', '\n', '\x1b[0m\r\n\x1b[31m', '\x1b[1;38;5;196m');
  const pieces = fc.oneof(
    fc.constantFrom('sk-', 'sk-proj-', 'sk-proj-Zq7', 'proj', 'é漢', '\x1b[31m', '\r\n', ' '),
    fc.string({ maxLength: 12 }),
  );

  test('however they are broken and cut, at most seven of their characters get through', () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 6 }),
        fc.nat(secret.length - 1),
        breaks,
        fc.array(pieces, { maxLength: 6 }),
        fc.array(fc.nat(200), { maxLength: 8 }),
        (before, at, between, after, cuts) => {
          const text = [...before, secret.slice(0, at), between, secret.slice(at), ...after].join(
            '',
          );
          const bytes = Buffer.from(text);
          const places = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length];
          places.sort((a, b) => a - b);
          const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
          const out = through(chunks);
          expect(Buffer.byteLength(out)).toBe(bytes.length);
          expect(joined(out)).not.toContain(secret.slice(7));
          expect(joined(out)).toContain('*'.repeat(secret.length - 7));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('other output passes as it is, whole', () => {
    fc.assert(
      fc.property(fc.array(pieces), (chunks) => {
        const text = chunks.join('');
        fc.pre(!joined(text).includes(secret));
        expect(through(chunks.map((chunk) => Buffer.from(chunk)))).toBe(text);
      }),
    );
  });

  test('a beginning that nothing follows is held up for a moment only', async () => {
    const script = 'printf sk-proj-Zq; read line';
    const process = withoutSecrets(
      spawnPty({ file: '/bin/sh', args: ['-c', script], cwd: '/', env: {}, cols: 80, rows: 24 }),
      [secret],
    );
    const shown = new Promise((resolve) => process.onData(resolve));
    const ended = readToEnd(process);
    expect(String(await shown)).toBe('sk-proj-Zq');
    process.write('\r');
    expect((await ended).exit.code).toBe(0);
  });

  test('what a process prints last is there before its end is told', async () => {
    const args = ['-c', 'printf "%s sk-proj" "$KEY"'];
    const env = { KEY: secret };
    const started = spawnPty({ file: '/bin/sh', args, cwd: '/', env, cols: 80, rows: 24 });
    const { text } = await readToEnd(withoutSecrets(started, [secret]));
    expect(text).toBe(`${'*'.repeat(secret.length)} sk-proj`);
  });

  test('keys are known by the names of their variables; paths are none', () => {
    const env = {
      OPENAI_API_KEY: 'a-key-of-some-length',
      GITHUB_TOKEN: 'a-token-of-some-length',
      AWS_SECRET_ACCESS_KEY: 'another-one',
      SSH_AUTH_SOCK: '/tmp/socket',
      TOKEN: '/run/token',
      PATH: '/bin',
    };
    expect(providerSecrets(env)).toEqual(Object.values(env).slice(0, 3));
  });

  test('a short value is a word, and stays', () => {
    expect(maskText('the test passes', ['test'])).toBe('the test passes');
  });
});

describe('a provider that repeats the key, with real Aider', () => {
  const echo = 'Key of yours: ';

  for (const [name, key] of [
    ['a short one', 'sk-test-short-one'],
    [
      'one longer than a line',
      `sk-proj-${Array.from({ length: 40 }, (_, n) => n * 7919).join('x')}`,
    ],
  ] as const) {
    aiderTest(`${name} is in no file of the run, though agents reach it directly`, async () => {
      const repo = makeRepo({ 'a.py': 'a = 1\n' });
      const text = `${echo}${key}`;
      const replies = [{ status: 400, text }, { text: `${text}\n` }];
      const where = world(await modelServer([{ replies }]), tempFolder('home'));
      const own = { ...where, env: { ...where.env, OPENAI_API_KEY: key } };
      const tasks = [{ id: 'T1', title: 'Raise a', files: ['a.py'] }];
      const end = await runPlan(repo, own, tasks, ['--direct', '--max-iterations', '2']);
      const files = filesBelow(path.join(repo, '.aider_logs')).concat(filesBelow(where.home));
      const texts = files.map((file) => [file, readFileSync(file, 'latin1')] as const);
      const holds = texts.filter(([, held]) => joinedCast(held).includes(key.slice(3, 40)));
      expect(holds.map(([file]) => file)).toEqual([]);
      // It was there to be masked: on the screen, in the chat, in the replies.
      const told = texts.filter(([, held]) => held.includes(echo)).map(([file]) => file);
      expect(
        told.some((file) => file.endsWith('.cast')),
        end.stdout,
      ).toBe(true);
      expect(told.length).toBeGreaterThan(2);
      expect(end.stdout + end.stderr).not.toContain(key.slice(3, 40));
    });
  }
});

/** A recording's text as if its lines were not broken. */
function joinedCast(text: string): string {
  return text.replace(/"\]\n\[[\d.]+, ?"o", ?"|\\r|\\n|\\u001b\[[0-9;]*m/g, '');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}
