import { beforeAll } from 'vitest';
import { ensureServers } from '../../infra/servers/install.ts';
import { ensureWhisperServer } from '../../infra/servers/whisper-server.ts';
import { messageOf } from '../../shared/core/errors.ts';

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

// Imported by tests that need servers. The first import on a machine builds them in a hook, which has a sufficient timeout.
// The timeouts of a test and of fetch are shorter.
beforeAll(async () => {
  // Without a compiler, tests use the engines that need no build.
  const whisper = ensureWhisperServer(progress).catch((error: unknown) => {
    progress(messageOf(error));
  });
  await Promise.all([ensureServers(progress), whisper]);
});
