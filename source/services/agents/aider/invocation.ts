/** A message longer than this goes by file: the kernel allows 128 KiB for one argument. */
export const longestArgument = 96 * 1024;

export interface Invocation {
  readonly model: string;
  /** Existing files to change, relative to the worktree. */
  readonly files: readonly string[];
  /** Null for an Aider that a person talks to. */
  readonly message: { readonly text: string } | { readonly file: string } | null;
  /** Absolute paths Aider may read. */
  readonly read: readonly string[];
  readonly analyticsLog: string;
  readonly chatHistory: string;
  /** Where Aider writes down each reply as it came. */
  readonly llmHistory: string;
  /** A file that hides all but the task's files; null when the agent has the whole repository. */
  readonly scope: string | null;
  /** The files' lines end as on Windows. */
  readonly crlf: boolean;
  /** More arguments of the user's; they come last, so they win. */
  readonly extra: readonly string[];
}

/** Arguments of the user's that would take away what success is judged by. */
export const refusedArguments =
  /^--(no-pretty|tool-(error|warning)-color|analytics-log|llm-history-file|analytics-disable|message|message-file|msg|yes|yes-always|file|aiderignore|auto-commits|dry-run|exit|chat-history-file)(=|$)|^-[mf]$/;

/** Switches off whatever would ask, upgrade, open a browser, scrape, install or write elsewhere. */
export const unattendedArguments = [
  '--yes-always',
  '--no-gitignore',
  '--no-check-update',
  '--no-show-release-notes',
  '--no-show-model-warnings',
  '--no-analytics',
  '--no-detect-urls',
  '--disable-playwright',
  '--no-suggest-shell-commands',
  '--no-notifications',
  '--no-auto-lint',
  '--no-auto-test',
  '--no-auto-commits',
  '--no-dirty-commits',
] as const;

function messageArguments(message: Invocation['message']): string[] {
  if (message === null) return [];
  return 'text' in message ? [`--message=${message.text}`] : ['--message-file', message.file];
}

/** A name that begins with a hyphen would be taken for a flag. */
function fileArgument(flag: string, file: string): string[] {
  return file.startsWith('-') ? [`${flag}=${file}`] : [flag, file];
}

/** The argument list for one unattended Aider; never passed through a shell, and without secrets. */
export function aiderArguments(invocation: Invocation): string[] {
  const { model, files, message, read, scope } = invocation;
  return [
    '--model',
    model,
    ...unattendedArguments.filter((flag) => message !== null || flag !== '--yes-always'),
    ...messageArguments(message),
    ...files.flatMap((file) => fileArgument('--file', file)),
    ...read.flatMap((file) => fileArgument('--read', file)),
    '--analytics-log',
    invocation.analyticsLog,
    '--chat-history-file',
    invocation.chatHistory,
    '--llm-history-file',
    invocation.llmHistory,
    '--input-history-file',
    '/dev/null',
    '--max-chat-history-tokens',
    '1000000',
    ...(scope === null ? [] : ['--aiderignore', scope]),
    // Failure texts are believed in these colours only.
    '--tool-error-color',
    '#FF2222',
    '--tool-warning-color',
    '#FFA500',
    '--pretty',
    '--stream',
    '--timeout',
    '120',
    // Aider would write a file anew with the system's own line ends.
    ...(invocation.crlf ? ['--line-endings', 'crlf'] : []),
    ...invocation.extra,
  ];
}
