import { join } from 'node:path';
import { bundle } from '../../scripts/bundle.ts';
import { root } from '../../infra/process/paths.ts';

/** Bundles a program of `peers/` as the services are bundled, so that it starts as fast. @returns The bundle's path. */
export async function bundleProgram(program: string): Promise<string> {
  // Below node_modules, where the packages that stay outside are found from.
  const outdir = join(root, 'node_modules', '.cache', 'fave-bench');
  await bundle({ [program]: join(import.meta.dirname, 'programs', `${program}.ts`) }, outdir);
  return join(outdir, `${program}.mjs`);
}
