/** `npm run k8s -- generate [--check]` writes the manifests; `npm run -s k8s -- secrets` prints an installation's Secrets for kubectl. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { graph } from '../../services/pipeline.ts';
import { readConfig } from '../../shared/config.ts';
import { PermanentError } from '../../shared/errors.ts';
import { defaultDataDir, root } from '../paths.ts';
import { ensureSecrets, forgetSecrets } from '../secrets.ts';
import { manifestFiles } from './files.ts';
import { rolesOf, secretManifests } from './secrets.ts';

const folder = join(root, 'k8s');

/** What is committed but differs from what follows from the code, by path. */
async function differences(wanted: Record<string, string>): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const present = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const stale = present.filter((path) => !(path in wanted));
  const texts = await Promise.all(Object.keys(wanted).map((path) => readFile(join(folder, path), 'utf8').catch(() => undefined)));
  return [...stale, ...Object.entries(wanted).flatMap(([path, text], index) => (texts[index] === text ? [] : [path]))];
}

async function generate(check: boolean): Promise<void> {
  const wanted = manifestFiles(graph);
  const changed = await differences(wanted);
  if (check && changed.length > 0)
    throw new PermanentError('manifests-differ', `${changed.join(', ')}: run \`npm run k8s -- generate\` and commit the result`);
  for (const path of changed) {
    const file = join(folder, path);
    const text = wanted[path];
    if (text === undefined) await rm(file);
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }
}

/**
 * Passwords are made once and kept in the directory, so that a second call prints the same. Where the environment has
 * ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY, all services get these. @param rotate Makes all passwords anew.
 */
async function printSecrets(dataDir: string, rotate: boolean): Promise<void> {
  const { store } = readConfig(process.env);
  if (rotate) await forgetSecrets(dataDir);
  const secrets = await ensureSecrets(dataDir, rolesOf(graph));
  process.stdout.write(
    secretManifests(graph, secrets, store.accessKey === '' ? undefined : store)
      .map((manifest) => stringify(manifest))
      .join('---\n'),
  );
}

const {
  positionals: [command, directory = join(defaultDataDir, 'kubernetes')],
  values: { check, rotate },
} = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false }, rotate: { type: 'boolean', default: false } },
});
if (command === 'generate') await generate(check);
else if (command === 'secrets') await printSecrets(directory, rotate);
else throw new PermanentError('bad-arguments', 'say `generate [--check]` or `secrets [DIRECTORY] [--rotate]`');
