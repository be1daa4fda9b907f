import { journalHead } from '../core/run/journal.js';
import type { Message } from '../core/run/message.js';
import type { RunState } from '../core/run/run.js';
import { AgentLogs } from '../services/logs/agent-log.js';
import { LineFile } from '../services/logs/line-file.js';
import { ensureLogs, type LogPaths } from '../services/logs/log-paths.js';
import type { RunRecord } from '../services/records/run-records.js';
import type { Observer } from '../store/run-store.js';
import { type Rescued, writeSummary } from './write-summary.js';

/** Writes down what happens in a run: its journal, the agents' logs, in the end its summary. */
export class RunRecorder {
  readonly agentLogs: AgentLogs;
  private readonly journal: LineFile;
  /** Its copy in the repository, for people: nothing reads it, as a repository can bring one along. */
  private readonly copy: LineFile;
  private written = false;

  /** @param rescued work that was committed after its agent had ended */
  constructor(
    repo: string,
    private readonly paths: LogPaths,
    private readonly record: RunRecord,
    private readonly warn: (text: string) => void,
    private readonly rescued: Rescued = new Map(),
  ) {
    const head = journalHead(record.stamp);
    const prepare = () => ensureLogs(repo);
    this.journal = new LineFile(record.journal, warn, { head });
    this.copy = new LineFile(paths.journal, warn, { head, prepare });
    this.agentLogs = new AgentLogs(paths, warn);
  }

  /** Told of each message, with the state it led to. */
  readonly observe: Observer = (next: RunState, before, message) => {
    this.journal.append(message, isImportant(message));
    this.copy.append(message, isImportant(message));
    this.agentLogs.note(next, before, message);
    // On disk before anybody is told that the run has ended.
    if (next.phase === 'finished') {
      this.written = writeSummary(next, this.paths, this.record, this.warn, this.rescued);
    }
  };

  /** Whether the summary of the run as it is now is on the disk. */
  get summaryWritten(): boolean {
    return this.written;
  }

  close(): void {
    this.agentLogs.close();
    this.journal.close();
    this.copy.close();
  }
}

/** What must not be lost, also by a power cut: what was decided, and what has been done with git. */
function isImportant({ type }: Message): boolean {
  const important: readonly Message['type'][] = [
    'run_started',
    'plan_made',
    'agent_prepared',
    'agent_committed',
    'integrated',
    'tip_merged',
    'tip_tested',
    'landing_done',
    'landing_undone',
  ];
  return important.includes(type);
}
