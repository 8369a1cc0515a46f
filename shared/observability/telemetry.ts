import { context, diag, DiagLogLevel, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { messageOf } from '../core/errors.ts';
import type { Logger } from './log.ts';

/**
 * Starts to send the spans of this process by OTLP over HTTP. The SDK reads the variables of OpenTelemetry: `OTEL_EXPORTER_OTLP_*`,
 * `OTEL_TRACES_SAMPLER*`, `OTEL_BSP_*`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`. `config/otel.ts` decides whether tracing
 * is on. Import this module only then: the SDK takes longer to load than a stage.
 * @returns A function that sends the remaining spans and stops.
 */
export function startTelemetry(service: string, log: Logger): () => Promise<void> {
  const warn = (message: string): void => {
    log.warn({ event: 'telemetry:failed' }, message);
  };
  const silent = (): void => undefined;
  // Without a logger, rejected spans would go unnoticed.
  diag.setLogger({ error: warn, warn, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
  const named = resourceFromAttributes({ 'service.name': service, 'service.namespace': 'fave' });
  const provider = new BasicTracerProvider({
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  trace.setGlobalTracerProvider(provider);
  // Without it the API has no active span.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  // An unavailable collector must not delay the exit of the process; unsent spans are lost.
  return () =>
    provider.shutdown().catch((error: unknown) => {
      warn(messageOf(error));
    });
}
