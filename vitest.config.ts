import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Parts of the paths of slow test files, slowest first. */
const slow = [
  'resilience/chaos/',
  'e2e/pipeline',
  'stage-deepspeech/whisper.',
  'resilience/',
  'infra/observe/',
  'e2e/',
  'stage.test',
];

/** Starts slow files first: one that started last would run alone. Durations of earlier runs do not exist in a clean clone. */
class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      [...slow.map((part) => moduleId.includes(part)), true].indexOf(true);
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    sequence: { sequencer: SlowestFirst },
    // Starts nothing by itself: the first test that asks for servers starts them (tests/support/stack.ts).
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'forks',
    // More than the cores of a small machine: most tests with servers wait for redeliveries, reconnects and notifications.
    maxWorkers: 3,
    // Only ends what hangs: a loaded machine takes many times as long as an idle one. A test that is meant to take its time says so.
    testTimeout: 120_000,
    // Servers are built from source the first time that a machine runs a test with them (tests/support/built-servers.ts).
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
  },
});
