import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { createLogger } from '../../shared/observability/log.ts';
import { currentTraceparent, newTraceparent, startSpan, runInSpan } from '../../shared/observability/trace.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, now, roundToMicro } from '../report/figures.ts';

/** Number of requests to the store per item: receipt, request, marker, memo, content; outputs, receipt. */
const REQUESTS = 8;

/** Number of items per measurement. One item is below the clock resolution; with more items the SDK would drop spans. */
const BATCH = 200;

const REQUEST = newTraceparent();

export const tracing: Bench = {
  name: 'tracing',
  about: 'processor time for the spans of an item and its store requests, with tracing disabled and enabled',
  n: 100,
  async run({ n, progress }) {
    const collector = createServer((request, response) => void request.resume().on('end', () => response.end('{}')));
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    progress(`measuring ${n} × ${BATCH} items, disabled`);
    const off = await microseconds(n);
    const begun = now();
    const { startTelemetry } = await import('../../shared/observability/telemetry.ts');
    const end = startTelemetry('bench', createLogger({ service: 'bench' }));
    const load = now() - begun;
    progress('measuring with tracing enabled');
    const on = await microseconds(n);
    await end();
    collector.close();
    collector.closeAllConnections();
    return {
      targets: [atMost('off, µs per item', off, 10)],
      figures: { off_us_per_item: roundToMicro(off), on_us_per_item: roundToMicro(on), sdk_load_ms: roundToMicro(load) },
    };
  },
};

/** Returns the median processor time per item over batches, in µs. */
async function microseconds(batches: number): Promise<number> {
  const times: number[] = [];
  for (let batch = 0; batch <= batches; batch += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < BATCH; i += 1) item();
    // The export is part of the cost.
    await sent();
    const { user, system } = process.cpuUsage(before);
    if (batch > 0) times.push((user + system) / BATCH);
  }
  return median(times);
}

/** Waits until the SDK, if enabled, has exported its spans. */
async function sent(): Promise<void> {
  const proxy = trace.getTracerProvider() as unknown as { getDelegate(): { forceFlush?: () => Promise<void> } };
  await proxy.getDelegate().forceFlush?.();
}

/** Creates the spans of an item like the runtime and the store. */
function item(): void {
  const span = startSpan('stage', REQUEST, { kind: 'consumer', attributes: { 'fave.item': 'clip_0001' } });
  runInSpan(span, () => {
    for (let i = 0; i < REQUESTS; i += 1) {
      const parent = currentTraceparent();
      if (parent !== undefined)
        startSpan('store get', parent, { kind: 'client', attributes: { 'fave.key': 'requests/x/y' } }).end({
          'fave.result': 'ok',
        });
    }
  });
  span.end({ 'fave.outcome': 'done' });
}
