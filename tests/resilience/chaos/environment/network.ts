import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP proxy between services and a server. */
export interface Network {
  readonly port: number;
  /** Delay of each chunk in both directions, in ms. */
  latency: number;
  /** Open connections. */
  readonly connections: () => number;
  /** Resets all open connections. */
  reset(): void;
  close(): void;
}

/** Waits until a socket accepts more data or is closed. */
function waitUntilWritable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const onReady = (): void => {
      socket.off('drain', onReady).off('close', onReady);
      resolve();
    };
    socket.on('drain', onReady).on('close', onReady);
  });
}

/** Creates a proxy. @param target Port on 127.0.0.1. */
export async function createNetwork(target: number): Promise<Network> {
  const open = new Set<Socket>();
  const carry = async (from: Socket, to: Socket): Promise<void> => {
    for await (const piece of from as AsyncIterable<Buffer>) {
      if (network.latency > 0) await sleep(network.latency);
      if (to.destroyed) return;
      if (!to.write(piece)) await waitUntilWritable(to);
    }
    to.end();
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      // The end of one connection ends the other.
      socket.on('error', () => undefined).on('close', () => (open.delete(socket), client.destroy(), upstream.destroy()));
    }
    carry(client, upstream).catch(() => undefined);
    carry(upstream, client).catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const network: Network = {
    port: (server.address() as AddressInfo).port,
    latency: 0,
    connections: () => open.size,
    reset,
    close: () => {
      server.close();
      reset();
    },
  };
  return network;
}
