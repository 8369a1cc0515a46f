import { newTraceparent, traceIdOf } from '../../../shared/observability/trace.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { startCollector, rootsOf, type Collector } from '../../../infra/observe/collector.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { apply, applyOverlay, kubectl, manifests, readNodeAddress } from '../cluster/kubectl.ts';
import { findTestVideo } from '../cluster/media.ts';
import { waitUntil } from '../cluster/system.ts';
import type { Scenario } from './scenario-report.ts';

/** Namespace and port of the collector in k8s/components/tracing. */
const MONITORING = 'monitoring';
const COLLECTOR_PORT = 4318;

/** Returns the Service to which k8s/components/tracing sends spans, with this process as its endpoint. */
function createCollectorService({ url }: Collector): object[] {
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

/** Checks that every service sends its spans to the collector, and that those of a request form one tree. */
export const traces: Scenario = async (system, graph, report) => {
  const collector = await startCollector(await readNodeAddress());
  try {
    await apply(createCollectorService(collector));
    // Its environment changes, and Kubernetes cannot change a Job.
    await kubectl(['-n', NAMESPACE, 'delete', 'job', 'set-up', '--ignore-not-found']);
    await applyOverlay('warm', { components: [manifests('components', 'tracing')] });
    for (const name of serviceNames(graph))
      await kubectl(['-n', NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=300s']);
    const traceparent = newTraceparent();
    await system.submit('traced', findTestVideo('walk-and-talk.mp4'), { traceparent, memo: 'false' });
    const spans = await waitUntil('the spans of all services form one tree', 300, () => {
      const ours = collector.spans.filter(({ traceId }) => traceId === traceIdOf(traceparent));
      const services = new Set(ours.map(({ service }) => service));
      const whole = serviceNames(graph).every((name) => services.has(name)) && rootsOf(ours).length === 1;
      return Promise.resolve(whole ? ours : undefined);
    });
    report(`${spans.length} spans of ${serviceNames(graph).length} services form one tree`);
    return undefined;
  } finally {
    collector.close();
    await kubectl(['delete', 'namespace', MONITORING, '--ignore-not-found', '--wait', '--timeout=120s']);
  }
};
