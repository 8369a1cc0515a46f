import { createServer } from 'node:net';
import { PermanentError } from '../shared/errors.ts';

/** Ports of an instance's servers, all on 127.0.0.1. */
export interface Ports {
  readonly minio: number;
  readonly console: number;
  readonly nats: number;
  readonly monitor: number;
}

export const defaultPorts: Ports = { minio: 9000, console: 9001, nats: 4222, monitor: 8222 };

/** Four ports in a row, for an instance beside another. */
export function portsFrom(base: number): Ports {
  return { minio: base, console: base + 1, nats: base + 2, monitor: base + 3 };
}

/** @throws PermanentError `port-taken` that names the port and the option that chooses another. */
export async function assertFree(ports: Partial<Ports>): Promise<void> {
  for (const [name, port] of Object.entries<number>(ports)) {
    await listen(port).catch((cause: unknown) => {
      throw new PermanentError(
        'port-taken',
        `port ${port} (${name}) is in use on 127.0.0.1: choose others with --port-base, for example --port-base 19000`,
        { cause },
      );
    });
  }
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(): Promise<Ports> {
  const held = await Promise.all([0, 0, 0, 0].map(() => hold(0)));
  const [minio, console, nats, monitor] = held.map(({ port }) => port) as [number, number, number, number];
  await Promise.all(held.map(({ release }) => release()));
  return { minio, console, nats, monitor };
}

async function listen(port: number): Promise<void> {
  await (await hold(port)).release();
}

function hold(port: number): Promise<{ port: number; release: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
      resolve({
        port: address.port,
        release: () =>
          new Promise((done) =>
            server.close(() => {
              done();
            }),
          ),
      });
    });
  });
}
