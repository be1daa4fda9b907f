import load from 'original-yoga-binary';

/**
 * Around Yoga's loader, which fetches its own data: URL, and has Node load its HTTP client for it: 40 ms. Without
 * `fetch` it decodes the URL itself.
 */
export default function loadYoga(): Promise<unknown> {
  const fetch = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  Reflect.deleteProperty(globalThis, 'fetch');
  try {
    return load();
  } finally {
    if (fetch) Object.defineProperty(globalThis, 'fetch', fetch);
  }
}
