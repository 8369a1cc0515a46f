import type { OptionSchemas, OptionValues } from '../core/options.ts';

const sdk = (description: string) => ({ type: 'string', default: '', description: `OpenTelemetry: ${description}` }) as const;

/** Variables of OpenTelemetry. Those that only the SDK reads are listed too, so that containers receive them. */
export const otelEnvironment = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    type: 'string',
    default: '',
    description: 'URL of an OpenTelemetry collector (OTLP over HTTP); tracing is off unless this or the next is set',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: { type: 'string', default: '', description: 'whole URL of the collector, for traces only' },
  OTEL_EXPORTER_OTLP_PROTOCOL: sdk('http/json or http/protobuf; spans are sent as JSON in both cases'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: sdk('protocol, for traces only'),
  OTEL_EXPORTER_OTLP_HEADERS: sdk('headers of requests to the collector, such as a key: name=value,…'),
  OTEL_SDK_DISABLED: sdk('true: tracing is off'),
  OTEL_TRACES_EXPORTER: sdk('otlp, or none: tracing is off'),
  OTEL_TRACES_SAMPLER: sdk('sampler of requests, such as parentbased_traceidratio'),
  OTEL_TRACES_SAMPLER_ARG: sdk('argument of the sampler, such as the share of requests: 0.1'),
  OTEL_SERVICE_NAME: sdk('name of the process in traces; by default the name of the service'),
  OTEL_RESOURCE_ATTRIBUTES: sdk('attributes of the process in every span: name=value,…'),
} as const satisfies OptionSchemas;

/** Whether spans are sent. `refused` states why they are not although an endpoint is set. */
export type Tracing = { readonly on: boolean; readonly refused?: string };

/** Parses the variables of OpenTelemetry by its specification: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export function parseTracing(read: OptionValues<typeof otelEnvironment>): Tracing {
  const hasEndpoint = read.OTEL_EXPORTER_OTLP_ENDPOINT !== '' || read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== '';
  const exporters = (read.OTEL_TRACES_EXPORTER || 'otlp').split(',').map((each) => each.trim());
  if (!hasEndpoint || read.OTEL_SDK_DISABLED.toLowerCase() === 'true' || exporters.includes('none')) return { on: false };
  const refuse = (reason: string): Tracing => ({ on: false, refused: `tracing is off: ${reason}` });
  if (!exporters.includes('otlp')) return refuse('OTEL_TRACES_EXPORTER must be otlp or none');
  const protocol = read.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || read.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/json';
  if (!protocol.startsWith('http/'))
    return refuse(
      `spans are sent by OTLP over HTTP only, not by ${protocol}; set OTEL_EXPORTER_OTLP_PROTOCOL to http/json, and the endpoint to the HTTP port of the collector, usually 4318`,
    );
  return { on: true };
}
