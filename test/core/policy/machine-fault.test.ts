import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultOfError, faultOfText } from '../../../source/core/policy/machine-fault.js';
import { haltedBy, noteFailures } from '../../../source/core/run/circuit-breaker.js';
import { initialState } from '../../../source/core/run/run.js';
import { confirmedFault } from '../../../source/services/machine/confirm-fault.js';
import { integrateBatch } from '../../../source/store/integrate.js';
import { tempFolder } from '../../rig.js';
import { testConfig } from '../../test-config.js';

describe('faults of the machine', () => {
  test('are recognised by code and by words, and nothing else is', () => {
    const known: readonly (readonly [unknown, string | null])[] = [
      [{ code: 'ENOSPC', message: '' }, 'disk_full'],
      [{ code: 'EDQUOT', message: '' }, 'disk_full'],
      [{ code: 'EMFILE', message: '' }, 'descriptors'],
      [{ code: 'EAGAIN', message: '' }, 'processes'],
      [{ code: 'ENOMEM', message: '' }, 'memory'],
      [new Error('fatal: write error: No space left on device'), 'disk_full'],
      [new Error('sh: 0: Cannot fork'), 'processes'],
      [{ code: 'ENOENT', message: 'spawn git ENOENT' }, null],
      [new Error('merge conflict'), null],
    ];
    for (const [error, fault] of known) expect(faultOfError(error)).toBe(fault);
    expect(faultOfText('tests: 3 failed')).toBe(null);
  });

  test('what a test prints is believed of the disk only when the disk is full', () => {
    const folder = tempFolder();
    expect(confirmedFault('No space left on device', folder)).toBe(null);
    expect(confirmedFault('anything', path.join(folder, 'gone'))).toBe('folder_gone');
  });

  test('the first one halts the run; tests that could not be run blame no work', async () => {
    const run = initialState({ ...testConfig, unattended: false }, 0);
    const halted = haltedBy(run, 'disk_full', 'x', []);
    expect(halted).toMatchObject({ paused: true, circuitBreaker: { reason: 'disk_full' } });
    expect(halted.warnings[0]).toMatch(/the disk is full.*Free some space/);
    expect(noteFailures(halted, halted)).toBe(halted);
    const done = await integrateBatch(
      {
        merge: async (_, item) => ({ ok: true, value: { clean: true, commit: item.commit } }),
        advance: async () => ({ ok: true, value: { files: [] } }),
        tests: {
          mode: 'decides',
          accepts: () => false,
          run: async () => {
            const fault = 'disk_full' as const;
            return { state: 'faulted', fault, words: 'full', output: '', ms: 0, flaky: false };
          },
        },
      },
      'base',
      null,
      [{ agent: 0, title: 'x', commit: 'c', needs: [] }],
    );
    expect(done).toMatchObject({ ok: false, failure: { kind: 'machine', fault: 'disk_full' } });
  });
});
