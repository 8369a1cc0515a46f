import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * NATS has no endpoint for Prometheus. This serves the numbers of its monitoring page `/varz` under the names that
 * https://github.com/nats-io/prometheus-nats-exporter gives them, so that panels and alerts serve with either: in containers run that one.
 */
export async function serveNatsMetrics(monitor: number, port = 0): Promise<{ port: number; close: () => void }> {
  const server: Server = createServer((_, response) => {
    read(`http://127.0.0.1:${monitor}/varz`).then(
      (text) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(text),
      () => response.writeHead(502).end(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function read(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return natsMetrics((await response.json()) as Varz);
}

type Varz = Readonly<Record<string, unknown>> & { readonly server_id: string };

/** Every number of `/varz`, nested names joined by `_`. */
export function natsMetrics(varz: Varz): string {
  const lines = (value: unknown, name: string): string[] => {
    if (typeof value === 'number') return [`# TYPE ${name} gauge`, `${name}{server_id="${varz.server_id}"} ${value}`];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    return Object.entries(value)
      .filter(([key]) => /^[a-z_]+$/.test(key))
      .flatMap(([key, each]) => lines(each, `${name}_${key}`));
  };
  return `${lines(varz, 'gnatsd_varz').join('\n')}\n`;
}
