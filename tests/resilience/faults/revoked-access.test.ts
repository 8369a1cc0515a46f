import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { natsConfig } from '../../../infra/servers/nats.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { setUpStack, startProcess } from '../../support/harness/runtime.ts';
import { createOwnStack } from '../../support/stack.ts';
import { breakable } from '../../support/harness/breakable.ts';

it('exits with an error after its password has changed, so a supervisor restarts it with the new one', async () => {
  const stack = await createOwnStack();
  await setUpStack(stack, tinyGraph());
  const path = join(stack.dataDir, 'nats.conf');
  const config = JSON.parse(await readFile(path, 'utf8')) as ReturnType<typeof natsConfig> & {
    accounts: Record<string, { users: { user: string; password: string }[] }>;
  };
  const user = config.accounts['stage-grep']!.users[0]!;
  const worker = await startProcess(stack, { env: { NATS_USER: user.user, NATS_PASSWORD: user.password } });
  await worker.logged('service:ready');

  const { nats } = breakable(stack);
  await nats.stop();
  user.password = 'another';
  await writeFile(path, JSON.stringify(config));
  await nats.start();
  expect(await worker.logged('service:failed')).toMatchObject({ message: expect.stringContaining('password') as string });
  expect(await worker.ended).toBe(1);
});
