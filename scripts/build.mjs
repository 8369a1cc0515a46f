// Bundles what runs: every service process from one entry, the CLI, and the study.
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';

const programs = {
  service: 'services/main.ts',
  fave: 'cli/main.ts',
  infra: 'infra/main.ts',
  verify: 'scripts/verify.ts',
  study: 'loadgen/study/main.ts',
};

/** Milliseconds that parts of older builds stay: an instance that runs may still import one. */
const KEPT = 24 * 60 * 60 * 1_000;

const dist = new URL('../dist/', import.meta.url).pathname;
await mkdir(dist, { recursive: true });
// Aside, and moved into place: a service that is restarted meanwhile finds a whole program, the old one or the new one.
const aside = await mkdtemp(join(dist, '.build-'));
try {
  await bundle(programs, aside);
  // Parts bear their content's hash and meet no others; programs come when all their parts are there.
  const isProgram = (name) => name.slice(0, name.indexOf('.')) in programs;
  const made = (await readdir(aside)).sort((a, b) => Number(isProgram(a)) - Number(isProgram(b)));
  for (const name of made) await rename(join(aside, name), join(dist, name));
  for (const name of (await readdir(dist)).filter((each) => !made.includes(each))) {
    const { mtimeMs } = await stat(join(dist, name));
    if (mtimeMs < Date.now() - KEPT) await rm(join(dist, name), { recursive: true, force: true });
  }
} finally {
  await rm(aside, { recursive: true, force: true });
}
