type SliceAnsi = typeof import('slice-ansi')['default'];

/** In the place of slice-ansi, which takes 10 ms to load: the first frame cuts nothing. */
const sliceAnsi: SliceAnsi = (...given) =>
  (require('slice-ansi') as { default: SliceAnsi }).default(...given);
export default sliceAnsi;
