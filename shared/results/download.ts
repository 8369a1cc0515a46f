import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { PermanentError } from '../core/errors.ts';
import { mapConcurrently } from '../core/map-concurrently.ts';
import { assertRequestId, requestPrefix } from '../pipeline/keys.ts';
import { computeSha256, type Store } from '../store/store.ts';

/** Number of concurrent downloads. */
const CONCURRENT_DOWNLOADS = 8;

/**
 * Downloads all objects of a request into a directory, which it creates if necessary.
 * @returns The keys of objects that have no safe file name and were skipped, too.
 * @throws UsageError for an invalid id, PermanentError `unknown-request`.
 */
export async function downloadRequest(
  store: Store,
  id: string,
  dir: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (done: number, total: number) => void },
): Promise<{ readonly files: number; readonly bytes: number; readonly skipped: readonly string[] }> {
  assertRequestId(id);
  const prefix = requestPrefix(id);
  const files: { key: string; path: string; size: number }[] = [];
  const skipped: string[] = [];
  for await (const { key, size } of store.list(prefix)) {
    const path = resolveSafePath(dir, key.slice(prefix.length));
    if (path === undefined) skipped.push(key);
    else files.push({ key, size, path });
  }
  if (files.length + skipped.length === 0)
    throw new PermanentError('unknown-request', `there is no request ${id}: list requests with fave ls`);
  let done = 0;
  const download = async ({ key, path }: { key: string; path: string }): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    // Renamed when complete. The name may already have the maximum length, so the temporary one is a hash, not a suffix.
    const part = join(dirname(path), `.${computeSha256(path).slice(0, 16)}.part`);
    try {
      await store.download(key, part, { signal });
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
    }
    onProgress((done += 1), files.length);
  };
  await mapConcurrently(files, download, CONCURRENT_DOWNLOADS);
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0), skipped };
}

/** Returns the local path of an object key below a directory. Returns `undefined` for an unsafe key: keys come from users. */
export function resolveSafePath(dir: string, key: string): string | undefined {
  const path = resolve(dir, key);
  const unsafe = key.split(/[/\\]/).some((part) => part === '' || part === '.' || part === '..') || key.includes('\0');
  return unsafe || !path.startsWith(dir.endsWith(sep) ? dir : dir + sep) ? undefined : path;
}
