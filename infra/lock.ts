import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { identityOf, isRunning } from './identity.ts';

/** Milliseconds between two looks at a lock that somebody else holds. */
const POLL = 200;

/**
 * Runs `work` while no other process runs it under the same lock.
 * A lock whose holder died is taken over: a killed build must not block the next one for ever.
 * @param path Directory that stands for the lock.
 * @param waiting Called once when somebody else holds the lock.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, waiting?: () => void): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await acquire(path))) {
    if (!told) waiting?.();
    told = true;
    await sleep(POLL);
  }
  try {
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  // Made complete beside the lock and renamed onto it: a lock without its holder's name could never be taken over.
  const own = `${path}.${randomUUID()}`;
  await mkdir(own);
  await writeFile(`${own}/holder.json`, JSON.stringify(identityOf(process.pid)));
  try {
    await rename(own, path); // fails when the directory exists and is not empty
    return true;
  } catch {
    await rm(own, { recursive: true, force: true });
  }
  if (!(await isHeld(path))) await rm(path, { recursive: true, force: true });
  return false;
}

async function isHeld(path: string): Promise<boolean> {
  try {
    return isRunning(JSON.parse(await readFile(`${path}/holder.json`, 'utf8')) as { pid: number; started: string });
  } catch {
    return false;
  }
}
