import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the project: the sources in `infra/` and the bundles in `dist/` both lie one level below it. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Where an instance keeps its data unless told otherwise. */
export const defaultDataDir = join(root, '.fave');

/** Cache of what is built once a machine, outside the work tree so that a clean clone finds it. */
export const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fave');

/** What images are built from and by, and a daemon of our own keeps. */
export const imagesDir = join(cacheDir, 'images');
