import { createContext, useContext } from 'react';

const DialogPlaceContext = createContext(true);

/** Says to what is within it whether it is the topmost dialog. */
export const DialogPlace = DialogPlaceContext.Provider;

/** Whether keys are for this place: false within a dialog that another one covers. */
export function useDialogPlace(): boolean {
  return useContext(DialogPlaceContext);
}
