import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from '../../lock.ts';
import { cacheDir, root } from '../../paths.ts';
import type { Progress } from '../../servers/install.ts';
import { run } from '../run.ts';

/** A program whose module is no other module's to build: its go.mod says what stands in for what. */
export interface GoProgram {
  readonly name: string;
  readonly module: string;
  readonly package: string;
  /** What stands in for a module that its go.mod looks for in a folder, which the published module has not. */
  readonly replace: string;
}

export const goPrograms: readonly GoProgram[] = [
  {
    name: 'loki',
    module: 'github.com/grafana/loki/v3',
    package: './cmd/loki',
    replace: 'github.com/grafana/loki/pkg/push=github.com/grafana/loki/pkg/push@v0.0.0-20250218135905-f078e0e3f9b6',
  },
  {
    name: 'alloy',
    module: 'github.com/grafana/alloy',
    package: '.',
    replace: 'github.com/grafana/alloy/syntax=github.com/grafana/alloy/syntax@v0.1.0',
  },
];

/**
 * Builds a program in a copy of its module, into the cache (minutes, once a machine). Files of `infra/compose/observe/{name}` take the
 * place of the module's own.
 * @param version As `v3.5.0`.
 * @returns Folder in which the program is all there is.
 */
export async function ensureGoProgram(program: GoProgram, version: string, progress: Progress): Promise<string> {
  const target = join(cacheDir, 'images', `${program.name}@${version}`);
  return withLock(join(cacheDir, 'images', `.lock-${program.name}`), async () => {
    if (existsSync(target)) return target; // built before, or by the one we waited for
    progress(`building ${program.name} ${version} from source (minutes, once a machine) …`);
    await mkdir(dirname(target), { recursive: true });
    const scratch = await mkdtemp(join(cacheDir, 'images', '.build-'));
    try {
      const result = join(scratch, 'result');
      await build(program, version, join(scratch, 'source'), join(result, program.name));
      await rename(result, target); // complete or not at all
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return target;
  });
}

async function build(program: GoProgram, version: string, source: string, result: string): Promise<void> {
  const env = { CGO_ENABLED: '0', GOFLAGS: '' };
  const said = await run('go', ['mod', 'download', '-json', `${program.module}@${version}`], { env });
  const { Dir } = JSON.parse(said) as { Dir: string };
  // Modules are kept read-only.
  await run('cp', ['-r', '--no-preserve=mode', Dir, source]);
  const own = join(root, 'infra', 'compose', 'observe', program.name);
  if (existsSync(own)) await run('cp', ['-r', `${own}/.`, source]);
  await run('go', ['mod', 'edit', `-replace=${program.replace}`], { cwd: source });
  await run('go', ['build', '-mod=mod', '-trimpath', '-ldflags', '-s -w', '-o', result, program.package], {
    cwd: source,
    env,
    show: true,
  });
}
