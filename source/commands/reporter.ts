import { jsonReporter, lineReporter, type Verbosity } from '../headless/reporters.js';
import { environment } from '../services/machine/environment.js';
import type { Observer } from '../store/run-store.js';
import { glyphsFor } from '../view/table.js';
import type { Arguments } from './arguments.js';
import type { Stdio } from './stdio.js';

/** What tells a run without a screen, as the flags say. */
export function reporter(
  { flags }: Arguments,
  stdio: Stdio,
  summaryWritten: () => boolean,
): Observer {
  if (flags.json) return jsonReporter(stdio.out, summaryWritten);
  const verbosity: Verbosity = flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal';
  return lineReporter(stdio.out, {
    verbosity,
    get width() {
      return stdio.width;
    },
    glyphs: glyphsFor(environment()),
    summaryWritten,
  });
}
