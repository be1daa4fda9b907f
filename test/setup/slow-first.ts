import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in this order; what comes last would keep one worker busy alone. */
const slow = [/corpus\/world/, /corpus\//, /aider\//, /generated\//, /cli\//];

export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = slow.findIndex((name) => name.test(moduleId));
      return at < 0 ? slow.length : at;
    };
    return [...(await super.sort(files))].sort((a, b) => rank(a) - rank(b));
  }
}
