import type { WorkProblem } from '../ports.js';
import { describe, type Failure } from './failure.js';
import { faultOfError, faultWords, type MachineFault } from './machine-fault.js';

/** Why work could not go on, from a failure: by the machine, where that is what it is. */
export function problemOf(failure: Failure, reason: WorkProblem['reason']): WorkProblem {
  if (failure.kind === 'machine') return problemOfFault(failure.fault, failure.doing);
  return { reason, detail: describe(failure).message };
}

/** The same from what a call of the system threw. */
export function problemOfError(error: unknown, reason: WorkProblem['reason']): WorkProblem {
  const { message } = error as Error;
  const fault = faultOfError(error);
  return fault === null ? { reason, detail: message } : problemOfFault(fault, message);
}

export function problemOfFault(fault: MachineFault, doing: string): WorkProblem {
  if (fault === 'disk_full') return { reason: 'disk_full', detail: doing, fault };
  return { reason: 'machine_fault', detail: `${faultWords(fault)}: ${doing}`, fault };
}

/** What a call of the system on a file threw, as a failure. */
export function fileFailure(error: unknown, file: string): Failure {
  const fault = faultOfError(error);
  if (fault !== null) return { kind: 'machine', fault, doing: file };
  return { kind: 'file', path: file, detail: (error as Error).message };
}
