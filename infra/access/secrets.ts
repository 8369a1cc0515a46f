import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** User name of the store's administrator. */
export const ROOT_USER = 'fave-admin';

/** Passwords of an instance: of the bus's users and of the store's, by role. */
export interface Secrets {
  readonly bus: Readonly<Record<string, string>>;
  readonly store: Readonly<Record<string, string>>;
}

/** Reads an instance's secrets; makes those that do not exist yet, so that a new stage gets its own and nobody else's changes. */
export async function ensureSecrets(
  dataDir: string,
  roles: { bus: readonly string[]; store: readonly string[] },
): Promise<Secrets> {
  const path = join(dataDir, 'secrets.json');
  const known = await readSecrets(dataDir);
  const complete = (names: readonly string[], have: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    ...Object.fromEntries(names.map((name) => [name, randomBytes(18).toString('hex')])),
    ...have,
  });
  const secrets = { bus: complete(roles.bus, known?.bus), store: complete(roles.store, known?.store) };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Renamed into place: half a file would lock its owner out of the data.
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
