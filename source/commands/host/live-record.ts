import type { Failure } from '../../core/policy/failure.js';
import { fileFailure } from '../../core/policy/work-problem.js';
import { err, ok, type Result } from '../../core/result.js';
import { hasCode } from '../../services/files/private-files.js';
import { RunRecord } from '../../services/records/run-records.js';

/** The record of a run that the program before the host has claimed: from here on it is this process's. */
export function makeLiveRecord(
  stamp: string,
  { worktrees, file }: { readonly worktrees: string; readonly file: string },
): Result<RunRecord, Failure> {
  try {
    const record = new RunRecord(stamp, worktrees, file);
    record.resumed();
    return ok(record);
  } catch (error) {
    if (
      !hasCode(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOENT', 'EMFILE')
    ) {
      throw error;
    }
    return err(fileFailure(error, file));
  }
}
