import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { identityOf, isRunning, type ProcessIdentity } from './identity.ts';

/** Milliseconds between two looks at a lock that somebody else holds. */
const POLL = 200;

/**
 * Runs `work` while no other process runs it under the same lock.
 * A lock whose holder died is taken over: a killed build must not block the next one for ever.
 * @param path Directory that stands for the lock: it holds one file, of a name that is used once, with its holder's identity.
 * @param waiting Called once when somebody else holds the lock.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, waiting?: () => void): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  let held: string | undefined;
  while ((held = await acquire(path)) === undefined) {
    if (!told) waiting?.();
    told = true;
    await sleep(POLL);
  }
  try {
    return await work();
  } finally {
    await rm(held, { force: true });
    await rmdir(path).catch(() => undefined); // where nobody has taken it meanwhile
  }
}

/** @returns The file by which the lock is held from now on; undefined where somebody else held it a moment ago. */
async function acquire(path: string): Promise<string | undefined> {
  // Made complete beside the lock and renamed onto it: a lock without its holder's name could never be taken over.
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
  // Whoever takes the lock while this looks has another file: only that of one who is gone is ever removed.
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
