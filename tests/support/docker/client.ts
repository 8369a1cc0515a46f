import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from '../../../infra/process/build-cache.ts';
import { imagesDir } from '../../../infra/process/paths.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { run } from './run.ts';

/** Docker Compose and its specification, as modules. `client/go.mod` pins both. */
const COMPOSE = 'github.com/docker/compose/v2';
const SPECIFICATION = 'github.com/compose-spec/compose-go/v2';
const MODULE_DIR = join(import.meta.dirname, 'client');

/** Returns the path of the Compose program. It is built from source if the cache does not have it (minutes, once per machine). */
export async function ensureCompose(progress: ProgressReporter): Promise<string> {
  const version = await readVersion(COMPOSE);
  const make = async (scratch: string): Promise<string> => {
    const program = join(scratch, 'program');
    const ldflags = `-s -w -X ${COMPOSE}/internal.Version=${version}`;
    await run('go', ['build', '-trimpath', '-ldflags', ldflags, '-o', program, `${COMPOSE}/cmd`], {
      cwd: MODULE_DIR,
      env: { CGO_ENABLED: '0', GOFLAGS: '' },
      show: true,
    });
    return program;
  };
  const description = `building Compose ${version} from source (two minutes or more, once per machine)`;
  return buildOnce(join(imagesDir, `docker-compose@${version}`), { description, make }, progress);
}

/** Returns the JSON Schema of Compose files that this version of Compose validates with. It is downloaded once per machine. */
export async function readComposeSchema(progress: ProgressReporter): Promise<object> {
  const version = await readVersion(SPECIFICATION);
  const make = async (scratch: string): Promise<string> => {
    const env = { GOMODCACHE: join(scratch, 'modules'), GOFLAGS: '-modcacherw' };
    const output = await run('go', ['mod', 'download', '-json', `${SPECIFICATION}@${version}`], { cwd: scratch, env });
    return join((JSON.parse(output) as { readonly Dir: string }).Dir, 'schema', 'compose-spec.json');
  };
  const description = `downloading the Compose specification ${version}`;
  const path = await buildOnce(join(imagesDir, `compose-spec@${version}.json`), { description, make }, progress);
  return JSON.parse(await readFile(path, 'utf8')) as object;
}

async function readVersion(module: string): Promise<string> {
  const text = await readFile(join(MODULE_DIR, 'go.mod'), 'utf8');
  return new RegExp(`${module} (v\\S+)`).exec(text)?.[1] ?? '';
}
