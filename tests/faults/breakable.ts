import { serverOf, type Server } from '../chaos/servers.ts';
import { onTestFileEnd, type Stack } from '../support/stack.ts';

/** The servers of a test's own stack, to be stopped and started again. */
export function breakable(stack: Pick<Stack, 'servers' | 'dataDir'>): { nats: Server; minio: Server } {
  const [nats, minio] = [
    serverOf('nats-server', stack.servers['nats-server'] ?? 0, stack.dataDir),
    serverOf('minio', stack.servers['minio'] ?? 0, stack.dataDir),
  ];
  for (const server of [nats, minio]) onTestFileEnd(() => server.stop());
  return { nats, minio };
}
