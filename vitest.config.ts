import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Starts nothing by itself: the first test that asks for servers starts them (tests/support/stack.ts).
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Only ends what hangs: a loaded machine takes many times as long as an idle one. A test that is meant to take its time says so.
    testTimeout: 120_000,
    // Servers are built from source the first time that a machine runs a test with them (tests/support/built-servers.ts).
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
  },
});
