import { describe, expect, test } from 'vitest';
import { keyProblems, makeKeymap } from '../../source/app/keymap.js';

describe('the keys', () => {
  test('none of ours clashes', () => expect(keyProblems({})).toEqual([]));

  test('own keys replace ours; a clash, an unknown action and no key at all are named', () => {
    const keymap = makeKeymap({ 'run.kill': ['X', 'delete'], 'run.zoom': 'f2' });
    expect(keymap.find('run', 'X')).toBe('run.kill');
    expect(keymap.find('run', 'x')).toBe(null);
    expect(keymap.find('run', 'f2')).toBe('run.zoom');
    expect(keymap.find('run', '?')).toBe('help');
    expect(keyProblems({ 'run.kill': 'r' })).toEqual([
      'keys: r is for run.kill and for run.restart',
    ]);
    expect(keyProblems({ 'prd.edit': '/' })[0]).toMatch(/^keys: \/ is for/);
    expect(keyProblems({ 'run.kill': '?' })[0]).toMatch(/^keys: \? is for/);
    expect(keyProblems({ 'run.fly': 'x' })).toEqual(['keys: there is no action run.fly']);
    expect(keyProblems({ 'run.kill': 'the x key' })[0]).toContain('is no key');
    // The same key in another place is fine.
    expect(keyProblems({ 'summary.sort': 'z' })).toEqual([]);
  });

  test('help names every action with the keys it has', () => {
    const help = makeKeymap({ 'run.kill': 'X' }).help();
    expect(help.find((line) => line.action === 'run.kill')?.keys).toEqual(['X']);
    expect(help.every((line) => line.keys.length > 0 && line.help !== '')).toBe(true);
  });
});
