import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectTo, listenAt, socketOf } from '../../../source/services/host/socket.js';
import { setVariable } from '../../../source/services/machine/environment.js';
import { tempFolder } from '../../rig.js';

function withDataFolder(folder: string): void {
  const before = process.env['XDG_DATA_HOME'];
  setVariable('XDG_DATA_HOME', folder);
  onTestFinished(() => setVariable('XDG_DATA_HOME', before));
}

test('a socket lies in a folder that only the user can open, and goes with its server', async () => {
  const file = path.join(tempFolder(), 'hosts', 'run.sock');
  const server = await listenAt(file, () => {});
  if (!server.ok) throw new Error(server.failure);
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const socket = await connectTo(file);
  expect(socket.ok).toBe(true);
  if (socket.ok) socket.value.destroy();
  await new Promise((resolve) => server.value.close(resolve));
  expect(existsSync(file)).toBe(false);
  expect(await connectTo(file)).toEqual({ ok: false, failure: 'it has no socket' });
});

test('a socket of a program that died is told, and taken over', async () => {
  const folder = path.join(tempFolder(), 'hosts');
  mkdirSync(folder, { mode: 0o700 });
  const file = path.join(folder, 'run.sock');
  const dies = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', dies]);
  expect(statSync(file).isSocket()).toBe(true);
  expect(await connectTo(file)).toMatchObject({
    ok: false,
    failure: 'nobody listens at its socket any more',
  });
  const server = await listenAt(file, (stream) => stream.end());
  if (!server.ok) throw new Error(server.failure);
  onTestFinished(() => void server.value.close());
  const socket = await connectTo(file);
  expect(socket.ok).toBe(true);
  if (socket.ok) socket.value.destroy();
});

test.each([
  ['that others can open', (folder: string) => chmodSync(folder, 0o755), /others can open it/],
  [
    'that is a link',
    (folder: string) => {
      renameSync(folder, `${folder}-elsewhere`);
      symlinkSync(`${folder}-elsewhere`, folder);
    },
    /it is no folder/,
  ],
])('a folder %s is not used', async (_, change, words) => {
  const folder = path.join(tempFolder(), 'hosts');
  const file = path.join(folder, 'run.sock');
  const server = await listenAt(file, () => {});
  if (!server.ok) throw new Error(server.failure);
  onTestFinished(() => void server.value.close());
  change(folder);
  expect(await connectTo(file)).toMatchObject({ ok: false, failure: expect.stringMatching(words) });
  expect(await listenAt(path.join(folder, 'other.sock'), () => {})).toMatchObject({
    ok: false,
    failure: expect.stringMatching(words),
  });
});

test.runIf(process.getuid?.() === 0)('a socket of another user is not spoken to', async () => {
  const folder = path.join(tempFolder(), 'hosts');
  const file = path.join(folder, 'run.sock');
  const server = await listenAt(file, () => {});
  if (!server.ok) throw new Error(server.failure);
  onTestFinished(() => void server.value.close());
  chownSync(file, 65534, 65534);
  const words = expect.stringMatching(/belongs to another user/);
  expect(await connectTo(file)).toMatchObject({ ok: false, failure: words });
  chownSync(file, 0, 0);
  chownSync(folder, 65534, 65534);
  expect(await connectTo(file)).toMatchObject({ ok: false, failure: words });
});

test('what is no socket is told', async () => {
  const folder = path.join(tempFolder(), 'hosts');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(path.join(folder, 'run.sock'), '');
  expect(await connectTo(path.join(folder, 'run.sock'))).toMatchObject({
    ok: false,
    failure: expect.stringMatching(/is no socket/),
  });
});

test('a path that is too long for a socket is met, by the same one for all', async () => {
  const record = '/x/repositories/0123456789abcdef/20260102_030405.jsonl';
  withDataFolder('/home/somebody/.local/share');
  expect(socketOf(record)).toBe(
    '/home/somebody/.local/share/aider-orchestrator/hosts/0123456789ab-20260102_030405.sock',
  );
  withDataFolder(`/home/${'long/'.repeat(30)}`);
  const short = socketOf(record);
  expect(Buffer.byteLength(short)).toBeLessThan(100);
  expect(socketOf(record)).toBe(short);
  expect(socketOf(record.replace('0102', '0103'))).not.toBe(short);
  expect(short).toContain(`/aider-orchestrator-${process.getuid?.()}/`);
});
