import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { copyWay } from '../../../source/app/terminal/clipboard.js';

const decoded = (sequence: string) =>
  Buffer.from(/52;c;([^\x07]*)\x07/.exec(sequence)?.[1] ?? '', 'base64').toString();

test('a plain terminal gets OSC 52, and no more is said than that it was sent', async () => {
  const { sequence, words } = await copyWay('one\nzwei ß', {});
  expect(decoded(sequence)).toBe('one\nzwei ß');
  expect(words).toBe("Sent 2 lines to the terminal's clipboard, if it takes them (OSC 52).");
});

test('GNU screen gets it in pieces that it passes on', async () => {
  const { sequence } = await copyWay('x'.repeat(2000), { STY: '1.pts' });
  const pieces = sequence.split('\x1b\\').filter(Boolean);
  expect(pieces.every((piece) => piece.startsWith('\x1bP') && piece.length <= 252)).toBe(true);
  expect(decoded(pieces.map((piece) => piece.slice(2)).join(''))).toBe('x'.repeat(2000));
});

test('what is too much for terminals is not sent, and that is said', async () => {
  const { sequence, words } = await copyWay('y\n'.repeat(100_000), {});
  expect(sequence).toBe('');
  expect(words).toContain('nothing was copied');
});

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

test.runIf(hasTmux)('tmux takes it into its buffer; one that is gone leaves OSC 52', async () => {
  const socket = `ao${randomBytes(4).toString('hex')}`;
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', 'cat');
  onTestFinished(() => void tmux('kill-server'));
  const place = tmux('display-message', '-p', '#{socket_path},#{pid},0').trim();
  const { sequence, words } = await copyWay('to tmux\nzwei', {
    PATH: process.env['PATH'],
    TMUX: place,
  });
  expect(sequence).toBe('');
  expect(words).toBe("Copied 2 lines to tmux's buffer.");
  expect(tmux('show-buffer')).toBe('to tmux\nzwei');
  const gone = await copyWay('x', { PATH: process.env['PATH'], TMUX: '/nowhere,1,0' });
  expect(decoded(gone.sequence)).toBe('x');
});
