import { describe, expect, test } from 'vitest';
import { criteriaFor, criteriaOf } from '../../../source/core/policy/criteria.js';

const prd = `# Dates

## Requirements

- R1: dates are read
- **R2**: texts are kept
  - R3. nested
\`\`\`
- R9: in code
\`\`\`

## Acceptance criteria

- \`npm test\` passes.
1. It is fast.

## Tasks

### T1: Read
- R8: of a task
`;

const asked = criteriaOf(prd);

describe('what a PRD asks for', () => {
  test('requirements by their ids, acceptance criteria by their place', () => {
    expect(asked).toEqual([
      { id: 'R1', text: 'dates are read', kind: 'requirement' },
      { id: 'R2', text: 'texts are kept', kind: 'requirement' },
      { id: 'R3', text: 'nested', kind: 'requirement' },
      { id: 'A1', text: '`npm test` passes.', kind: 'acceptance' },
      { id: 'A2', text: 'It is fast.', kind: 'acceptance' },
    ]);
  });

  test('an agent is held against its own requirements, the acceptance criteria and its task', () => {
    const task = {
      id: 'T1',
      title: 'Read',
      description: 'All.',
      files: [],
      read: [],
      depends_on: [],
    };
    const own = criteriaFor({ ...task, requirements: ['r2'] }, asked);
    expect(own.map(({ id }) => id)).toEqual(['R2', 'A1', 'A2', 'T1']);
  });
});
