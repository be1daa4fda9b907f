import type { IncomingHttpHeaders } from 'node:http';

/** Names of this machine for itself. Another name that leads here is a page's that wants to pass for ours. */
const ownNames = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/;

/**
 * Why a request is not from our own page in a browser of this machine, a sentence; null when it is. A port other than
 * ours is well: it may be forwarded (ssh -L).
 * @param isEntry it opens an address that was given to a person, from wherever they have it
 * @param needsOrigin browsers always tell where such a request comes from
 */
export function originRefusal(
  headers: IncomingHttpHeaders,
  { isEntry = false, needsOrigin = false } = {},
): string | null {
  const { host, origin } = headers;
  if (host === undefined || !ownNames.test(host)) {
    return 'This page is served to this machine alone: open it as 127.0.0.1 or localhost.';
  }
  if (isEntry) return null;
  if (origin === undefined ? needsOrigin : origin !== `http://${host}`) {
    return 'Another page has asked for this.';
  }
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  return isOwn ? null : 'Another page has asked for this.';
}
