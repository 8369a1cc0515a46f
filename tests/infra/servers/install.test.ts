import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startMinio } from '../../../infra/servers/minio.ts';
import { cachedPath, ensureServers, findServer } from '../../../infra/servers/install.ts';
import { serverPrograms } from '../../../infra/servers/table.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import '../../support/built-servers.ts';
import { createTempDir } from '../../support/temp-dir.ts';

/** Creates a directory with the program `silo`: the built MinIO, with the version output of a release. */
async function siloOnPath(version: string): Promise<string> {
  const dir = createTempDir();
  const minio = cachedPath(serverPrograms.minio);
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo "silo version ${version}"; else exec '${minio}' "$@"; fi\n`;
  await writeFile(join(dir, 'silo'), script);
  await chmod(join(dir, 'silo'), 0o755);
  return dir;
}

it('starts a silo on PATH in place of the built MinIO', async () => {
  const dir = await siloOnPath('RELEASE.2026-03-01T00-00-00Z');
  const programs = await ensureServers(() => undefined, dir);
  expect(programs.minio).toBe(join(dir, 'silo'));
  expect(programs.mc).toBe(cachedPath(serverPrograms.mc));

  const { minio: port, console } = await freePorts();
  const notify = { address: '127.0.0.1:9', user: 'minio', password: 'secret' };
  const access = { rootUser: 'fave-admin', rootPassword: 'secret-of-the-store' };
  const server = await startMinio({ program: programs.minio, port, console, dataDir: join(dir, 'data'), ...access, notify });
  onTestFinished(async () => {
    await server.stop(0);
  });
  expect((await fetch(`http://127.0.0.1:${port}/minio/health/live`)).status).toBe(200);
});

it('ignores a silo that is older than the oldest release that fits', async () => {
  const dir = await siloOnPath('RELEASE.2025-01-01T00-00-00Z');
  expect(await findServer(serverPrograms.minio, dir)).toBe(cachedPath(serverPrograms.minio));
});
