import type { DOMElement } from 'ink';
import sliceAnsi from 'slice-ansi';
import wrapAnsi from 'wrap-ansi';
import { styledWidth } from '../text/graphemes.js';

/**
 * Lines from Ink's tree after its layout. Ink's own way breaks every text into cells with their styles
 * and joins them again, which for a frame of 200x60 takes ten times as long; here a text stays in one
 * piece and is cut only where another lies above it. Knows what our components use: boxes (absolute
 * ones, too, and such that hide what overflows) and texts, not borders or backgrounds.
 */

/** Columns and rows that may be drawn on; the ends are exclusive. */
interface Clip {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A text that stands in a row. */
interface Piece {
  readonly x: number;
  readonly width: number;
  readonly text: string;
}

/** Yoga's numbers; the enumerations of its package are not Ink's to give. */
const displayNone = 1;

/** What was found out about texts in the last two frames: most are the same in the next. */
class FrameMemo<T> {
  private old = new Map<string, T>();
  private fresh = new Map<string, T>();

  of(key: string, find: () => T): T {
    let found = this.fresh.get(key);
    if (found === undefined) {
      found = this.old.get(key) ?? find();
      this.fresh.set(key, found);
    }
    return found;
  }

  /** What the frame did not use is forgotten after the next. */
  turn(): void {
    this.old = this.fresh;
    this.fresh = new Map();
  }
}

export class Composer {
  private readonly widths = new FrameMemo<number>();
  private readonly parts = new FrameMemo<string>();

  /** @param root Ink's, laid out; as many lines as it is high, none padded */
  compose(root: DOMElement): string[] {
    const { yogaNode } = root;
    if (!yogaNode) return [];
    const height = yogaNode.getComputedHeight();
    const rows: Piece[][] = Array.from({ length: height }, () => []);
    const clip = { left: 0, right: yogaNode.getComputedWidth(), top: 0, bottom: height };
    this.draw(root, 0, 0, clip, rows);
    const lines = rows.map(join);
    this.widths.turn();
    this.parts.turn();
    return lines;
  }

  private draw(node: DOMElement, left: number, top: number, clip: Clip, rows: Piece[][]): void {
    const { yogaNode, style } = node;
    if (!yogaNode || yogaNode.getDisplay() === displayNone) return;
    const x = left + yogaNode.getComputedLeft();
    const y = top + yogaNode.getComputedTop();
    const width = yogaNode.getComputedWidth();
    if (node.nodeName === 'ink-text') {
      this.drawText(node, x, y, width, clip, rows);
      return;
    }
    let inner = clip;
    if (style.overflowX === 'hidden') {
      inner = {
        ...inner,
        left: Math.max(clip.left, x),
        right: Math.min(clip.right, x + width),
      };
    }
    if (style.overflowY === 'hidden') {
      const bottom = Math.min(clip.bottom, y + yogaNode.getComputedHeight());
      inner = { ...inner, top: Math.max(clip.top, y), bottom };
    }
    for (const child of node.childNodes) {
      if (child.nodeName !== '#text') this.draw(child, x, y, inner, rows);
    }
  }

  private drawText(
    node: DOMElement,
    x: number,
    top: number,
    width: number,
    clip: Clip,
    rows: Piece[][],
  ): void {
    const text = squash(node);
    if (text === '') return;
    const style = node.internal_transform;
    let y = top;
    for (const line of this.fit(text, width, node.style.textWrap ?? 'wrap')) {
      if (y >= clip.top && y < clip.bottom && line !== '') {
        const styled = style ? style(line, y - top) : line;
        const piece = { x, width: this.widthOf(line), text: styled };
        this.put(rows[y] as Piece[], this.clipped(piece, clip));
      }
      y += 1;
    }
  }

  private fit(text: string, width: number, wrap: string): string[] {
    const lines = text.split('\n');
    if (lines.every((line) => this.widthOf(line) <= width)) return lines;
    if (wrap === 'wrap') return wrapAnsi(text, width, { trim: false, hard: true }).split('\n');
    return lines.map((line) =>
      this.widthOf(line) <= width ? line : `${sliceAnsi(line, 0, width - 1)}…`,
    );
  }

  private clipped(piece: Piece, { left, right }: Clip): Piece {
    const { x, width } = piece;
    return x >= left && x + width <= right ? piece : this.part(piece, left, right);
  }

  /** Lays a piece above what stands in the row already. */
  private put(row: Piece[], piece: Piece): void {
    if (piece.width <= 0) return;
    const end = piece.x + piece.width;
    for (let at = row.length - 1; at >= 0; at--) {
      const under = row[at] as Piece;
      const underEnd = under.x + under.width;
      if (underEnd <= piece.x || under.x >= end) continue;
      const rest = [this.part(under, under.x, piece.x), this.part(under, end, underEnd)];
      row.splice(at, 1, ...rest.filter(({ width }) => width > 0));
    }
    row.push(piece);
  }

  /** What of a piece stands from column `from` to `to`. */
  private part({ x, width, text }: Piece, from: number, to: number): Piece {
    const start = Math.max(x, from);
    const end = Math.min(x + width, to);
    if (end <= start) return { x: start, width: 0, text: '' };
    const [skipped, last] = [start - x, end - x];
    const cut = this.parts.of(`${skipped} ${last} ${text}`, () => cutOut(text, skipped, last));
    return { x: start, width: end - start, text: cut };
  }

  private widthOf(text: string): number {
    return this.widths.of(text, () => styledWidth(text));
  }
}

/** The text of a node and those within it, each in its style. */
function squash(node: DOMElement): string {
  let text = '';
  for (const [index, child] of node.childNodes.entries()) {
    if (child.nodeName === '#text') {
      text += child.nodeValue;
      continue;
    }
    const inner = squash(child);
    text +=
      inner !== '' && child.internal_transform ? child.internal_transform(inner, index) : inner;
  }
  return text;
}

/** Columns of a text; half of a wide character cannot be drawn: a blank stands for it, at either end. */
function cutOut(text: string, skipped: number, last: number): string {
  const before = skipped === 0 ? 0 : styledWidth(sliceAnsi(text, 0, skipped)) - skipped;
  const blank = ' '.repeat(Math.max(0, before));
  const cut = blank + sliceAnsi(text, skipped, last);
  if (styledWidth(cut) <= last - skipped) return cut;
  return `${blank}${sliceAnsi(text, skipped, last - 1)} `;
}

function join(row: Piece[]): string {
  let line = '';
  let column = 0;
  for (const { x, width, text } of row.sort((a, b) => a.x - b.x)) {
    line += ' '.repeat(x - column) + text;
    column = x + width;
  }
  return line;
}
