import { existsSync, readdirSync, readFileSync } from 'node:fs';
import pLimit from 'p-limit';
import { faultOfError } from '../../core/policy/machine-fault.js';
import {
  faulted,
  maskSecrets,
  type TestCommand,
  type TestRun,
  trimOutput,
} from '../../core/policy/test-run.js';
import { unless, unreadable, writePrivate } from '../files/private-files.js';
import { steadyClock } from '../machine/clock.js';
import { confirmedFault } from '../machine/confirm-fault.js';
import { type CommandEnd, runCommand } from './run-command.js';
import { Reports } from './test-reports.js';

/** A test run that prints more than this is ended, bytes. */
const mostOutput = 64 * 1024 * 1024;

/** By this variable what a test run has started is found again, whatever session it moved to. */
const marker = 'AIDER_ORCHESTRATOR_CHECK';

/**
 * Runs the project's tests by `sh -c`, one test run at a time: suites that run twice at once on one
 * machine meet at ports, databases and caches. Bounded in time and output, and nothing it has started
 * outlives it.
 */
export class TestRunner {
  private readonly limit = pLimit(1);
  private runs = 0;

  constructor(
    private readonly env: Readonly<Record<string, string>>,
    /** Values that must not be seen in the output. */
    private readonly secrets: readonly string[],
  ) {}

  /**
   * @param log where the whole output goes
   * @param signal ends the check, also one that has not begun yet
   */
  run(plan: TestCommand, cwd: string, log: string, signal: AbortSignal): Promise<TestRun> {
    return this.limit(() => this.runNow(plan, cwd, log, signal));
  }

  /** @param ask whether a runner that is known is asked for a report */
  private async runNow(
    plan: TestCommand,
    cwd: string,
    log: string,
    signal: AbortSignal,
    ask = true,
  ): Promise<TestRun> {
    const clock = steadyClock();
    const begun = clock();
    const result = (state: TestRun['state'], words: string, output = ''): TestRun => ({
      state,
      words,
      output,
      ms: clock() - begun,
      flaky: false,
    });
    if (signal.aborted) return result('stopped', 'told to end');
    let reports: Reports | null = null;
    this.runs += 1;
    const mark = `${process.pid}-${this.runs}-${begun}`;
    try {
      reports = new Reports(plan, cwd, ask);
      const { command } = reports;
      const end = await runCommand({
        file: '/bin/sh',
        args: ['-c', command],
        cwd,
        env: { ...this.env, TERM: 'dumb', NO_COLOR: '1', CI: '1', [marker]: mark },
        reading: { stop: signal, timeoutMs: plan.timeoutMs, mostOutput },
      });
      const text = maskSecrets(end.text, this.secrets);
      writePrivate(log, `$ ${command}\n${text}`);
      const limit = limitWords(end.ended, plan);
      const report = reports.read();
      const told = report === null ? {} : { report };
      if (signal.aborted) return result('stopped', 'told to end');
      if (limit === '' && end.exit.code === 0 && !end.exit.signal) {
        return { ...result('passed', ''), ...told };
      }
      // An older runner does not know what it was asked for: that is no failure of the tests.
      if (limit === '' && reports.isAsked && report === null) {
        return await this.runNow(plan, cwd, log, signal, false);
      }
      const fault = limit === '' ? confirmedFault(text, cwd) : null;
      if (fault !== null) return faulted(fault, 'while the tests ran', clock() - begun);
      const words = limit || end.exit.signal || `exit code ${end.exit.code}`;
      return { ...result('failed', words, trimOutput(text)), ...told };
    } catch (error) {
      const { message } = error as Error;
      const fault = existsSync(cwd) ? faultOfError(error) : 'folder_gone';
      if (fault !== null) return faulted(fault, message, clock() - begun);
      return result('failed', message);
    } finally {
      killMarked(mark);
      reports?.close();
    }
  }
}

function limitWords(ended: CommandEnd['ended'], { timeoutMs }: TestCommand): string {
  if (ended === 'timeout') return `no end after ${timeoutMs / 60_000} min`;
  return ended === 'output' ? `printed more than ${mostOutput / 1024 / 1024} MB` : '';
}

/** Kills what carries the mark in its environment (Linux; elsewhere its process group is all we know). */
function killMarked(mark: string): void {
  // A process may start another one while we look, so it is looked again until none is found.
  for (let round = 0; round < 20; round++) {
    const found = marked(mark);
    if (found.length === 0) return;
    for (const pid of found) {
      // It may have ended by itself.
      unless(['ESRCH', 'EPERM'], null, () => process.kill(pid, 'SIGKILL'));
    }
  }
}

function marked(mark: string): number[] {
  const names = unless(unreadable, [], () => readdirSync('/proc'));
  // Processes of others, and those that end meanwhile, tell nothing.
  const codes = [...unreadable, 'ESRCH'];
  return names
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) =>
      unless(codes, [], () => {
        const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
        if (!environment.includes(`${marker}=${mark}`)) return [];
        const state = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.[0];
        return state === 'Z' ? [] : [Number(name)];
      }),
    );
}
