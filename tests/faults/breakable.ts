import { afterAll } from 'vitest';
import { serverOf, type Server } from '../chaos/servers.ts';
import type { Stack } from '../stack.ts';

const servers: Server[] = [];

// Hooks run in reverse: to be imported before tests/stack.ts, so that whoever uses a server ends before it does.
afterAll(async () => {
  for (const server of servers) await server.stop();
});

/** The servers of a test's own stack, to be stopped and started again. */
export function breakable(stack: Pick<Stack, 'servers' | 'dataDir'>): { nats: Server; minio: Server } {
  const [nats, minio] = [
    serverOf('nats-server', stack.servers['nats-server'] ?? 0, stack.dataDir),
    serverOf('minio', stack.servers['minio'] ?? 0, stack.dataDir),
  ];
  servers.push(minio, nats);
  return { nats, minio };
}
