/** `npm run k8s -- generate [--check]` writes the manifests; `npm run -s k8s -- secrets` prints an installation's Secrets for kubectl. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { graph } from '../../services/pipeline.ts';
import { readConfig } from '../../shared/config/config.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { defaultDataDir, root } from '../process/paths.ts';
import { ensureSecrets, deleteSecrets } from '../access/secrets.ts';
import { differences, manifestFiles, writeFiles } from './files.ts';
import { rolesOf, secretManifests, type GivenKeys } from './secrets.ts';

const folder = join(root, 'k8s');

async function generate(check: boolean): Promise<void> {
  const wanted = manifestFiles(graph);
  if (!check) return writeFiles(folder, wanted);
  const changed = await differences(folder, wanted);
  if (changed.length > 0)
    throw new PermanentError('manifests-differ', `${changed.join(', ')}: run \`npm run k8s -- generate\` and commit the result`);
}

/** Keys of a store that FAVE does not run, from the environment. */
function givenKeys(): GivenKeys {
  const { store } = readConfig(process.env);
  if (store.accessKey === '') throw new PermanentError('invalid-arguments', 'set ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY');
  return store;
}

interface Printed {
  /** Makes all passwords anew. */
  readonly rotate: boolean;
  /** Gives all services the keys of the environment. Only where it is asked for: who works on an instance has its administrator's there. */
  readonly external: boolean;
}

/** Passwords are made once and kept in the directory, so that a second call prints the same. */
async function printSecrets(dataDir: string, { rotate, external }: Printed): Promise<void> {
  const given = external ? givenKeys() : undefined;
  if (rotate) await deleteSecrets(dataDir);
  const secrets = await ensureSecrets(dataDir, rolesOf(graph));
  process.stdout.write(
    secretManifests(graph, secrets, given)
      .map((manifest) => stringify(manifest))
      .join('---\n'),
  );
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
if (command === 'generate') await generate(check);
else if (command === 'secrets') await printSecrets(directory, { rotate, external });
else throw new PermanentError('invalid-arguments', 'say `generate [--check]` or `secrets [DIRECTORY] [--rotate] [--external-store]`');
