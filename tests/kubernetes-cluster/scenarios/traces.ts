import { newTraceparent, traceIdOf } from '../../../shared/observability/trace.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { startCollector, rootsOf, type Collector } from '../../../infra/observe/collector.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { apply, applyOverlay, kubectl, manifests, nodeAddress } from '../cluster/kubectl.ts';
import { medium } from '../cluster/media.ts';
import { until } from '../cluster/system.ts';
import type { Scenario } from './scenario-report.ts';

/** Namespace and port of the collector in k8s/components/tracing. */
const MONITORING = 'monitoring';
const COLLECTOR_PORT = 4318;

/** The Service that the component sends to, in front of a collector that is this process. */
function collectorService({ url }: Collector): object[] {
  const { hostname, port } = new URL(url);
  const metadata = { name: 'otel-collector', namespace: MONITORING };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: MONITORING } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'otlp', port: COLLECTOR_PORT }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [hostname] }],
      ports: [{ name: 'otlp', port: Number(port) }],
    },
  ];
}

/** Every service sends its spans to the collector of the component, and a request's are one tree. */
export const traces: Scenario = async (system, graph, say) => {
  const collector = await startCollector(await nodeAddress());
  try {
    await apply(collectorService(collector));
    // Whose environment changes with all others', and which Kubernetes does not change.
    await kubectl(['-n', NAMESPACE, 'delete', 'job', 'set-up', '--ignore-not-found']);
    await applyOverlay('warm', { components: [manifests('components', 'tracing')] });
    for (const name of serviceNames(graph))
      await kubectl(['-n', NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=300s']);
    const traceparent = newTraceparent();
    await system.submit('traced', medium('walk-and-talk.mp4'), { traceparent, memo: 'false' });
    const spans = await until('one tree of spans of every stage', 300, () => {
      const ours = collector.spans.filter(({ traceId }) => traceId === traceIdOf(traceparent));
      const services = new Set(ours.map(({ service }) => service));
      // The tracker's is the last: it tells of the request's end.
      const whole = serviceNames(graph).every((name) => services.has(name)) && rootsOf(ours).length === 1;
      return Promise.resolve(whole ? ours : undefined);
    });
    say(`${spans.length} spans of ${serviceNames(graph).length} services are one tree`);
    return undefined;
  } finally {
    collector.close();
    await kubectl(['delete', 'namespace', MONITORING, '--ignore-not-found', '--wait', '--timeout=120s']);
  }
};
