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
 * @throws UsageError for an invalid id, PermanentError `unknown-request`, `unsafe-key`.
 */
export async function downloadRequest(
  store: Store,
  id: string,
  dir: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (done: number, total: number) => void },
): Promise<{ readonly files: number; readonly bytes: number }> {
  assertRequestId(id);
  const prefix = requestPrefix(id);
  const files: { key: string; path: string; size: number }[] = [];
  for await (const { key, size } of store.list(prefix))
    files.push({ key, size, path: resolveSafePath(dir, key.slice(prefix.length)) });
  if (files.length === 0) throw new PermanentError('unknown-request', `there is no request ${id}: list requests with fave ls`);
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
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** Returns the path of an object below a directory. Keys are untrusted. @throws PermanentError `unsafe-key` for a path outside it. */
export function resolveSafePath(dir: string, key: string): string {
  const path = resolve(dir, key);
  const unsafe = key.split(/[/\\]/).some((part) => part === '' || part === '.' || part === '..') || key.includes('\0');
  if (unsafe || !path.startsWith(dir.endsWith(sep) ? dir : dir + sep))
    throw new PermanentError('unsafe-key', `${JSON.stringify(key)} is not a safe file name: download it with mc cp`);
  return path;
}
