import { expect, it } from 'vitest';
import { readConfig } from '../../../shared/config/config.ts';

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const tracing = (env: Record<string, string>) => readConfig(env).tracing;

it.each<[string, Record<string, string>, boolean]>([
  ['nothing is set', {}, false],
  ['variables are set and empty, as Compose gives them', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: '' }, false],
  ['an endpoint is named', COLLECTOR, true],
  ['one for traces is', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
  ['the SDK is disabled', { ...COLLECTOR, OTEL_SDK_DISABLED: 'TRUE' }, false],
  ['the SDK is not disabled', { ...COLLECTOR, OTEL_SDK_DISABLED: 'false' }, true],
  ['traces go nowhere', { ...COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }, false],
  ['traces go by OTLP', { ...COLLECTOR, OTEL_TRACES_EXPORTER: 'otlp' }, true],
  ['they go as JSON', { ...COLLECTOR, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, true],
  [
    'traces go by HTTP, all else by gRPC',
    { ...COLLECTOR, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' },
    true,
  ],
])('decides whether to trace if %s', (_, env, on) => {
  expect(tracing(env)).toEqual({ on });
});

it('states why it cannot trace', () => {
  expect(tracing({ ...COLLECTOR, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual({
    on: false,
    refused: expect.stringContaining('not by grpc; set OTEL_EXPORTER_OTLP_PROTOCOL to http/json') as string,
  });
  expect(tracing({ ...COLLECTOR, OTEL_TRACES_EXPORTER: 'zipkin' }).refused).toContain('OTEL_TRACES_EXPORTER');
});
