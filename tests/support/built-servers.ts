import { beforeAll } from 'vitest';
import { ensureServers } from '../../infra/servers/install.ts';

// To be imported by tests that need servers: the first time that a machine runs one they are built, in a hook, whose time is meant for it.
// A test's own time is not, nor are the five minutes that fetch waits for an answer.
beforeAll(async () => {
  await ensureServers((line) => process.stderr.write(`${line}\n`));
});
