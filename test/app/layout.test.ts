import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inside, layoutPanes, neighbour } from '../../source/app/layout.js';

describe('the layout', () => {
  const area = { x: 0, y: 1, width: 200, height: 57 };

  test.each([
    [200, 60, 3, 'grid'],
    [200, 60, 8, 'grid'],
    [80, 24, 4, 'grid'],
    [80, 24, 5, 'list'],
    [70, 20, 3, 'list'],
    [59, 40, 3, 'tabs'],
    [100, 15, 3, 'tabs'],
    [29, 40, 3, 'too_small'],
    [80, 7, 3, 'too_small'],
    [80, 24, 1, 'zoomed'],
  ] as const)('%ix%i with %i agents: %s', (cols, rows, agents, kind) => {
    const own = { x: 0, y: 1, width: cols, height: rows - 3 };
    expect(layoutPanes(own, { cols, rows }, agents, 0, 'panes').kind).toBe(kind);
  });

  test('panes of a grid fill their area without an overlap, and none is too small', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 300 }),
        fc.integer({ min: 8, max: 100 }),
        fc.integer({ min: 2, max: 32 }),
        (cols, rows, agents) => {
          const own = { x: 0, y: 1, width: cols, height: rows - 3 };
          const layout = layoutPanes(own, { cols, rows }, agents, 0, 'panes');
          if (layout.kind !== 'grid') return;
          expect(layout.panes.length).toBe(agents);
          const cells = layout.panes.reduce((sum, pane) => sum + pane.width * pane.height, 0);
          expect(cells).toBe(own.width * own.height);
          const taken = new Set<string>();
          for (const pane of layout.panes) {
            expect(inside(pane).width).toBeGreaterThanOrEqual(38);
            expect(inside(pane).height).toBeGreaterThanOrEqual(8);
            for (let y = pane.y; y < pane.y + pane.height; y++) {
              for (let x = pane.x; x < pane.x + pane.width; x++) taken.add(`${x} ${y}`);
            }
          }
          expect(taken.size).toBe(cells);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('directions lead to the nearest pane, and nowhere at the edge', () => {
    const layout = layoutPanes(area, { cols: 200, rows: 60 }, 4, 0, 'panes');
    if (layout.kind !== 'grid') throw new Error(layout.kind);
    expect(neighbour(layout.panes, 0, 'right')).toBe(1);
    expect(neighbour(layout.panes, 0, 'down')).toBe(2);
    expect(neighbour(layout.panes, 3, 'up')).toBe(1);
    expect(neighbour(layout.panes, 0, 'left')).toBe(0);
  });
});
