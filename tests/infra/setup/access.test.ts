import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storePolicies } from '../../../infra/access/policies.ts';
import { readSecrets } from '../../../infra/access/secrets.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { setUpAccess } from '../../../infra/setup/access.ts';
import { graph } from '../../../services/pipeline.ts';
import { createOwnStack } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

it('passes no secret to mc as an argument, which every local user could read', async () => {
  const { config, storeAdmin, dataDir } = await createOwnStack();
  const secrets = (await readSecrets(dataDir))!.store;
  const mc = join(createTempDir(), 'mc');
  writeFileSync(
    mc,
    `#!/bin/sh\nprintf '%s\\n' "$*" >> "$0.arguments"\nexec '${(await ensureServers(() => undefined)).mc}' "$@"\n`,
  );
  chmodSync(mc, 0o700);
  const policies = storePolicies(graph, config.store.bucket);
  const options = { mc, store: config.store, storeAdmin, policies };
  const roles = Object.keys(policies);

  const rotated = { ...secrets, ...Object.fromEntries(roles.map((role) => [role, `new-secret-of-${role}`])) };
  expect(await setUpAccess({ ...options, secrets: rotated })).toHaveLength(roles.length);
  const calls = readFileSync(`${mc}.arguments`, 'utf8');
  for (const call of ['admin info', 'admin accesskey ls', 'admin cluster iam import']) expect(calls).toContain(call);
  for (const secret of Object.values({ ...secrets, rotated: 'new-secret-of' })) expect(calls).not.toContain(secret);
  expect(await setUpAccess({ ...options, secrets: rotated })).toEqual([]);
  expect(readFileSync(`${mc}.arguments`, 'utf8')).toBe(calls);
});
