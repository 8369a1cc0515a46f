import { ENVIRONMENT, literals, NAMESPACE, peerNamespaces } from './names.ts';
import { COLLECTOR_PORT, tracingPolicy } from './network.ts';
import type { ServiceEnvironment } from './services.ts';

/** A collector of this name in the monitoring's namespace; where it is called otherwise an overlay merges its own value. */
const collector: ServiceEnvironment = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://otel-collector.${peerNamespaces.monitoring}.svc.cluster.local:${COLLECTOR_PORT}`,
};

export const tracingResources = (): Record<string, readonly object[]> => ({ 'tracing-policy': [tracingPolicy()] });

/** Has every service send its spans to a collector in the namespace of the monitoring. */
export function tracing(): object {
  return {
    configMapGenerator: [{ name: ENVIRONMENT, namespace: NAMESPACE, behavior: 'merge', literals: literals(collector) }],
  };
}
