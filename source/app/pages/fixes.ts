import { unreachable } from '../../core/result.js';
import type { NameOf } from '../actions.js';
import type { Keymap } from '../keymap.js';
import type { PrerequisiteToMend } from '../ports.js';

/** The actions of Change that fix something that is missing. */
export type FixName = Extract<
  NameOf<'change'>,
  | 'change.key'
  | 'change.install'
  | 'change.model'
  | 'change.aiderModel'
  | 'change.identity'
  | 'change.stash'
>;

/** How something that is missing is fixed on Change. */
export interface Fix {
  /** The action that does it; null where no key does. */
  readonly action: FixName | null;
  /** A sentence with its keys; the doctor's advice where no key does it. '' where there is none. */
  readonly words: string;
  /** The same where Enter does it. */
  readonly chosen: string;
  /** Where a problem has one line: what its key does, without the key; what is wrong where no key does it. */
  readonly short: string;
}

/** With a full stop, and only one. */
export function ended(text: string): string {
  return `${text.replace(/\.$/, '')}.`;
}

export function fixOf({ name, text, mend, action }: PrerequisiteToMend, keymap: Keymap): Fix {
  const without = `${keymap.label('change.withoutPrd')} continues without a PRD`;
  const by = (fix: FixName, does: string, chosen: string, short: string, or = ''): Fix => ({
    action: fix,
    words: `${keymap.label(fix)} ${does}${or}.`,
    chosen: `Enter ${chosen}.`,
    short,
  });
  switch (action?.kind) {
    case 'key': {
      if (name === 'Gemini') {
        const or = `, ${without}`;
        return by('change.key', 'enters a key', 'asks for a key', 'enters a key', or);
      }
      if (name === 'review') {
        const or = '; the review can be turned off on Start';
        return by('change.key', 'enters a key for Gemini', 'asks for a key', 'enters a key', or);
      }
      const or = `, ${keymap.label('change.aiderModel')} chooses another model`;
      return by('change.key', 'enters it', 'asks for it', 'enters its key', or);
    }
    case 'install':
      return by('change.install', 'installs it', 'installs it', 'installs it');
    case 'gemini_model': {
      const [does, chosen] = ['chooses another one', 'shows the models there are'];
      return by('change.model', does, chosen, 'chooses another model', `, ${without}`);
    }
    case 'stash': {
      const does = 'puts the changes away (git stash)';
      return by('change.stash', does, does, 'stashes them', '; or commit them');
    }
    case 'identity':
      return by('change.identity', 'sets it for this repository', 'asks for it', 'sets it');
    case undefined: {
      const network = 'Check the network and the proxy';
      const isGemini = name === 'Gemini';
      const advice = mend === '' ? '' : ended(mend.split('\n').join('; '));
      return {
        action: null,
        words: isGemini ? `${network}; ${without}.` : advice,
        chosen: isGemini ? `${network}.` : advice,
        short: text,
      };
    }
    default:
      return unreachable(action);
  }
}
