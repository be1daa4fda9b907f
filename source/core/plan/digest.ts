import { isManifest } from './groups.js';

/** What is known of a repository for the planner. Texts are whole; the digest cuts them. */
export interface RepoFacts {
  readonly files: readonly { readonly path: string; readonly size: number | null }[];
  readonly readme: { readonly path: string; readonly text: string } | null;
  readonly manifests: readonly { readonly path: string; readonly text: string }[];
  readonly subjects: readonly string[];
  /** Aider's map of the symbols; null without one. */
  readonly map: string | null;
}

/** Characters; about 30,000 tokens. */
export const digestLimit = 100_000;

/** Words of a text that can name a file or a symbol, in lower case. */
function words(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []);
}

const generated =
  /(^|\/)(dist|build|vendor|node_modules|third_party|__snapshots__|fixtures?)\/|\.(lock|min\.js|map|svg|png|jpe?g|gif|pdf|zip|snap)$/i;

/** How likely a file matters for the change: named in it, in focus, near the top, not generated. */
function rank(path: string, wanted: ReadonlySet<string>, focus: ReadonlySet<string>): number {
  let score = 0;
  if (focus.has(path)) score += 100;
  for (const word of words(path.replace(/[_./-]/g, ' '))) if (wanted.has(word)) score += 10;
  if (isManifest(path)) score += 5;
  if (generated.test(path)) score -= 20;
  return score - path.split('/').length;
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}\n… (cut)`;
}

/**
 * The repository as text for the planner, within a size limit. For a large repository it is the
 * part that fits best to the change, and says that it is one.
 */
export function makeDigest(
  facts: RepoFacts,
  change: string,
  focus: readonly string[],
  limit = digestLimit,
): string {
  const parts: string[] = [];
  if (facts.readme)
    parts.push(`## ${facts.readme.path}\n\n${cut(facts.readme.text, limit * 0.06)}`);
  let room = limit * 0.1;
  for (const manifest of facts.manifests) {
    if (room <= 0) break;
    const text = cut(manifest.text, Math.min(room, limit * 0.03));
    room -= text.length;
    parts.push(`## ${manifest.path}\n\n${text}`);
  }
  if (facts.subjects.length > 0)
    parts.push(
      `## Recent commits\n\n${facts.subjects.map((line) => `- ${cut(line, 200)}`).join('\n')}`,
    );
  if (facts.map) parts.push(`## Symbols\n\n${cut(facts.map, limit * 0.4)}`);
  const used = parts.reduce((sum, part) => sum + part.length + 2, 0);
  return `${listFiles(facts, change, focus, limit - used - 200)}\n\n${parts.join('\n\n')}`.trim();
}

function listFiles(
  facts: RepoFacts,
  change: string,
  focus: readonly string[],
  limit: number,
): string {
  const wanted = words(change);
  const inFocus = new Set(focus);
  const ranked = facts.files
    .map((file) => ({ ...file, score: rank(file.path, wanted, inFocus) }))
    .sort((a, b) => b.score - a.score);
  const chosen: string[] = [];
  let length = 0;
  for (const file of ranked) {
    const line = file.size === null ? file.path : `${file.path} (${file.size} bytes)`;
    if (length + line.length + 1 > limit) break;
    length += line.length + 1;
    chosen.push(line);
  }
  const whole = chosen.length === facts.files.length;
  const head = whole
    ? `## All ${chosen.length} tracked files`
    : `## ${chosen.length} of ${facts.files.length} tracked files (only a part: those that fit best to the change)`;
  return `${head}\n\n${chosen.sort().join('\n')}`;
}
