import { request } from 'node:http';
import { context, diag, trace } from '@opentelemetry/api';
import { afterEach, expect, it, vi } from 'vitest';
import type { LogFields, Logger } from '../../../shared/observability/log.ts';
import { startTelemetry } from '../../../shared/observability/telemetry.ts';
import { newTraceparent, startSpan } from '../../../shared/observability/trace.ts';
import { startCollector } from '../../../infra/observe/collector.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  for (const api of [trace, context, diag]) api.disable();
});

/** Sends one span from a process with this environment. @returns The requests that the collector received. */
async function send(env: Record<string, string>, parent?: string) {
  const collector = await startCollector();
  const warnings: LogFields[] = [];
  const log = { warn: (fields: LogFields) => warnings.push(fields) } as unknown as Logger;
  for (const [name, value] of Object.entries({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env })) vi.stubEnv(name, value);
  const end = startTelemetry('relay', log);
  const span = startSpan('admit', parent);
  span.end();
  await end();
  collector.close();
  return { ...collector, warnings, traceparent: span.traceparent };
}

it('sends spans with the service name to the endpoint for traces', async () => {
  const { spans, warnings } = await send({});
  expect(spans).toMatchObject([{ name: 'admit', service: 'relay' }]);
  expect(warnings).toEqual([]);
});

it('uses the service name, attributes and headers of the OpenTelemetry variables', async () => {
  const { spans, headers } = await send({
    OTEL_SERVICE_NAME: 'mine',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
    OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=ours',
  });
  expect(spans.map(({ service }) => service)).toEqual(['mine']);
  expect(headers[0]).toMatchObject({ 'x-key': 'secret', 'content-type': 'application/json' });
});

it('traces the requests that the sampler selects and propagates its decision', async () => {
  const off = await send({ OTEL_TRACES_SAMPLER: 'always_off' });
  expect(off.spans).toEqual([]);
  expect(off.traceparent).toMatch(/-00$/);
  for (const api of [trace, context, diag]) api.disable();
  const parent = newTraceparent();
  const [version, id, span] = parent.split('-');
  const ratio = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' };
  expect((await send(ratio, parent)).spans).toHaveLength(1);
  for (const api of [trace, context, diag]) api.disable();
  expect((await send(ratio, [version, id, span, '00'].join('-'))).spans).toEqual([]);
});

it('ignores empty variables', async () => {
  const { spans, warnings } = await send({ OTEL_TRACES_SAMPLER: '', OTEL_SERVICE_NAME: '', OTEL_EXPORTER_OTLP_HEADERS: '' });
  expect(spans).toMatchObject([{ name: 'admit', service: 'relay' }]);
  expect(warnings).toEqual([]);
});

it('logs spans that could not be sent', async () => {
  const { warnings } = await send({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces',
    OTEL_BSP_EXPORT_TIMEOUT: '500',
  });
  expect(warnings.map(({ event }) => event)).toContain('telemetry:failed');
});

it('survives aborted and invalid exports', async () => {
  const collector = await startCollector();
  const half = request(collector.url, { method: 'POST', headers: { 'content-length': 100 } }).on('error', () => undefined);
  half.write('{');
  await vi.waitUntil(() => collector.headers.length === 1, { timeout: 10_000 });
  half.destroy();
  expect((await fetch(collector.url, { method: 'POST', body: '{}' })).status).toBe(400);
  expect((await fetch(collector.url, { method: 'POST', body: '{"resourceSpans":[]}' })).status).toBe(200);
  collector.close();
});
