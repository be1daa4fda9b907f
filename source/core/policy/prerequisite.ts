/** Something that a run needs, and how it stands with it. */
export interface Prerequisite {
  readonly name: PrerequisiteName;
  /** `missing`: no run is possible; `warning`: something will not work. */
  readonly state: 'ok' | 'missing' | 'warning';
  /** How it is, such as a version, or what is wrong. */
  readonly text: string;
  /** How to mend it, in lines; '' when there is nothing to mend, or nothing can. */
  readonly mend: string;
}

export const prerequisiteNames = [
  'Node.js',
  'git',
  'repository',
  'identity',
  'branch',
  'branches',
  'changes',
  'signing',
  'submodules',
  'settings',
  'Aider',
  'isolation',
  'agents',
  'Python',
  'model',
  'Gemini',
  'review',
  'folders',
  'limits',
  'disk',
  'runs',
  'terminal',
] as const;
export type PrerequisiteName = (typeof prerequisiteNames)[number];

export function present(name: PrerequisiteName, text: string): Prerequisite {
  return { name, state: 'ok', text, mend: '' };
}

export function missing(name: PrerequisiteName, text: string, mend: string): Prerequisite {
  return { name, state: 'missing', text, mend };
}

export function warning(name: PrerequisiteName, text: string, mend: string): Prerequisite {
  return { name, state: 'warning', text, mend };
}
