import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { cacheDir } from '../../infra/process/paths.ts';
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
 * Creates one temporary directory for the run: TMPDIR, in which files that tests leave behind are found, and an empty home.
 * Owns all servers. It lives as long as the run, so nothing survives a test worker that dies.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensurePackages((line) => process.stderr.write(`${line}\n`), { openssl: 'openssl' });
  const dir = await mkdtemp(join(tmpdir(), 'fave-test-'));
  const [temporary, home] = [join(dir, 'tmp'), join(dir, 'home')];
  await Promise.all([temporary, home].map((path) => mkdir(path)));
  const before = process.env;
  process.env = {
    ...Object.fromEntries(Object.entries(before).filter(([name]) => !name.startsWith('XDG_'))),
    TMPDIR: temporary,
    HOME: home,
    XDG_RUNTIME_DIR: home,
    // Built programs stay where they are.
    XDG_CACHE_HOME: dirname(cacheDir),
    // A start must not download a model.
    FAVE_WHISPER_MODEL: 'none',
  };
  const stacks = await serveStacks(join(temporary, 'stacks'));
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
      await assertNoLeaks(temporary);
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
      process.env = before;
    }
  };
}
