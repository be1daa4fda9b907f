import { providerBase } from '../../core/policy/providers.js';
import { unlessLater } from '../files/private-files.js';
import { startProviderProxy } from './provider-proxy.js';
import { type RateFacts, RateLimiter } from './rate-limiter.js';

export interface OpenProvider {
  readonly variable: string;
  readonly url: string;
  close(): Promise<void>;
}

/** Settings of the network that the agents heed, and that our own requests would not. */
const networkVariables = [
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'ALL_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
];

/**
 * Puts the rate limiter between the agents and their provider; null where that cannot be done: a provider
 * whose address cannot be set, or a network with a proxy or certificates of its own. There, each
 * agent's Aider retries by itself.
 */
export async function openProvider(
  model: string,
  env: Readonly<Record<string, string | undefined>>,
  most: () => number,
  onChange: (facts: RateFacts) => void,
): Promise<OpenProvider | null> {
  const base = providerBase(model);
  if (!base) return null;
  const upstream = env[base.variable] || env[`AIDER_${base.variable}`] || base.url;
  // What is wrong with it, the agent says in its own words.
  if (!URL.canParse(upstream)) return null;
  const address = new URL(upstream);
  const isLocal = /^(localhost|127\.|\[::1\])/.test(address.host);
  const hasNetwork = networkVariables.some((name) => env[name] || env[name.toLowerCase()]);
  if (!/^https?:$/.test(address.protocol) || (hasNetwork && !isLocal)) return null;
  const starting = startProviderProxy(upstream, new RateLimiter({ most, onChange }));
  // Without a port to listen on, each agent's Aider retries by itself.
  const codes = [
    'EADDRNOTAVAIL',
    'EADDRINUSE',
    'EACCES',
    'EPERM',
    'EMFILE',
    'ENFILE',
    'EAFNOSUPPORT',
  ];
  const proxy = await unlessLater(codes, null, starting);
  return proxy && { variable: base.variable, ...proxy };
}
