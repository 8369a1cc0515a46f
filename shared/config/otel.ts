import type { OptionSchemas, OptionValues } from '../core/options.ts';

const sdk = (description: string) => ({ type: 'string', default: '', description: `OpenTelemetry’s: ${description}` }) as const;

/** OpenTelemetry's variables that FAVE's processes know; those that only the SDK reads are here so that containers are given them too. */
export const otelEnvironment = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    type: 'string',
    default: '',
    description: 'URL of an OpenTelemetry collector (OTLP over HTTP); with neither this nor the next, nothing is traced',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: { type: 'string', default: '', description: 'the same, for traces only: the whole URL' },
  OTEL_EXPORTER_OTLP_PROTOCOL: sdk(
    'http/json or http/protobuf; JSON is sent in either case, which collectors take on the same port',
  ),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: sdk('the same, for traces only'),
  OTEL_EXPORTER_OTLP_HEADERS: sdk('headers of what is sent, such as a key: name=value,…'),
  OTEL_SDK_DISABLED: sdk('true: nothing is traced'),
  OTEL_TRACES_EXPORTER: sdk('none: nothing is traced; else otlp'),
  OTEL_TRACES_SAMPLER: sdk('which requests are traced, for instance parentbased_traceidratio'),
  OTEL_TRACES_SAMPLER_ARG: sdk('of the sampler, for instance the share of requests: 0.1'),
  OTEL_SERVICE_NAME: sdk('name of the process in traces; without it the service’s own'),
  OTEL_RESOURCE_ATTRIBUTES: sdk('attributes of every span’s process: name=value,…'),
} as const satisfies OptionSchemas;

/** Whether spans are sent, or why not although somebody asked for them. */
export type Tracing = { readonly on: boolean; readonly refused?: string };

/** What OpenTelemetry's variables ask for, by its specification: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export function tracingOf(read: OptionValues<typeof otelEnvironment>): Tracing {
  const asked = read.OTEL_EXPORTER_OTLP_ENDPOINT !== '' || read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== '';
  const exporters = (read.OTEL_TRACES_EXPORTER || 'otlp').split(',').map((each) => each.trim());
  if (!asked || read.OTEL_SDK_DISABLED.toLowerCase() === 'true' || exporters.includes('none')) return { on: false };
  const refused = (what: string): Tracing => ({ on: false, refused: `${what}; nothing is traced` });
  if (!exporters.includes('otlp')) return refused(`OTEL_TRACES_EXPORTER names no exporter that there is: set otlp, or none`);
  const protocol = read.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || read.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/json';
  if (!protocol.startsWith('http/'))
    return refused(
      `spans are sent by OTLP over HTTP alone, not by ${protocol}: set OTEL_EXPORTER_OTLP_PROTOCOL to http/json, and the endpoint to the collector’s port for HTTP, mostly 4318`,
    );
  return { on: true };
}
