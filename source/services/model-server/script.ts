/**
 * What the scripted model server answers. It only stands in for the model: the protocols on the wire
 * are the real ones, and everything on our side of it is the production code.
 */
export interface Script {
  readonly chat: readonly Rule[];
  /** So many chat requests in any span of that length; more are refused with 429 and a hint. */
  readonly limit?: { readonly requests: number; readonly spanMs: number };
  readonly gemini: readonly Rule[];
  /** The only keys that it takes, for either protocol; absent: any. */
  readonly keys?: readonly string[];
  /** Names that the Gemini model list gives; any other model is 404. Null: all exist. */
  readonly geminiModels?: readonly string[] | null;
}

/** The first rule that fits a request answers it. */
export interface Rule {
  /** Regular expression that the request's whole text has to match; absent: fits all. */
  readonly when?: string;
  /** In turn; the last one answers all further requests. */
  readonly replies: readonly Reply[];
}

export interface Reply {
  readonly text?: string;
  /** HTTP status; 200 when absent. Anything else sends `text` as the error's message. */
  readonly status?: number;
  /** Further fields of a Gemini error, such as RetryInfo. */
  readonly details?: readonly Readonly<Record<string, unknown>>[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds before the first byte. */
  readonly delayMs?: number;
  /** Milliseconds between two chunks of a stream. */
  readonly chunkDelayMs?: number;
  /** Characters in a chunk; 40 when absent. */
  readonly chunkSize?: number;
  /** Sends each character as the byte of its number, so that what is beyond ASCII is no UTF-8. */
  readonly bytes?: boolean;
  /** Closes the connection after so many characters, without an end. */
  readonly breakAfter?: number;
  /** Sends the text, but never the end. */
  readonly hang?: boolean;
  /** In the protocol's own words; `stop` and `STOP` when absent. */
  readonly finish?: string;
  /** Blocks a Gemini prompt with this reason. */
  readonly blockReason?: string;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
}

/** An edit in Aider's `whole` format. */
export function wholeEdit(path: string, content: string): string {
  return `${path}\n\`\`\`\n${content}${content.endsWith('\n') ? '' : '\n'}\`\`\`\n`;
}

/** An edit in Aider's `diff` format; an empty `search` makes a new file. */
export function diffEdit(path: string, search: string, replace: string): string {
  const block = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  return `${path}\n\`\`\`\n<<<<<<< SEARCH\n${block(search)}=======\n${block(replace)}>>>>>>> REPLACE\n\`\`\`\n`;
}
