import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { run } from '../../support/docker/run.ts';
import { root } from '../../../infra/process/paths.ts';
import { createTempDir } from '../../support/temp-dir.ts';

interface Secret {
  readonly metadata: { readonly name: string };
  readonly stringData: Record<string, string>;
}

const dir = createTempDir();

/** Runs `npm run -s k8s -- secrets`. Returns the NATS passwords by Secret. */
async function printSecrets(
  args: string[] = [],
  variables: Record<string, string> = {},
): Promise<Record<string, string | undefined>> {
  const program = ['infra/kubernetes/main.ts', 'secrets', dir, ...args];
  const text = await run(process.execPath, program, { cwd: root, env: variables });
  const secrets = parseAllDocuments(text).map((document) => document.toJS() as Secret);
  return Object.fromEntries(secrets.map(({ metadata, stringData }) => [metadata.name, stringData['NATS_PASSWORD']]));
}

it('prints the same passwords again and others after a rotation', { timeout: 60_000 }, async () => {
  const first = await printSecrets();
  expect(Object.keys(first).length).toBeGreaterThan(10);
  expect(await printSecrets()).toEqual(first);
  const rotated = await printSecrets(['--rotate']);
  expect(Object.keys(rotated)).toEqual(Object.keys(first));
  for (const [name, password] of Object.entries(first)) if (password) expect([name, rotated[name]]).not.toEqual([name, password]);
});

const administrator = { ARTIFACT_ACCESS_KEY: 'administrator', ARTIFACT_SECRET_KEY: 'secret of another instance' };

it('uses the keys in the environment only with --external-store', { timeout: 60_000 }, async () => {
  expect(Object.keys(await printSecrets([], administrator))).toContain('minio-root');
  expect(Object.keys(await printSecrets(['--external-store'], administrator))).not.toContain('minio-root');
  await expect(printSecrets(['--external-store'])).rejects.toThrow('ARTIFACT_ACCESS_KEY');
});
