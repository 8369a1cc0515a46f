import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const directories: string[] = [];

// Registered at import, because workers are killed without an `exit` event.
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** Creates a temporary directory that is removed after the tests of this file. */
export function createTempDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fave-test-'));
  directories.push(directory);
  return directory;
}
