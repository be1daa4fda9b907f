/**
 * Faults of the machine: what no agent, test or edit can be blamed for. One closed set, recognised here
 * alone, by the codes of the system and by the words in which programs pass them on.
 */
export const machineFaults = [
  'disk_full',
  'descriptors',
  'processes',
  'memory',
  'disk_error',
  'folder_gone',
] as const;

export type MachineFault = (typeof machineFaults)[number];

const codes: Readonly<Record<string, MachineFault>> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EMFILE: 'descriptors',
  ENFILE: 'descriptors',
  EAGAIN: 'processes',
  ENOMEM: 'memory',
  EIO: 'disk_error',
  EROFS: 'disk_error',
};

const words: readonly (readonly [MachineFault, RegExp])[] = [
  [
    'disk_full',
    /No space left on device|Out of disk ?space|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/i,
  ],
  ['descriptors', /Too many open files|\bEMFILE\b|\bENFILE\b/i],
  // "Resource temporarily unavailable" alone is also said of a terminal or a lock that is busy.
  [
    'processes',
    /(?:fork|thread|process|spawn)[^\n]{0,80}(?:Resource temporarily unavailable|EAGAIN)|\bfork failed\b|Cannot fork|can't start new thread|posix_openpt/i,
  ],
  ['memory', /Cannot allocate memory|Out of memory|\bENOMEM\b/i],
  ['disk_error', /Read-only file system|Input\/output error|\bEROFS\b|\bEIO\b/i],
];

/**
 * The fault of the machine behind an error; null when it is something else.
 * @param error with the code of the system, where it has one
 */
export function faultOfError(error: unknown): MachineFault | null {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && Object.hasOwn(codes, code)) return codes[code] as MachineFault;
  return typeof message === 'string' ? faultOfText(message) : null;
}

/** The same by the words of a program of ours, such as git. Text of a project's tests is no evidence. */
export function faultOfText(text: string): MachineFault | null {
  return words.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

const told: Record<MachineFault, { readonly what: string; readonly mend: string }> = {
  disk_full: {
    what: 'the disk is full',
    mend: 'Free some space or inodes (df -h, df -i).',
  },
  descriptors: {
    what: 'no more files can be opened',
    mend: 'Raise the limit (ulimit -n 1024), or use fewer agents (--max-agents).',
  },
  processes: {
    what: 'no more processes can be started',
    mend: 'Raise the limit (ulimit -u), end other programs, or use fewer agents (--max-agents).',
  },
  memory: {
    what: 'the memory is used up',
    mend: 'End other programs, or use fewer agents (--max-agents).',
  },
  disk_error: {
    what: 'the disk cannot be read or written',
    mend: 'Look at the disk: it may be mounted read-only, or be broken.',
  },
  folder_gone: {
    what: 'a folder is gone or was moved',
    mend: 'Bring it back to where it was, or start again where it is now.',
  },
};

export function faultWords(fault: MachineFault): string {
  return told[fault].what;
}

export function faultMend(fault: MachineFault): string {
  return told[fault].mend;
}
