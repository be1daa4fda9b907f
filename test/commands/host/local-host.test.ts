import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LocalHost } from '../../../source/commands/host/local-host.js';
import { resolveOptions } from '../../../source/commands/options.js';
import { nothingHanded } from '../../../source/services/config/repo-aider-files.js';
import { openRepository } from '../../../source/services/git/repository.js';
import { makeRepo } from '../../rig.js';

function opened() {
  const flags = { agentCmd: 'true', withoutTest: true };
  const options = resolveOptions({ flags, env: {}, repo: {}, user: {} }, []);
  if (!options.ok) throw new Error('no options');
  const source = { kind: 'none' as const };
  return { options: options.value, handed: nothingHanded, focus: [], source, given: null };
}

function host(): LocalHost {
  const nothing = () => {};
  return new LocalHost({ overrides: {}, warn: nothing, geminiKey: () => null, say: nothing });
}

test('what is asked for before the repository has been read waits for it', async () => {
  const repo = makeRepo({ 'named.ts': '' });
  const own = host();
  const reading = pause(50).then(() => openRepository(repo));
  own.prepareWhen(reading, opened(), null);
  expect(await own.digest('change it', [])).toContain('named.ts');
  await own.close();
});

test('a repository that cannot be read is told to who asks, and the host can still be closed', async () => {
  const own = host();
  own.prepareWhen(openRepository('/nowhere'), opened(), null);
  await expect(own.digest('change it', [])).rejects.toThrow('the repository cannot be read');
  await own.close();
});
