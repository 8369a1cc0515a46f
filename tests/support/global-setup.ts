import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensurePackages } from '../../infra/servers/packages.ts';
import { assertNoLeaks } from './leaks.ts';
import { serveStacks } from './stack-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL at which the run's own process starts servers and services for tests. */
    stacks: string;
  }
}

/**
 * One temporary directory for the whole run, which is TMPDIR for all of it, so that what a test leaves behind is found; and
 * the one owner of all servers: it lives as long as the run, so nothing survives a test worker that dies.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensurePackages((line) => process.stderr.write(`${line}\n`), { openssl: 'openssl' });
  const before = process.env['TMPDIR'];
  const dir = await mkdtemp(join(tmpdir(), 'fave-test-'));
  process.env['TMPDIR'] = dir;
  const stacks = await serveStacks(join(dir, 'stacks'));
  project.provide('stacks', stacks.url);
  // A run that is ended from outside never comes to its teardown; its servers must not outlive it.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void stacks.close().finally(() => process.exit(1));
    });
  }
  return async () => {
    try {
      await stacks.close();
      await assertNoLeaks(dir);
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  };
}
