import { createHash, randomBytes } from 'node:crypto';

/** What a browser may do. */
export interface Rights {
  /** It may act on runs; else it can only watch. */
  readonly acts: boolean;
  /** The only run that it may see, as repository and stamp; null for all. */
  readonly run: string | null;
}

/** An address that nobody has opened is good for so long, milliseconds. */
const invitationMs = 30 * 60_000;

/** So many addresses that nobody has opened are kept. */
const mostInvitations = 100;

/**
 * Who may see the page. An invitation is a secret in an address, good for one browser: it is exchanged for a session,
 * whose secret is in a cookie. Neither is kept as it is, but as its hash.
 */
export class Sessions {
  private readonly invitations = new Map<
    string,
    { readonly rights: Rights; readonly at: number }
  >();
  private readonly sessions = new Map<string, Rights>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A secret that lets one browser in. */
  invite(rights: Rights): string {
    // Short enough for a line of a narrow screen: good once, and for half an hour.
    const secret = newSecret(invitationBytes);
    this.invitations.set(hashOf(secret), { rights, at: this.now() });
    const [oldest] = this.invitations.keys();
    if (this.invitations.size > mostInvitations && oldest) this.invitations.delete(oldest);
    return secret;
  }

  /** @returns the session's secret; null for one that is not known, was used, or is too old */
  enter(secret: string): { readonly session: string; readonly rights: Rights } | null {
    const hash = hashOf(secret);
    const invitation = this.invitations.get(hash);
    this.invitations.delete(hash);
    if (!invitation || this.now() - invitation.at > invitationMs) return null;
    const session = newSecret(sessionBytes);
    this.sessions.set(hashOf(session), invitation.rights);
    return { session, rights: invitation.rights };
  }

  /** @param session its secret, as the browser has sent it */
  rightsOf(session: string): Rights | null {
    return this.sessions.get(hashOf(session)) ?? null;
  }
}

/** Bytes of a secret that nobody can guess. */
const invitationBytes = 16;
const sessionBytes = 32;

function newSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** Looked up by its hash, a secret is not told by how long that takes. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
