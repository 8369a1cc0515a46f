import { context, diag, DiagLogLevel, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { messageOf } from '../core/errors.ts';
import type { Logger } from './log.ts';

/**
 * Has the spans of this process sent by OTLP over HTTP. Where, how many and how often say OpenTelemetry's own variables, which
 * the SDK reads: `OTEL_EXPORTER_OTLP_*`, `OTEL_TRACES_SAMPLER*`, `OTEL_BSP_*`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`.
 * Whether it is asked for at all is told by `otel.ts`.
 * To be imported only where tracing is on: the SDK takes longer to load than a stage.
 * @returns Sends what is left and ends.
 */
export function startTelemetry(service: string, log: Logger): () => Promise<void> {
  const say = (message: string): void => {
    log.warn({ event: 'telemetry:failed' }, message);
  };
  const silent = (): void => undefined;
  // Else a collector that refuses everything would be noticed by nobody.
  diag.setLogger({ error: say, warn: say, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
  const named = resourceFromAttributes({ 'service.name': service, 'service.namespace': 'fave' });
  const provider = new BasicTracerProvider({
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  trace.setGlobalTracerProvider(provider);
  // Without it the API knows of no span that is going on.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  // A collector that is away must not hold a process that ends; what was not sent is lost.
  return () =>
    provider.shutdown().catch((error: unknown) => {
      say(messageOf(error));
    });
}
