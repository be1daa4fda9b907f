import { plainNarrow, withoutStyles } from '../../core/text/plain-width.js';

type StringWidth = typeof import('string-width')['default'];

/**
 * In the place of string-width, whose tables take 40 ms to build: most texts need none of them. In a bundle
 * `require` of a module runs it then, and not before.
 */
const stringWidth: StringWidth = (text, options) => {
  if (!options && typeof text === 'string') {
    const bare = withoutStyles(text);
    if (plainNarrow.test(bare)) return bare.length;
  }
  return (require('string-width') as { default: StringWidth }).default(text, options);
};
export default stringWidth;
