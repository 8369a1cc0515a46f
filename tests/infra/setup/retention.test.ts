import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { cachedPath } from '../../../infra/servers/install.ts';
import { serverPrograms } from '../../../infra/servers/table.ts';
import { runSetUp } from '../../../infra/setup/job.ts';
import { graph } from '../../../services/pipeline.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';

/** Returns the expiration rules of the store, in days by rule. */
async function expiries({ storeAdmin }: Stack): Promise<Record<string, number>> {
  interface Rule {
    readonly Filter: { readonly Prefix: string };
    readonly Expiration?: { readonly Days?: number | string };
  }
  const { Rule } = (await storeAdmin.client.getBucketLifecycle(storeAdmin.bucket)) as unknown as { Rule: Rule[] };
  return Object.fromEntries(
    Rule.flatMap(({ Filter, Expiration }) => (Expiration?.Days === undefined ? [] : [[Filter.Prefix, Number(Expiration.Days)]])),
  );
}

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

it('expires temporary objects, incomplete uploads and, with a retention, requests', async () => {
  expect(await expiries(stack)).toEqual({ 'tmp/': 7, 'memo/': 30 });
  const setUpAgain = (env = {}): Promise<void> =>
    runSetUp({
      graph,
      env: { ...stack.environment, ...env },
      secretsDir: join(stack.dataDir, 'none'),
      progress: () => undefined,
    });
  await setUpAgain({ FAVE_RETENTION_DAYS: '90' });
  expect(await expiries(stack)).toEqual({ 'tmp/': 7, 'memo/': 30, 'requests/': 90 });
  await setUpAgain();
  expect(await expiries(stack)).not.toHaveProperty('requests/');

  const { endpoint, accessKey, secretKey } = stack.config.store;
  const env = {
    HOME: stack.dataDir,
    MC_CONFIG_DIR: stack.dataDir,
    MC_HOST_fave: endpoint.replace('://', `://${accessKey}:${secretKey}@`),
  };
  const mc = cachedPath(serverPrograms.mc);
  const { stdout } = await promisify(execFile)(mc, ['admin', 'config', 'get', 'fave', 'api'], { env });
  // The server lists a setting of the environment separately; a default would be in the plain list only.
  expect(stdout).toContain('MINIO_API_STALE_UPLOADS_EXPIRY=24h');
  expect(stdout).toContain('MINIO_API_STALE_UPLOADS_CLEANUP_INTERVAL=6h');
});
