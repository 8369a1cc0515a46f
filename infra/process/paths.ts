import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Returns the nearest directory at or above `directory` that holds `package.json`. */
function findRoot(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findRoot(dirname(directory));
}

/** Root of the project. Found by `package.json`, because this module runs from `infra/` and, bundled, from `dist/`. */
export const root = findRoot(import.meta.dirname);

/** Where an instance keeps its data unless told otherwise. */
export const defaultDataDir = join(root, '.fave');

/** Cache of what is built once a machine, outside the work tree so that a clean clone finds it. */
export const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fave');

/** Directory of code that Node.js compiled (`NODE_COMPILE_CACHE`, also in scripts/node.sh). */
export const compileCacheDir = join(cacheDir, 'compile-cache');

/** What images are built from and by, and a daemon of our own keeps. */
export const imagesDir = join(cacheDir, 'images');
