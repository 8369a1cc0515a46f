import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { identityOf, isRunning, type ProcessIdentity } from './identity.ts';

/** Interval between two attempts to acquire a lock, in milliseconds. */
const POLL_INTERVAL_MS = 200;

/**
 * Runs `work` while no other process holds the lock. The lock of a process that died is taken over.
 * @param path Directory of the lock. It contains one file, with a unique name and the identity of the holder.
 * @param waiting Called once if another process holds the lock.
 * @param signal Ends the wait. @throws AbortError
 */
export async function withLock<T>(path: string, work: () => Promise<T>, waiting?: () => void, signal?: AbortSignal): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let isReported = false;
  let held: string | undefined;
  while ((held = await acquire(path)) === undefined) {
    if (!isReported) waiting?.();
    isReported = true;
    await sleep(POLL_INTERVAL_MS, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(held, { force: true });
    await rmdir(path).catch(() => undefined); // fails if another process has taken the lock
  }
}

/** Tries to acquire the lock. @returns Path of the file that holds it; undefined if another process holds it. */
async function acquire(path: string): Promise<string | undefined> {
  // The directory is renamed into place with its file: a lock without an identity could never be taken over.
  const name = randomUUID();
  const own = `${path}.${name}`;
  await mkdir(own);
  await writeFile(join(own, name), JSON.stringify(identityOf(process.pid)));
  try {
    await rename(own, path); // fails when the directory exists and is not empty
    return join(path, name);
  } catch {
    await rm(own, { recursive: true, force: true });
  }
  // A new holder has a file with another name, so this removes only the file of a dead holder.
  for (const file of await readdir(path).catch(() => [])) {
    const holder = join(path, file);
    if (!(await isHeld(holder))) await rm(holder, { force: true });
  }
  return undefined;
}

async function isHeld(holder: string): Promise<boolean> {
  try {
    return isRunning(JSON.parse(await readFile(holder, 'utf8')) as ProcessIdentity);
  } catch {
    return false;
  }
}
