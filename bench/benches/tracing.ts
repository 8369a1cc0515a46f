import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { createLogger } from '../../shared/observability/log.ts';
import { currentTraceparent, newTraceparent, startSpan, runInSpan } from '../../shared/observability/trace.ts';
import type { Bench } from '../report/bench.ts';
import { atMost, median, now, roundToMicro } from '../report/figures.ts';

/** Requests to the store within an item: receipt, request, marker, memo, content; outputs, receipt. */
const REQUESTS = 8;

/** Items that one time is taken of: a single one is shorter than the clock can tell, and more spans than those the SDK would drop. */
const BATCH = 200;

const REQUEST = newTraceparent();

export const tracing: Bench = {
  name: 'tracing',
  about: 'processor time of an item’s spans, its own and those of its requests to the store: off, and with the SDK on',
  n: 100,
  async run({ n, progress }) {
    const collector = createServer((request, response) => void request.resume().on('end', () => response.end('{}')));
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    progress(`${n} times ${BATCH} items, off`);
    const off = await microseconds(n);
    const begun = now();
    const { startTelemetry } = await import('../../shared/observability/telemetry.ts');
    const end = startTelemetry('bench', createLogger({ service: 'bench' }));
    const load = now() - begun;
    progress('and on');
    const on = await microseconds(n);
    await end();
    collector.close();
    collector.closeAllConnections();
    return {
      targets: [atMost('off, µs an item', off, 10)],
      figures: { off_us_per_item: roundToMicro(off), on_us_per_item: roundToMicro(on), sdk_load_ms: roundToMicro(load) },
    };
  },
};

/** Median over batches, µs of processor time an item. */
async function microseconds(batches: number): Promise<number> {
  const times: number[] = [];
  for (let batch = 0; batch <= batches; batch += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < BATCH; i += 1) item();
    // Sending them counts too.
    await sent();
    const { user, system } = process.cpuUsage(before);
    if (batch > 0) times.push((user + system) / BATCH);
  }
  return median(times);
}

/** Until the SDK, where it is on, has sent its spans. */
async function sent(): Promise<void> {
  const proxy = trace.getTracerProvider() as unknown as { getDelegate(): { forceFlush?: () => Promise<void> } };
  await proxy.getDelegate().forceFlush?.();
}

/** As the runtime and the store begin and end them. */
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
