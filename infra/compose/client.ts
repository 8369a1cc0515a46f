import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../lock.ts';
import { cacheDir, root } from '../paths.ts';
import type { Progress } from '../servers/install.ts';
import { run } from './run.ts';

/** Package of the program, in a module of its own with pinned dependencies (`client/go.mod`). */
const PACKAGE = 'github.com/docker/compose/v2';
const MODULE = join(root, 'infra', 'compose', 'client');

/** Compose as a program of its own: in the cache, else built from source into it (minutes, once a machine). @returns Its path. */
export async function ensureCompose(progress: Progress): Promise<string> {
  const version = /docker\/compose\/v2 (v\S+)/.exec(await readFile(join(MODULE, 'go.mod'), 'utf8'))?.[1] ?? '';
  const dir = join(cacheDir, 'images');
  const target = join(dir, `docker-compose@${version}`);
  const build = async (): Promise<string> => {
    if (existsSync(target)) return target;
    progress(`building Compose ${version} from source (two minutes or more, once a machine) …`);
    await mkdir(dir, { recursive: true });
    const ldflags = `-s -w -X ${PACKAGE}/internal.Version=${version}`;
    await run('go', ['build', '-trimpath', '-ldflags', ldflags, '-o', `${target}.new`, `${PACKAGE}/cmd`], {
      cwd: MODULE,
      env: { CGO_ENABLED: '0', GOFLAGS: '' },
      show: true,
    });
    await rename(`${target}.new`, target); // complete or not at all
    return target;
  };
  return withLock(join(dir, '.lock-compose'), build);
}
