import type { PromptStyle } from '../prompt.js';

/** Aider's model writes edit blocks, and is asked for them. */
export const aiderStyle: PromptStyle = {
  reasons: {
    no_change:
      'Your last reply changed no file. Make the change now, as edit blocks in the required format.',
    malformed_edits:
      'The edit blocks of your last replies could not be read or did not match the files, so nothing of them was applied. Look at the files as they are now and follow the edit format exactly.',
    reply_cut:
      'Your last reply ended in the middle of a block; its edits were taken back. Send it again, whole, with every block closed.',
    unsafe_edits:
      'Your last reply could not be applied safely, and was taken back. Put the exact path of one of your files on the line above each block, use each marker of the edit format only as a marker, leave no code out, and send no other blocks.',
  },
  closing: 'Make the change completely, with edit blocks; do not ask back.',
};

/** Who stands as an author beside the person in commits of an agent's work. */
export function aiderAuthor(model: string): string {
  return `aider (${model}) <aider@aider.chat>`;
}
