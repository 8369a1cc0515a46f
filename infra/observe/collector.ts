import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A span in the JSON encoding of OTLP. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  /** Value of `service.name` of the process. */
  readonly service: string;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<Span, 'service'>[] }[];
  }[];
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly Span[];
  /** Headers of each request. */
  readonly headers: readonly IncomingHttpHeaders[];
  close(): void;
}

/** Starts a collector that keeps the spans it receives as OTLP JSON over HTTP. @param host Listen address. */
export async function startCollector(host = '127.0.0.1'): Promise<Collector> {
  const spans: Span[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server: Server = createServer((request, response) => {
    headers.push(request.headers);
    json(request)
      .then((body) => {
        for (const { resource, scopeSpans } of (body as Export).resourceSpans) {
          const service = resource.attributes.find(({ key }) => key === 'service.name')?.value['stringValue'];
          for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push({ ...span, service: String(service) });
        }
        response.setHeader('content-type', 'application/json').end('{}');
      })
      .catch(() => response.writeHead(400).end()); // invalid JSON, or the sender died during the request
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Returns the spans without a parent in the list. A complete trace has one. */
export function rootsOf(spans: readonly Span[]): Span[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? ''));
}
