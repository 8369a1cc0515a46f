import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from '../../../../infra/process/build-cache.ts';
import type { ProgressReporter } from '../../../../infra/process/progress.ts';
import { imagesDir } from '../../../../infra/process/paths.ts';
import { run } from '../run.ts';

const MODULE = 'github.com/grafana/loki/v3';

/** Loki's go.mod looks for this module in a folder, which the published module has not: the nearest release of it. */
const PUSH = 'github.com/grafana/loki/pkg/push=github.com/grafana/loki/pkg/push@v0.0.0-20250218135905-f078e0e3f9b6';

/** Programs of Loki's module, by name. */
export const lokiPrograms = { loki: './cmd/loki', promtail: './clients/cmd/promtail' } as const;
export type LokiProgram = keyof typeof lokiPrograms;

/**
 * A program of Loki's module: in the cache, else built from source into it (minutes, once a machine). `go install` refuses a module
 * that replaces others, hence from a go.mod of its own.
 * @param version As `v3.5.0`.
 * @returns Its path.
 */
export function ensureLokiProgram(name: LokiProgram, version: string, progress: ProgressReporter): Promise<string> {
  const target = join(imagesDir, `${name}@${version}`);
  const doing = `building ${name} ${version} from source (minutes, once a machine)`;
  return buildOnce(target, { doing, make: (scratch) => build(lokiPrograms[name], version, scratch) }, progress);
}

async function build(path: string, version: string, scratch: string): Promise<string> {
  const program = join(scratch, 'program');
  const env = { CGO_ENABLED: '0', GOFLAGS: '' };
  const said = await run('go', ['mod', 'download', '-json', `${MODULE}@${version}`], { env });
  const { Dir: source } = JSON.parse(said) as { Dir: string };
  for (const name of ['go.mod', 'go.sum']) {
    await copyFile(join(source, name), join(scratch, name));
    await run('chmod', ['u+w', join(scratch, name)]); // modules are kept read-only
  }
  await run('go', ['mod', 'edit', `-replace=${PUSH}`, join(scratch, 'go.mod')]);
  const modules = [`-modfile=${join(scratch, 'go.mod')}`, '-mod=mod'];
  await run('go', ['build', ...modules, '-trimpath', '-ldflags', '-s -w', '-o', program, path], {
    cwd: source,
    env,
    show: true,
  });
  return program;
}
