import { beforeAll } from 'vitest';
import { ensureServers } from '../../infra/servers/install.ts';

// Imported by tests that need servers. The first import on a machine builds them in a hook, which has a sufficient timeout.
// The timeouts of a test and of fetch are shorter.
beforeAll(async () => {
  await ensureServers((line) => process.stderr.write(`${line}\n`));
});
