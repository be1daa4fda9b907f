import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { metricsToken, showsToken } from '../../../source/services/web/metrics-token.js';
import { tempFolder } from '../../rig.js';

const place = () => path.join(tempFolder(), 'data', 'metrics.token');

test('a token is made once, for the user alone', () => {
  const file = place();
  const token = metricsToken(file);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(metricsToken(file)).toBe(token);
  expect(showsToken(`Bearer ${token}`, token)).toBe(true);
  expect(showsToken(undefined, token)).toBe(false);
});

test('a token that others could read, or that is none, is replaced; a link is not followed', () => {
  const file = place();
  const token = metricsToken(file);
  chmodSync(file, 0o644);
  const second = metricsToken(file);
  expect(second).not.toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, '\n');
  const third = metricsToken(file);
  expect(third).not.toBe(second);
  const linked = place();
  const elsewhere = path.join(tempFolder(), 'known');
  writeFileSync(elsewhere, `${'A'.repeat(43)}\n`, { mode: 0o600 });
  mkdirSync(path.dirname(linked), { recursive: true });
  symlinkSync(elsewhere, linked);
  expect(metricsToken(linked)).not.toBe('A'.repeat(43));
  expect(readFileSync(elsewhere, 'utf8')).toBe(`${'A'.repeat(43)}\n`);
});
