import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeDigest } from '../core/plan/digest.js';
import type { Task } from '../core/plan/plan.js';
import { faultOfError } from '../core/policy/machine-fault.js';
import { handedArguments } from '../services/agents/aider/handed-files.js';
import type { AiderLauncher } from '../services/agents/aider/launcher.js';
import { makeRepoMap, writeMap } from '../services/agents/aider/repo-map.js';
import { cacheFolder } from '../services/config/folders.js';
import type { HandedSettings } from '../services/config/repo-aider-files.js';
import { hasCode, writeWhole } from '../services/files/private-files.js';
import { readRepoFacts } from '../services/git/repo-facts.js';
import type { Repository } from '../services/git/repository.js';
import { claimMap } from '../services/records/run-records.js';
import type { AiderCommand } from './aider-command.js';

/** Below this many files the names tell enough, and a map is not worth the seconds it takes. */
const fewFiles = 20;
/** Above it Aider needs minutes for its map. */
const manyFiles = 5000;
const mapTokens = 4096;

/**
 * What is known of the repository beyond its files: Aider's map of the symbols, made once, in the
 * background, from the base commit, and kept for later runs on the same tree.
 */
export class RepoKnowledge {
  /** Where agents can read the map; null without one. */
  mapFile: string | null = null;
  private readonly map: Promise<string | null>;
  private readonly stopping = new AbortController();

  constructor(
    private readonly repo: Repository,
    private readonly aider: AiderCommand | null,
    private readonly model: string,
    private readonly launcher: AiderLauncher,
    private readonly handed: HandedSettings,
  ) {
    // It only helps: without a disk to make it on, there is none, and the run itself says why.
    this.map = this.findMap().catch((error: unknown) => {
      if (faultOfError(error) === null && !hasCode(error, 'EACCES', 'EPERM')) throw error;
      return null;
    });
  }

  async digest(change: string, focus: readonly string[]): Promise<string> {
    return makeDigest(await readRepoFacts(this.repo, await this.map), change, focus);
  }

  /** Writes the map to a file for the agents, when there is one that helps them. */
  async writeMapFor(tasks: readonly Task[], file: string): Promise<void> {
    const map = tasks.every((task) => task.files.length === 0) ? null : await this.map;
    if (map === null) return;
    writeMap(file, map);
    this.mapFile = file;
  }

  stop(): void {
    this.stopping.abort();
  }

  /** Resolves when nothing of it runs any more. */
  async settled(): Promise<void> {
    await this.map;
  }

  private async findMap(): Promise<string | null> {
    const { repo, aider } = this;
    const count = repo.tracked.size;
    if (!aider || aider.simulated || count < fewFiles || count > manyFiles) return null;
    const key = createHash('sha256')
      .update(`${repo.head} ${aider.version} ${mapTokens}`)
      .digest('hex');
    const cached = path.join(cacheFolder(), 'maps', `${key.slice(0, 24)}.txt`);
    if (existsSync(cached)) return readFile(cached, 'utf8');
    // A place of its own beside the runs' worktrees, as the map is begun before there is a run.
    const record = claimMap(repo);
    const worktree = path.join(record.worktrees, 'map', path.basename(repo.root));
    record.making({ path: worktree, agent: null, branch: null, start: repo.head });
    const map = await makeRepoMap({
      launcher: this.launcher,
      model: this.model,
      repo: repo.root,
      base: repo.head,
      worktree,
      tokens: mapTokens,
      extra: handedArguments(this.handed),
      stop: this.stopping.signal,
    });
    record.discard();
    if (map !== null) writeWhole(cached, map);
    return map;
  }
}
