import { parsePatch, type StructuredPatch } from 'diff';
import hljs from 'highlight.js/lib/common';
import { useMemo, useState } from 'react';
import { useLoaded } from './use-loaded.js';

/** Of a file with more changed lines than this only so many are shown, until more are asked for. */
const mostLines = 400;

function languageOf(name: string): string | null {
  const extension = name.split('.').at(-1) ?? '';
  return hljs.getLanguage(extension) ? extension : null;
}

/** A line of code in colours. The library escapes what it is given. */
function coloured(code: string, language: string | null): string {
  if (language === null) return '';
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

function Line({ line, language }: { readonly line: string; readonly language: string | null }) {
  const sign = line[0] ?? ' ';
  const kind = sign === '+' ? 'added' : sign === '-' ? 'removed' : 'same';
  const code = line.slice(1);
  const html = useMemo(() => coloured(code, language), [code, language]);
  return (
    <div className={`line ${kind}`}>
      <span className="sign">{sign}</span>
      {html === '' ? (
        <code>{code}</code>
      ) : (
        // biome-ignore lint/security/noDangerouslySetInnerHtml: highlight.js escapes the code that it colours.
        <code dangerouslySetInnerHTML={{ __html: html }} />
      )}
    </div>
  );
}

function nameOf({ oldFileName, newFileName }: StructuredPatch): string {
  const name = newFileName === '/dev/null' ? oldFileName : newFileName;
  return (name ?? '').replace(/^[ab]\//, '');
}

function PatchedFile({ file }: { readonly file: StructuredPatch }) {
  const [isWhole, setWhole] = useState(false);
  const name = nameOf(file);
  const language = languageOf(name);
  const lines = file.hunks.flatMap((hunk) => [
    { hunk: `@@ -${hunk.oldStart} +${hunk.newStart} @@`, text: '' },
    ...hunk.lines.map((text) => ({ hunk: '', text })),
  ]);
  const added = lines.filter(({ text }) => text.startsWith('+')).length;
  const removed = lines.filter(({ text }) => text.startsWith('-')).length;
  return (
    <details open className="file">
      <summary>
        {name}{' '}
        <span className="counts">
          +{added} −{removed}
        </span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys, too. */}
      <section className="hunks" tabIndex={0} aria-label={`Changes of ${name}`}>
        {lines.slice(0, isWhole ? lines.length : mostLines).map(({ hunk, text }, index) =>
          hunk === '' ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a patch stay where they are.
            <Line key={index} line={text} language={language} />
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a patch stay where they are.
            <div key={index} className="line hunk">
              {hunk}
            </div>
          ),
        )}
      </section>
      {lines.length > mostLines && !isWhole && (
        <button type="button" onClick={() => setWhole(true)}>
          Show {lines.length - mostLines} lines more
        </button>
      )}
    </details>
  );
}

/** A change as files with coloured lines. @param load the text of a patch; null where there is none to be had */
export function Patch({
  load,
  none,
}: {
  readonly load: () => Promise<string | null>;
  readonly none: string;
}) {
  const text = useLoaded(load);
  const files = useMemo(() => readPatch(text ?? ''), [text]);
  if (text === undefined) return <p className="quiet">Loading…</p>;
  if (text === null) return <p className="bad">What was changed cannot be told now.</p>;
  if (files.length === 0) return <p className="quiet">{none}</p>;
  return (
    <div className="patch">
      {files.map((file) => (
        <PatchedFile key={nameOf(file)} file={file} />
      ))}
    </div>
  );
}

function readPatch(text: string): StructuredPatch[] {
  // A commit's title and its list of files come first in what a host gives.
  const start = text.search(/^diff --git /m);
  if (start < 0) return [];
  return parsePatch(text.slice(start)).filter(({ hunks }) => hunks.length > 0);
}
