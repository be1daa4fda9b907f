import { expect, test } from 'vitest';
import { Harness, keys } from './harness.js';

test('from the change to the start: steps forward, and back without a loss', async () => {
  const app = new Harness({ cols: 100, rows: 30 });
  await app.shows(/▸ CHANGE/);
  await app.press('Größere 日本語', /Größere 日本語/);
  await app.press(keys.enter, /▸ PRD[\s\S]*R1: dates are read/);
  expect(app.text()).toContain('ISO  │ 2026-01-02');
  await app.press(keys.enter, /▸ GROUPS[\s\S]*src\/date-forms\.ts +new/);
  expect(app.text()).toContain('1: T1 T2  │  2: T3');
  await app.press(keys.enter, /This will happen[\s\S]*Base +main at bbbbbbbbbbbb Start/);
  await app.press(keys.esc, /▸ GROUPS/);
  await app.press(keys.esc, /▸ PRD/);
  await app.press(keys.esc, /▸ CHANGE[\s\S]*Größere 日本語/);
  // Nothing changed, so nothing is made again.
  await app.press(keys.enter, /▸ PRD/);
  expect(app.plans).toBe(1);
  await app.press(keys.esc, /▸ CHANGE/);
  await app.press('!', /日本語!/);
  await app.press(keys.enter, /written for another change/);
  await app.press(`${keys.down}${keys.enter}`, /▸ PRD/);
  expect(app.plans).toBe(1);
});
