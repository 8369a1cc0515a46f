import { join } from 'node:path';
import { bundle } from '../../scripts/bundle.ts';
import { root } from '../../infra/process/paths.ts';

/** Bundles a program of `programs/` like a service, so that both start equally fast. @returns Path of the bundle. */
export async function bundleProgram(program: string): Promise<string> {
  // Node resolves external packages from here.
  const outdir = join(root, 'node_modules', '.cache', 'fave-bench');
  await bundle({ [program]: join(import.meta.dirname, 'programs', `${program}.ts`) }, outdir);
  return join(outdir, `${program}.mjs`);
}
