import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Returns the nearest directory at or above `directory` that holds `package.json`. */
function findRoot(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findRoot(dirname(directory));
}

/** Root of the project. Found by `package.json`, because this module runs from `infra/` and, bundled, from `dist/`. */
export const root = findRoot(import.meta.dirname);

/** Default data directory of an instance. */
export const defaultDataDir = join(root, '.fave');

/** Cache of programs built once per machine. It is outside the work tree, so all clones share it. */
export const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fave');

/** Directory of code that Node.js compiled (`NODE_COMPILE_CACHE`, also in scripts/node.sh). */
export const compileCacheDir = join(cacheDir, 'compile-cache');

/** Cache of the base images and of the Docker daemon that tests start. */
export const imagesDir = join(cacheDir, 'images');

/** Returns the data directory of an instance: the given one, that of the variable `FAVE_DATA_DIR`, or `.fave` in the project. */
export function chooseDataDir(given: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  return resolve(given ?? (env['FAVE_DATA_DIR'] || defaultDataDir));
}
