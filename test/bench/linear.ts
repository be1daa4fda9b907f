import { inputs, readers } from '../linear-readers.js';

/** The longest that each reader of others' text takes for a megabyte of what patterns stumble over. */
const all = inputs();
for (const [name, read] of Object.entries(readers)) {
  let longest = 0;
  let what = '';
  for (const input of all) {
    const from = performance.now();
    read(input);
    const ms = performance.now() - from;
    if (ms > longest) [longest, what] = [ms, JSON.stringify(input.slice(0, 24))];
  }
  console.log(`${name.padEnd(18)} ${longest.toFixed(0).padStart(6)} ms  ${what}`);
}
