import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface NatsMetricsOptions {
  /** URL of the NATS monitoring port, for example `http://127.0.0.1:8222`. */
  readonly from: string;
  readonly host?: string;
  readonly port?: number;
}

/**
 * Serves the values of `/varz` of a NATS server in the Prometheus format, at every path. The names are those of
 * https://github.com/nats-io/prometheus-nats-exporter, so panels and alerts work with either. Responds with 502 while NATS is
 * down.
 */
export async function serveNatsMetrics({
  from,
  host = '127.0.0.1',
  port = 0,
}: NatsMetricsOptions): Promise<{ port: number; close: () => void }> {
  const server: Server = createServer((_, response) => {
    read(`${from}/varz`).then(
      (text) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(text),
      () => response.writeHead(502).end(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
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

/** Converts every number of `/varz` to a gauge. Nested names are joined by `_`. */
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
