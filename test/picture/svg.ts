/** Rows of a terminal, with their colours as SGR, as a picture. */

const cell = { width: 7.8, height: 17 } as const;
const paper = '#16181d';
const ink = '#d5d8de';
const palette = [
  '#3b4048',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#d5d8de',
  '#6b727d',
  '#f28b93',
  '#b3d99b',
  '#f0d49b',
  '#8cc8ff',
  '#dba3ec',
  '#7fd0da',
  '#ffffff',
];

interface Style {
  fg: string | null;
  bg: string | null;
  bold: boolean;
  dim: boolean;
  inverse: boolean;
}

const plain: Style = { fg: null, bg: null, bold: false, dim: false, inverse: false };

function colour256(index: number): string {
  if (index < 16) return palette[index] as string;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey},${grey},${grey})`;
  }
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const at = index - 16;
  return `rgb(${level(Math.floor(at / 36))},${level(Math.floor(at / 6) % 6)},${level(at % 6)})`;
}

function applySgr(style: Style, codes: readonly number[]): Style {
  const next = { ...style };
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    if (code === 0) Object.assign(next, plain);
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 7) next.inverse = true;
    else if (code >= 30 && code <= 37) next.fg = palette[code - 30] as string;
    else if (code >= 90 && code <= 97) next.fg = palette[code - 82] as string;
    else if (code >= 40 && code <= 47) next.bg = palette[code - 40] as string;
    else if (code >= 100 && code <= 107) next.bg = palette[code - 92] as string;
    else if (code === 38 || code === 48) {
      const [kind, a = 0, b = 0, c = 0] = codes.slice(at + 1);
      const colour = kind === 2 ? `rgb(${a},${b},${c})` : colour256(a);
      if (code === 38) next.fg = colour;
      else next.bg = colour;
      at += kind === 2 ? 4 : 2;
    }
  }
  return next;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** @param lines each `cols` columns wide, characters of one column only */
export function toSvg(lines: readonly string[], cols: number, title: string): string {
  const pad = 12;
  const width = Math.ceil(cols * cell.width + 2 * pad);
  const height = Math.ceil(lines.length * cell.height + 2 * pad);
  const parts: string[] = [];
  for (const [row, line] of lines.entries()) {
    let style = plain;
    let column = 0;
    for (const piece of line.split(/(\x1b\[[\d;]*[mG])/)) {
      const sgr = /^\x1b\[([\d;]*)([mG])$/.exec(piece);
      if (sgr) {
        if (sgr[2] === 'G') column = Number(sgr[1]) - 1;
        else style = applySgr(style, (sgr[1] || '0').split(';').map(Number));
        continue;
      }
      if (piece === '') continue;
      const x = (pad + column * cell.width).toFixed(1);
      const y = pad + row * cell.height;
      const length = ([...piece].length * cell.width).toFixed(1);
      const [fg, bg] = style.inverse
        ? [style.bg ?? paper, style.fg ?? ink]
        : [style.fg ?? ink, style.bg];
      if (bg)
        parts.push(
          `<rect x="${x}" y="${y}" width="${length}" height="${cell.height}" fill="${bg}"/>`,
        );
      if (piece.trim() !== '') {
        const weight = style.bold ? ' font-weight="bold"' : '';
        const faint = style.dim ? ' opacity="0.6"' : '';
        parts.push(
          `<text x="${x}" y="${y + 13}" textLength="${length}" fill="${fg}"${weight}${faint}>${escapeXml(piece)}</text>`,
        );
      }
      column += [...piece].length;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" shape-rendering="crispEdges" role="img" xml:space="preserve">
<title>${escapeXml(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="${paper}"/>
${parts.join('\n')}
</svg>
`;
}
