/** Bundles the programs: every service process from one entry, the CLI, the launcher and the study. */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compileCacheDir, root } from '../infra/process/paths.ts';
import { bundle } from './bundle.ts';

const programs = {
  service: 'services/main.ts',
  fave: 'cli/main.ts',
  infra: 'infra/main.ts',
  study: 'loadgen/study/main.ts',
};

/** Time that parts of older builds are kept, because a running instance may still import one (ms). */
const KEPT = 24 * 60 * 60 * 1_000;

const dist = join(root, 'dist');
await mkdir(dist, { recursive: true });
// Programs are built in a temporary directory and renamed, so a service that restarts during the build finds a complete program.
const aside = await mkdtemp(join(dist, '.build-'));
try {
  await bundle(programs, aside);
  // Shared parts have their content's hash in their names, so they replace nothing. Programs follow their parts.
  const isProgram = (name: string): boolean => name.slice(0, name.indexOf('.')) in programs;
  const made = (await readdir(aside)).sort((a, b) => Number(isProgram(a)) - Number(isProgram(b)));
  for (const name of made) await rename(join(aside, name), join(dist, name));
  for (const name of (await readdir(dist)).filter((each) => !made.includes(each))) {
    const { mtimeMs } = await stat(join(dist, name));
    if (mtimeMs < Date.now() - KEPT) await rm(join(dist, name), { recursive: true, force: true });
  }
  // Compiled code of older builds is of no use.
  await rm(compileCacheDir, { recursive: true, force: true });
} finally {
  await rm(aside, { recursive: true, force: true });
}
