import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** User name of the store's administrator. */
export const ROOT_USER = 'fave-admin';

/** Passwords of the bus users and the store accounts of an instance, by role. */
export interface Secrets {
  readonly bus: Readonly<Record<string, string>>;
  readonly store: Readonly<Record<string, string>>;
}

/**
 * Reads the secrets of an instance and generates the missing ones. A new stage gets a password without changes to the others.
 */
export async function ensureSecrets(
  dataDir: string,
  roles: { bus: readonly string[]; store: readonly string[] },
): Promise<Secrets> {
  const path = join(dataDir, 'secrets.json');
  const existing = await readSecrets(dataDir);
  const complete = (names: readonly string[], have: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    ...Object.fromEntries(names.map((name) => [name, randomBytes(18).toString('hex')])),
    ...have,
  });
  const secrets = { bus: complete(roles.bus, existing?.bus), store: complete(roles.store, existing?.store) };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // The rename is atomic: a partially written file would make the data inaccessible.
  await writeFile(`${path}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return secrets;
}

/** Deletes the secrets of an instance that is stopped. The next start generates new ones, and the servers accept only those. */
export async function deleteSecrets(dataDir: string): Promise<void> {
  await rm(join(dataDir, 'secrets.json'), { force: true });
}

export async function readSecrets(dataDir: string): Promise<Secrets | undefined> {
  const text = await readFile(join(dataDir, 'secrets.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Secrets);
}
