import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import { requestPrefix } from '../../../shared/pipeline/keys.ts';
import { computeSha256 } from '../../../shared/store/store.ts';
import type { CliContext } from '../../context/cli.ts';
import { withStore } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { bytes } from '../../output/format.ts';
import { assertRequestId } from '../../../shared/requests/read-request.ts';
import { createRedraw } from '../../output/redraw.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';

/** Files that are downloaded at once. */
const AT_ONCE = 8;

/** Downloads everything below a request's prefix. */
export async function get(cli: CliContext, id: string, dir: string): Promise<number> {
  assertRequestId(id);
  const target = resolve(cli.cwd, dir);
  return withStore(cli, async (store) => {
    const prefix = requestPrefix(id);
    const files: { key: string; path: string; size: number }[] = [];
    for await (const { key, size } of store.list(prefix))
      files.push({ key, size, path: safePath(target, key.slice(prefix.length)) });
    if (files.length === 0)
      throw new PermanentError('unknown-request', `there is no request ${id}: fave ls lists those that there are`);

    const redraw = createRedraw(cli.stderr);
    let done = 0;
    await mapConcurrently(
      files,
      async ({ key, path }) => {
        await mkdir(dirname(path), { recursive: true });
        // A file with its own name is whole. That name may be as long as names can be, so nothing is added to it.
        const part = join(dirname(path), `.${computeSha256(path).slice(0, 16)}.part`);
        try {
          await store.download(key, part, { signal: cli.signal });
          await rename(part, path);
        } finally {
          await rm(part, { force: true });
        }
        done += 1;
        if (cli.stderr.live) redraw.draw([`${done} of ${files.length} files`]);
      },
      AT_ONCE,
    );
    cli.stdout.line(`${files.length} files, ${bytes(files.reduce((sum, { size }) => sum + size, 0))}, in ${target}`);
    return exitCodes.ok;
  });
}

/**
 * Where an object goes below a directory. A key is anybody's text: `..` or a backslash must not lead out of it.
 * @throws PermanentError `unsafe-key`.
 */
export function safePath(dir: string, key: string): string {
  const path = resolve(dir, key);
  const unsafe = key.split(/[/\\]/).some((part) => part === '' || part === '.' || part === '..') || key.includes('\0');
  if (unsafe || !path.startsWith(dir.endsWith(sep) ? dir : dir + sep))
    throw new PermanentError('unsafe-key', `${JSON.stringify(key)} is no safe file name: get it by hand with mc cp`);
  return path;
}
