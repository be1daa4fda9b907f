import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { err, ok, type Result } from '../../core/result.js';
import { socketsFolder } from '../config/folders.js';
import { absent, hasCode, unless } from '../files/private-files.js';

/** The longest path that a socket can have everywhere, bytes: macOS takes 104 with the zero at its end. */
const longestPath = 100;

/**
 * The socket of a run: in the user's data folder or, where its path would be too long, in a folder of the user's in
 * `/tmp`. Whoever looks for it finds the same one.
 * @param record the run's record, which names repository and run
 */
export function socketOf(record: string): string {
  const repository = path.basename(path.dirname(record));
  const name = `${repository.slice(0, 12)}-${path.basename(record, '.jsonl')}.sock`;
  const usual = path.join(socketsFolder(), name);
  if (Buffer.byteLength(usual) <= longestPath) return usual;
  const hash = createHash('sha256').update(usual).digest('hex').slice(0, 24);
  return path.join('/tmp', `aider-orchestrator-${userInfo().uid}`, `${hash}.sock`);
}

/** Why a folder of sockets is not used, as a clause; null when only this user can open it. */
function notPrivate(folder: string): string | null {
  const stats = lstatSync(folder);
  if (!stats.isDirectory()) return 'it is no folder';
  if (stats.uid !== userInfo().uid) return 'it belongs to another user';
  if ((stats.mode & 0o077) !== 0) return `others can open it (chmod 700 ${folder})`;
  return null;
}

/** What keeps a socket from being opened, by the code of the error. */
const socketFaults = [
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EADDRINUSE',
  'ENAMETOOLONG',
  'EMFILE',
  'ENFILE',
  'EINVAL',
  'ENOENT',
  'ENOTSUP',
  'EOPNOTSUPP',
];

/**
 * Opens a run's socket. A file that is there is of a program that died: the run is ours by its record.
 * @returns the server, or why clients cannot come, as a clause
 */
export async function listenAt(
  file: string,
  onClient: (stream: Socket) => void,
): Promise<Result<Server, string>> {
  const folder = path.dirname(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const why = notPrivate(folder);
    if (why !== null) return err(`${folder}: ${why}`);
    rmSync(file, { force: true });
    const server = createServer(onClient);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(file, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(file, 0o600);
    // One client that cannot be taken is not the end of the run.
    server.on('error', () => {});
    return ok(server);
  } catch (error) {
    if (hasCode(error, ...socketFaults)) return err((error as Error).message);
    throw error;
  }
}

/** Removes the socket that a program which died has left. */
export function forgetSocket(record: string): void {
  const file = socketOf(record);
  const isOurs = unless(absent, false, () => notPrivate(path.dirname(file)) === null);
  if (isOurs) rmSync(file, { force: true });
}

/** A connection to a run's host; or why there is none, as a clause. */
export async function connectTo(file: string): Promise<Result<Socket, string>> {
  try {
    const why = notPrivate(path.dirname(file));
    if (why !== null) return err(`${path.dirname(file)}: ${why}`);
    const stats = lstatSync(file);
    if (!stats.isSocket()) return err(`${file} is no socket`);
    if (stats.uid !== userInfo().uid) return err(`${file} belongs to another user`);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return err('it has no socket');
    if (hasCode(error, ...socketFaults)) return err((error as Error).message);
    throw error;
  }
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(ok(socket));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const isDead = hasCode(error, 'ECONNREFUSED', 'ENOENT', 'ECONNRESET');
      resolve(err(isDead ? 'nobody listens at its socket any more' : error.message));
    });
  });
}
