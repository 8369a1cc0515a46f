/** `npm run k8s -- generate [--check]` writes the generated manifests; `npm run -s k8s -- secrets` prints an installation's Secrets for kubectl. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { graph } from '../../services/pipeline.ts';
import { readConfig } from '../../shared/config/config.ts';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { defaultDataDir, root } from '../process/paths.ts';
import { deleteSecrets, ensureSecrets } from '../access/secrets.ts';
import { generateManifests } from './generate.ts';
import { rolesOf, secretManifests, type ExternalStoreKeys } from './secrets.ts';

async function generate(check: boolean): Promise<void> {
  for (const [path, text] of Object.entries(await generateManifests(graph))) {
    const file = join(root, 'k8s', path);
    if (!check) await writeFile(file, text);
    else if ((await readFile(file, 'utf8').catch(() => '')) !== text)
      throw new PermanentError('manifests-differ', `k8s/${path}: run \`npm run k8s -- generate\` and commit the result`);
  }
}

/** Returns the keys of an external store from the environment. */
function readExternalStoreKeys(): ExternalStoreKeys {
  const { store } = readConfig(process.env);
  if (store.accessKey === '') throw new PermanentError('invalid-arguments', 'set ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY');
  return store;
}

interface SecretOptions {
  /** Replaces all passwords. */
  readonly rotate: boolean;
  /** Gives all services the keys in the environment. An option, because a shell may hold the administrator's keys of another instance. */
  readonly external: boolean;
}

/** Prints the Secrets. Passwords are created once and stored in `dataDir`, so that a second call prints the same. */
async function printSecrets(dataDir: string, { rotate, external }: SecretOptions): Promise<void> {
  const externalKeys = external ? readExternalStoreKeys() : undefined;
  if (rotate) await deleteSecrets(dataDir);
  const secrets = await ensureSecrets(dataDir, rolesOf(graph));
  const manifests = secretManifests(graph, secrets, externalKeys);
  process.stdout.write(manifests.map((manifest) => stringify(manifest)).join('---\n'));
}

const {
  positionals: [command, directory = join(defaultDataDir, 'kubernetes')],
  values: { check, rotate, 'external-store': external },
} = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    rotate: { type: 'boolean', default: false },
    'external-store': { type: 'boolean', default: false },
  },
});
try {
  if (command === 'generate') await generate(check);
  else if (command === 'secrets') await printSecrets(directory, { rotate, external });
  else
    throw new PermanentError(
      'invalid-arguments',
      'use `generate [--check]` or `secrets [DIRECTORY] [--rotate] [--external-store]`',
    );
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
