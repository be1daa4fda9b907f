import type { Conflict } from '../../core/agent/agent.js';
import type { Failure } from '../../core/policy/failure.js';
import type { Result } from '../../core/result.js';
import { mergeCommits } from './merge.js';
import { gitText } from './run-git.js';

/** An agent's work as it was when it was last looked at. */
export interface WorkState {
  readonly tree: string;
  /** The commit it starts from. */
  readonly start: string;
  readonly files: ReadonlySet<string>;
}

/** Tells while agents work whose changes cannot be merged with each other. */
export class ConflictRadar {
  private readonly states = new Map<number, WorkState>();

  constructor(private readonly repo: string) {}

  seen(agent: number, state: WorkState): void {
    this.states.set(agent, state);
  }

  forget(agent: number): void {
    this.states.delete(agent);
  }

  /** Merges an agent's state with that of each other one that has changed the same files. */
  async conflicts(agent: number): Promise<readonly Conflict[]> {
    const own = this.states.get(agent);
    if (!own) return [];
    const found: Conflict[] = [];
    for (const [other, state] of this.states) {
      if (other === agent || ![...own.files].some((file) => state.files.has(file))) continue;
      const [ours, theirs] = [await asCommit(this.repo, own), await asCommit(this.repo, state)];
      if (!ours.ok || !theirs.ok) continue;
      const merged = await mergeCommits(this.repo, ours.value, theirs.value, 'What if');
      if (merged.ok && !merged.value.clean) {
        found.push({ agent: other, files: merged.value.files });
      }
    }
    return found;
  }
}

/** A state as a commit that no branch has; git's own clean-up takes it away later. */
function asCommit(repo: string, { tree, start }: WorkState): Promise<Result<string, Failure>> {
  return gitText(repo, ['commit-tree', tree, '-p', start, '-m', 'As it is now']);
}
