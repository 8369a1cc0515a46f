import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PermanentError } from '../../shared/core/errors.ts';

/** Ports of the servers of an instance, all on 127.0.0.1. */
export interface Ports {
  readonly minio: number;
  readonly console: number;
  readonly nats: number;
  readonly monitor: number;
}

export const defaultPorts: Ports = { minio: 9000, console: 9001, nats: 4222, monitor: 8222 };

/** Returns four consecutive ports for an additional instance. */
export function portsFrom(base: number): Ports {
  return { minio: base, console: base + 1, nats: base + 2, monitor: base + 3 };
}

/**
 * Checks that ports are free.
 * @throws PermanentError `port-taken` with the port and the option that selects others.
 */
export async function assertFree(ports: Partial<Ports>): Promise<void> {
  for (const [name, port] of Object.entries<number>(ports)) {
    const release = await hold(port).catch((cause: unknown) => {
      throw new PermanentError(
        'port-taken',
        `port ${port} (${name}) is in use on 127.0.0.1: choose others with --port-base, for example --port-base 19000`,
        { cause },
      );
    });
    await release();
  }
}

/** Lowest port of a block. Most well-known servers use lower ports. */
const MIN_PORT = 10_000;

/** Ports per block: four for the servers, and one that a process holds to reserve the block. */
const BLOCK_SIZE = 5;

/**
 * Reserves four consecutive free ports. The process holds the port after them until it exits, so other processes skip the
 * block.
 * @throws PermanentError `no-ports`.
 */
export async function freePorts(): Promise<Ports> {
  const blocks = Math.floor(((await firstEphemeralPort()) - MIN_PORT) / BLOCK_SIZE);
  // A random start: a client of a stopped instance must not connect to a new one on the same port.
  const start = Math.floor(Math.random() * blocks);
  for (let n = 0; n < blocks; n += 1) {
    const base = MIN_PORT + ((start + n) % blocks) * BLOCK_SIZE;
    const release = await hold(base + BLOCK_SIZE - 1).catch(() => undefined);
    if (!release) continue;
    const ports = portsFrom(base);
    const free = await assertFree(ports).then(
      () => true,
      () => false,
    );
    if (free) return ports;
    await release();
  }
  throw new PermanentError('no-ports', 'no four free ports in a row were found on 127.0.0.1');
}

/**
 * Returns the first ephemeral port: the system can assign any later port before a server binds it. The range is read on Linux.
 * Elsewhere, and if blocks do not fit below it, the default of Linux is used.
 */
async function firstEphemeralPort(): Promise<number> {
  const first = Number.parseInt(await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => ''));
  return first > MIN_PORT + 100 * BLOCK_SIZE ? first : 32_768;
}

/** Listens on a port without keeping the process alive. @returns Function that releases the port. */
function hold(port: number): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => void socket.destroy())
      .once('error', reject)
      .unref();
    server.listen(port, '127.0.0.1', () => {
      resolve(
        () =>
          new Promise((done) =>
            server.close(() => {
              done();
            }),
          ),
      );
    });
  });
}
