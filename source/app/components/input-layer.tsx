import type { ReactNode } from 'react';
import { LayerProvider, useNewLayer } from '../surface.js';

/** What is within it has the input while it is there: a dialog, a field for a search. */
export function InputLayer({ children }: { readonly children: ReactNode }) {
  const layer = useNewLayer(true);
  return <LayerProvider value={layer}>{children}</LayerProvider>;
}
