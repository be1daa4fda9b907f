import path from 'node:path';
import envPaths from 'env-paths';

/** The user's folders for this program, by the system's custom (XDG on Linux, Library on macOS). */
function folders() {
  return envPaths('aider-orchestrator', { suffix: '' });
}

export function settingsFile(): string {
  return path.join(folders().config, 'settings.json');
}

/** Which settings files of repositories the user trusts, by content. */
export function trustFile(): string {
  return path.join(folders().data, 'trusted.json');
}

/** Changes that were asked for before, for the field in which they are typed. */
export function historyFile(): string {
  return path.join(folders().data, 'changes.json');
}

/** What was typed and made before a run, for the next start; a file for each checkout. */
export function draftsFolder(): string {
  return path.join(folders().data, 'drafts');
}

/** Where `setup` puts Aider. */
export function aiderFolder(): string {
  return path.join(folders().data, 'aider');
}

export function cacheFolder(): string {
  return folders().cache;
}

/** What we recorded of a repository, by its name of ours: outside of it, so that it cannot ship any of that. */
export function repositoryFolder(id: string): string {
  return path.join(repositoriesFolder(), id);
}

/** What is recorded of all repositories, a folder each. */
export function repositoriesFolder(): string {
  return path.join(folders().data, 'repositories');
}

/** Sockets of the runs that live. */
export function socketsFolder(): string {
  return path.join(folders().data, 'hosts');
}

/** The token by which Prometheus reads figures. */
export function metricsTokenFile(): string {
  return path.join(folders().data, 'metrics.token');
}

/** Files by which a browser is led to the page. */
export function pagesFolder(): string {
  return path.join(folders().data, 'pages');
}

/** Worktrees of all runs in one repository; outside of it, and readable by the user alone. */
export function worktreesFolder(id: string): string {
  return path.join(folders().cache, 'worktrees', id.slice(0, 12));
}
