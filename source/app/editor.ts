import { createContext, useContext } from 'react';
import type { WizardPort } from './ports.js';
import { useEnvironment } from './surface.js';

/** Opens the person's editor on a text. @returns what was left in the file; null when the editor failed */
export type OpenEditor = (name: string, text: string) => Promise<string | null>;

/**
 * Opens the person's editor on a text.
 * @returns what was left in the file; null when the editor failed, which is said as a note
 */
export function useEditor(port: WizardPort, setNote: (note: string) => void): OpenEditor {
  const { surface } = useEnvironment();
  return async (name, text) => {
    const path = port.scratchFile(name, text);
    const editor = port.editorCommand();
    const code = await surface.runProgram(editor.file, [...editor.args, path], {
      cwd: port.facts.repo,
    });
    if (code === 0) return port.readScratch(path);
    const end = code === null ? 'could not be started' : `ended with ${code}`;
    setNote(`The editor ${editor.name} ${end}; nothing was changed.`);
    return null;
  };
}

const EditorContext = createContext<OpenEditor | null>(null);

/** The editor for the fields of dialogs. */
export const DialogEditor = EditorContext.Provider;

export function useDialogEditor(): OpenEditor | null {
  return useContext(EditorContext);
}
