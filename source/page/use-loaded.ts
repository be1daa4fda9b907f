import { useEffect, useState } from 'react';

/**
 * What is loaded, anew when `load` is another one.
 * @returns undefined until it is there; null where it cannot be had
 */
export function useLoaded<T>(load: () => Promise<T | null>): T | null | undefined {
  const [value, setValue] = useState<T | null | undefined>(undefined);
  useEffect(() => {
    let isGone = false;
    const done = (loaded: T | null) => {
      if (!isGone) setValue(() => loaded);
    };
    setValue(undefined);
    void load().then(done, () => done(null));
    return () => {
      isGone = true;
    };
  }, [load]);
  return value;
}

/** A text of the server; null where it has none. */
export async function fetchText(address: string): Promise<string | null> {
  const answer = await fetch(address);
  return answer.ok ? answer.text() : null;
}
