import { Lexer, type Token, type Tokens } from 'marked';
import wrapAnsi from 'wrap-ansi';
import { printable } from '../../core/text/printable.js';
import { plainLines, shown } from './diff-lines.js';
import { cut, displayWidth, fill } from './graphemes.js';
import type { TextStyle } from './text-style.js';

const reset = '\x1b[0m';

/** Columns without which a text cannot be read; what is nested deeper is indented no further. */
const leastWidth = 8;

const longestLine = 2000;
const longestParagraph = 6000;

/** Whether a text has a line or a paragraph that nobody writes. */
function isDense(text: string): boolean {
  let paragraph = 0;
  let from = 0;
  while (from <= text.length) {
    const next = text.indexOf('\n', from);
    const end = next < 0 ? text.length : next;
    const length = end - from;
    paragraph = length === 0 ? 0 : paragraph + length + 1;
    if (length > longestLine || paragraph > longestParagraph) return true;
    from = end + 1;
  }
  return false;
}

/**
 * Markdown as lines for a terminal, each at most `width` columns: headings, lists, code, tables,
 * quotes. The text comes from a model or a file, so control bytes become pictures first.
 */
export function renderMarkdown(text: string, width: number, style: TextStyle): string[] {
  // The parser takes quadratic time for what is one long line or paragraph, and such is no Markdown.
  if (isDense(text)) return plainLines(text, width);
  const safe = shown(text)
    .split(/\r?\n/)
    .map((line) => printable(line.replaceAll('\t', '    ')))
    .join('\n');
  const lines = blocks(Lexer.lex(safe), Math.max(leastWidth, width), style);
  while (lines[0] === '') lines.shift();
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function paint(text: string, code: string, colour: string, style: TextStyle): string {
  const codes = [code, style.colour ? colour : ''].filter(Boolean).join(';');
  return codes === '' || text === '' ? text : `\x1b[${codes}m${text}${reset}`;
}

function wrap(text: string, width: number): string[] {
  return wrapAnsi(text, width, { hard: true }).split('\n');
}

function blocks(tokens: readonly Token[], width: number, style: TextStyle): string[] {
  const lines: string[] = [];
  for (const token of tokens) {
    const block = blockLines(token, width, style);
    // One by one: what is spread into a call has to fit the stack.
    for (const line of block) lines.push(line);
    if (block.length > 0) lines.push('');
  }
  return lines;
}

function blockLines(token: Token, width: number, style: TextStyle): string[] {
  switch (token.type) {
    case 'heading': {
      const { depth, tokens = [] } = token as Tokens.Heading;
      const plain = inline(tokens, { colour: false, unicode: style.unicode }, true);
      const code = depth === 1 ? '1;4' : '1';
      return wrap(plain, width).map((line) => paint(line, code, depth < 3 ? '36' : '', style));
    }
    case 'paragraph':
    case 'text':
      return wrap(inline((token as Tokens.Paragraph).tokens ?? [token], style), width);
    case 'list':
      return listLines(token as Tokens.List, width, style);
    case 'code':
      return (token as Tokens.Code).text
        .split('\n')
        .flatMap((line) => wrapAnsi(line, width - 2, { hard: true, trim: false }).split('\n'))
        .map((line) => `  ${paint(line, '', '33', style)}`);
    case 'blockquote': {
      const bar = width - 2 < leastWidth ? '' : style.unicode ? '│ ' : '| ';
      const inner = blocks((token as Tokens.Blockquote).tokens, width - bar.length, style);
      return inner.slice(0, -1).map((line) => bar + line);
    }
    case 'table':
      return tableLines(token as Tokens.Table, width, style);
    case 'hr':
      return [(style.unicode ? '─' : '-').repeat(width)];
    case 'space':
      return [];
    default:
      // HTML and what else there may be is shown as it is written.
      return wrap(token.raw.trim(), width);
  }
}

function listLines(list: Tokens.List, width: number, style: TextStyle): string[] {
  const bullet = style.unicode ? '•' : '-';
  const first = Number(list.start || 1);
  return list.items.flatMap((item, index) => {
    const check = item.task ? (item.checked ? '[x] ' : '[ ] ') : '';
    const mark = `${list.ordered ? `${first + index}.` : bullet} ${check}`;
    const room = width - displayWidth(mark);
    const indent = room < leastWidth ? 0 : displayWidth(mark);
    const inner: string[] = [];
    for (const token of item.tokens) {
      // The box is drawn by us already.
      if (token.type === 'checkbox') continue;
      inner.push(...blockLines(token, width - indent, style));
      if (list.loose) inner.push('');
    }
    while (inner.at(-1) === '') inner.pop();
    if (inner.length === 0) inner.push('');
    if (indent === 0) return [cut(mark.trimEnd(), width), ...inner];
    return inner.map((line, row) => (row === 0 ? mark + line : ' '.repeat(indent) + line));
  });
}

function tableLines(table: Tokens.Table, width: number, style: TextStyle): string[] {
  const plain = { colour: false, unicode: style.unicode };
  const rows = [table.header, ...table.rows].map((row) =>
    row.map((cell) => inline(cell.tokens, plain, true)),
  );
  const count = table.header.length;
  const gap = style.unicode ? ' │ ' : ' | ';
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(3, ...rows.map((row) => displayWidth(row[column] ?? ''))),
  );
  const room = width - gap.length * (count - 1);
  // The widest column gives way first.
  while (widths.reduce((sum, one) => sum + one, 0) > room) {
    const widest = Math.max(...widths);
    if (widest <= 3) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  const line = (row: readonly string[]) =>
    cut(row.map((cell, column) => fill(cell, widths[column] ?? 0)).join(gap), width).trimEnd();
  const rule = cut(
    widths
      .map((one) => (style.unicode ? '─' : '-').repeat(one))
      .join(style.unicode ? '─┼─' : '-+-'),
    width,
  );
  const [head = [], ...body] = rows;
  return [paint(line(head), '1', '', style), rule, ...body.map(line)];
}

/** @param plain without any style, for what is styled as a whole */
function inline(tokens: readonly Token[], style: TextStyle, plain = false): string {
  const add = (text: string, code: string, colour: string) =>
    plain ? text : paint(text, code, colour, style);
  return tokens
    .map((token): string => {
      const inner = 'tokens' in token && token.tokens ? token.tokens : null;
      switch (token.type) {
        case 'strong':
          return add(inline(inner ?? [], style, true), '1', '');
        case 'em':
          return add(inline(inner ?? [], style, true), '3', '');
        case 'del':
          return add(inline(inner ?? [], style, true), '9', '');
        case 'codespan':
          return add((token as Tokens.Codespan).text, '', '33');
        case 'br':
          return '\n';
        case 'link': {
          const { href, text } = token as Tokens.Link;
          return text === href ? text : `${inline(inner ?? [], style, plain)} (${href})`;
        }
        case 'image':
          return (token as Tokens.Image).text;
        case 'text':
        case 'escape':
          return inner
            ? inline(inner, style, plain)
            : (token as Tokens.Text).text.replaceAll('\n', ' ');
        default:
          return token.raw;
      }
    })
    .join('');
}
