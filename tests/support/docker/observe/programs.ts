import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from '../../../../infra/process/build-cache.ts';
import type { ProgressReporter } from '../../../../infra/process/progress.ts';
import { imagesDir } from '../../../../infra/process/paths.ts';
import { run } from '../run.ts';

const MODULE = 'github.com/grafana/loki/v3';

/** The go.mod of Loki refers to a directory that the published module does not contain. This is the nearest release. */
const PUSH = 'github.com/grafana/loki/pkg/push=github.com/grafana/loki/pkg/push@v0.0.0-20250218135905-f078e0e3f9b6';

/** Programs of the Loki module, by name. */
export const lokiPrograms = { loki: './cmd/loki', promtail: './clients/cmd/promtail' } as const;
export type LokiProgram = keyof typeof lokiPrograms;

/**
 * Returns the path of a program of the Loki module. It is built from source if the cache does not have it (minutes, once per
 * machine). `go install` rejects modules with replacements, so a separate go.mod is used.
 * @param version For example `v3.5.0`.
 */
export function ensureLokiProgram(name: LokiProgram, version: string, progress: ProgressReporter): Promise<string> {
  const target = join(imagesDir, `${name}@${version}`);
  const description = `building ${name} ${version} from source (takes minutes, once per machine)`;
  return buildOnce(target, { description, make: (scratch) => build(lokiPrograms[name], version, scratch) }, progress);
}

async function build(path: string, version: string, scratch: string): Promise<string> {
  const program = join(scratch, 'program');
  const env = { CGO_ENABLED: '0', GOFLAGS: '' };
  const output = await run('go', ['mod', 'download', '-json', `${MODULE}@${version}`], { env });
  const { Dir: source } = JSON.parse(output) as { Dir: string };
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
