import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFile } from '../config/package-files.js';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** The page as it was built: its files by their names, read once. Throws where there is none. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const folder = path.dirname(packageFile('page/page.js'));
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const type = types[path.extname(name)];
    if (type) files.set(name, { type, bytes: readFileSync(path.join(folder, name)) });
  }
  return files;
}

/** @param nonce what styles that the page makes itself are known by */
export function pageHtml(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Aider Orchestrator</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/page.css">
<script type="module" nonce="${nonce}" src="/assets/page.js"></script>
</head>
<body><div id="page"></div><noscript>This page needs JavaScript.</noscript></body>
</html>
`;
}

/**
 * What a browser gets that was let in: it goes on by itself. A redirect would not do: where another page, a file or a
 * letter has led here, a browser sends no cookie of ours to where that leads.
 * @param to a path of ours
 */
export function entryHtml(to: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="0;url=${to}"><title>Aider Orchestrator</title></head>
<body><main><a href="${to}">Go on to the page</a></main></body>
</html>
`;
}

/** A page that says one thing. @param text plain, without HTML */
export function noteHtml(text: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Aider Orchestrator</title><link rel="stylesheet" href="/assets/page.css"></head>
<body><main class="note"><h1>Aider Orchestrator</h1><p>${text}</p></main></body>
</html>
`;
}

/** Nothing is loaded from elsewhere, nothing is run but our own files. */
export function contentPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    // xterm.js colours its letters by attributes; what can be done with those alone is to look otherwise.
    "style-src-attr 'unsafe-inline'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
