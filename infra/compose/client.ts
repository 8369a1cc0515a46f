import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from '../process/build-cache.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { imagesDir, root } from '../process/paths.ts';
import { run } from './run.ts';

/** Package of the program, in a module of its own with pinned dependencies (`client/go.mod`). */
const PACKAGE = 'github.com/docker/compose/v2';
const MODULE = join(root, 'infra', 'compose', 'client');

/** Compose as a program of its own: in the cache, else built from source into it (minutes, once a machine). @returns Its path. */
export async function ensureCompose(progress: ProgressReporter): Promise<string> {
  const version = /docker\/compose\/v2 (v\S+)/.exec(await readFile(join(MODULE, 'go.mod'), 'utf8'))?.[1] ?? '';
  const make = async (scratch: string): Promise<string> => {
    const program = join(scratch, 'program');
    const ldflags = `-s -w -X ${PACKAGE}/internal.Version=${version}`;
    await run('go', ['build', '-trimpath', '-ldflags', ldflags, '-o', program, `${PACKAGE}/cmd`], {
      cwd: MODULE,
      env: { CGO_ENABLED: '0', GOFLAGS: '' },
      show: true,
    });
    return program;
  };
  const doing = `building Compose ${version} from source (two minutes or more, once a machine)`;
  return buildOnce(join(imagesDir, `docker-compose@${version}`), { doing, make }, progress);
}
