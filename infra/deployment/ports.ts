import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PermanentError } from '../../shared/core/errors.ts';

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

/** Most servers that have a port by custom are below it. */
const LOWEST = 10_000;

/** An instance's ports, and the one by which a process says that they are its own. */
const BLOCK = 5;

/**
 * Four ports in a row that nobody listens on, and that no other process is given as long as this one lives: it listens on the one after them.
 * @throws PermanentError `no-ports`.
 */
export async function freePorts(): Promise<Ports> {
  const blocks = Math.floor(((await systemsFirst()) - LOWEST) / BLOCK);
  // Not always the first: who still looks for a server that has gone must not find another's.
  const start = Math.floor(Math.random() * blocks);
  for (let n = 0; n < blocks; n += 1) {
    const base = LOWEST + ((start + n) % blocks) * BLOCK;
    const release = await hold(base + BLOCK - 1).catch(() => undefined);
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
 * The first port that the system gives to whoever connects or asks for any: from there on a port may be gone before a server has it.
 * Linux says where that is; elsewhere it is later than Linux' own default. Where it leaves no room below, that is as good as any.
 */
async function systemsFirst(): Promise<number> {
  const first = Number.parseInt(await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => ''));
  return first > LOWEST + 100 * BLOCK ? first : 32_768;
}

/** Listens on a port, which keeps no process alive. @returns What ends it. */
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
