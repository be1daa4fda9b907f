import { describe, expect, test } from 'vitest';
import { findAiderQuestion } from '../../../source/services/agents/aider/screen-facts.js';
import { Emulator } from '../../../source/services/pty/emulator.js';

describe('questions in a narrow pane', () => {
  // As prompt_toolkit writes them: it breaks a long line itself, where the terminal ends.
  const question = "Add file to the chat? (Y)es/(N)o/(A)ll/(S)kip all/(D)on't ask again [Yes]: ";

  test.each([38, 60, 75, 120])('at %i columns it is found whole', async (cols) => {
    const screen = new Emulator(cols, 8);
    const rows = question.match(new RegExp(`.{1,${cols}}`, 'g')) as string[];
    screen.feed(`other-file.py\r\n${rows.join('\r\n')}`);
    await screen.drawn();
    expect(findAiderQuestion(screen.cursorLines())).toBe(question.trim());
    screen.dispose();
  });

  test('the rows above an idle prompt are no part of it', async () => {
    const screen = new Emulator(20, 8);
    screen.feed(`${'-'.repeat(20)}\r\na-file-name-that-fit\r\n> `);
    await screen.drawn();
    expect(findAiderQuestion(screen.cursorLines())).toBe('>');
    screen.dispose();
  });
});
