import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';
import { printableLines } from '../core/text/printable.js';

/** A place in a stack: the file, its line and its column. */
const place = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/**
 * An internal error for a person who reports it, with positions of the sources: the program is one bundled
 * file of long lines. The map is read only now, as it costs the start otherwise.
 */
export function crashWords(error: Error): string {
  const maps = new Map<string, SourceMap | null>();
  const stack = (error.stack ?? error.message).replace(place, (there, url, line, column) => {
    if (!maps.has(url)) maps.set(url, mapOf(url));
    const entry = maps.get(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (!entry || !('originalSource' in entry)) return there;
    const source = entry.originalSource.replace(/^(\.\.\/)+/, '');
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
  return printableLines(stack);
}

function mapOf(url: string): SourceMap | null {
  try {
    const text = readFileSync(`${fileURLToPath(url)}.map`, 'utf8');
    return new SourceMap(JSON.parse(text) as SourceMapPayload);
  } catch {
    // Whatever is wrong with it must not hide the error that is told.
    return null;
  }
}
