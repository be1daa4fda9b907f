import type { AgentEmulator } from './ports.js';
import { pasteEnd, pasteStart } from './terminal/input.js';

/**
 * What a person types as the agent's program expects it: cursor keys in the form it asked for, and
 * pasted text in brackets only where it knows them.
 */
export function bytesForAgent(bytes: string, modes: AgentEmulator['modes']): string {
  let out = bytes;
  if (!modes.bracketedPaste && bytes.includes(pasteStart)) {
    out = out.replaceAll(pasteStart, '').replaceAll(pasteEnd, '').replaceAll('\n', '\r');
  }
  // DECCKM: ESC [ A becomes ESC O A.
  if (modes.applicationCursor) out = out.replace(/\x1b\[([ABCDHF])/g, '\x1bO$1');
  return out;
}
