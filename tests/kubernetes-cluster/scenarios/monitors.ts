import { join } from 'node:path';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { cacheDir } from '../../../infra/process/paths.ts';
import { hosts, NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { applyOverlay, kubectl, manifests } from '../cluster/kubectl.ts';
import { waitUntil, type System } from '../cluster/system.ts';
import type { Scenario } from './scenario-report.ts';

/** Custom resource definitions of the Prometheus operator (build.sh). */
const DEFINITIONS = join(cacheDir, 'kubernetes', 'prometheus-operator');

interface Endpoint {
  readonly port: string;
  readonly path: string;
}

interface Monitors {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
      readonly podMetricsEndpoints?: readonly Endpoint[];
      readonly endpoints?: readonly Endpoint[];
    };
  }[];
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly containers: readonly { readonly ports?: readonly { readonly name: string; readonly containerPort: number }[] }[];
    };
    readonly status: { readonly podIP?: string };
  }[];
}

interface Slices {
  readonly items: readonly {
    readonly endpoints: readonly { readonly addresses: readonly string[] }[];
    readonly ports: readonly { readonly name: string; readonly port: number }[];
  }[];
}

/** An endpoint that Prometheus scrapes. */
interface Target {
  readonly name: string;
  readonly url: string;
}

const query = (labels: Readonly<Record<string, string>>): string =>
  encodeURIComponent(
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  );

/** Returns the targets of the PodMonitors: pods by label, their port by name. */
async function findPodTargets({ api }: System): Promise<Target[]> {
  const { items } = await api<Monitors>(`/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/podmonitors`);
  const found = items.map(async ({ spec }) => {
    const pods = await api<Pods>(`/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${query(spec.selector.matchLabels)}`);
    return pods.items.flatMap(({ metadata, spec: { containers }, status }) =>
      (spec.podMetricsEndpoints ?? []).flatMap(({ port, path }) =>
        containers
          .flatMap(({ ports = [] }) => ports)
          .filter(({ name }) => name === port)
          .map(({ containerPort }) => ({
            name: metadata.labels['app.kubernetes.io/name'] ?? '',
            url: `http://${status.podIP ?? ''}:${containerPort}${path}`,
          })),
      ),
    );
  });
  return (await Promise.all(found)).flat();
}

/** Returns the targets of the ServiceMonitors: services by label, the port of their endpoints by name. */
async function findServiceTargets({ api }: System): Promise<Target[]> {
  const { items } = await api<Monitors>(`/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/servicemonitors`);
  const found = items.map(async ({ metadata, spec }) => {
    // An EndpointSlice has the labels of its Service.
    const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
    const slices = await api<Slices>(`${path}?labelSelector=${query(spec.selector.matchLabels)}`);
    return slices.items.flatMap(({ endpoints, ports }) =>
      (spec.endpoints ?? []).flatMap((endpoint) =>
        ports
          .filter(({ name }) => name === endpoint.port)
          .flatMap(({ port }) =>
            endpoints.flatMap(({ addresses }) =>
              addresses.map((address) => ({ name: metadata.name, url: `http://${address}:${port}${endpoint.path}` })),
            ),
          ),
      ),
    );
  });
  return (await Promise.all(found)).flat();
}

const returnsMetrics = async ({ url }: Target): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => response.ok && /^# TYPE /m.test(await response.text()),
    () => false,
  );

/** Checks that the API server accepts the monitors, and that they select every service and both servers once, which return metrics. */
export const monitors: Scenario = async (system, graph, report) => {
  await kubectl(['apply', '--server-side', '-f', DEFINITIONS]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', DEFINITIONS]);
  // In `warm` every stage has a pod.
  await applyOverlay('warm', { components: [manifests('components', 'monitoring')] });
  const expected = [...serviceNames(graph), hosts.store, hosts.bus].sort();
  const targets = await waitUntil('every service has a target that returns metrics', 300, async () => {
    const all = [...(await findPodTargets(system)), ...(await findServiceTargets(system))];
    const whole = expected.every((name) => all.some((target) => target.name === name));
    return whole && (await Promise.all(all.map(returnsMetrics))).every(Boolean) ? all : undefined;
  });
  const duplicates = targets.filter(({ url }, index) => targets.findIndex((other) => other.url === url) !== index);
  if (duplicates.length > 0) throw new Error(`found twice: ${duplicates.map(({ name }) => name).join(', ')}`);
  const unexpected = targets.filter(({ name }) => !expected.includes(name));
  if (unexpected.length > 0) throw new Error(`unexpected targets: ${unexpected.map(({ name }) => name).join(', ')}`);
  report(`${targets.length} targets of ${expected.length} services return metrics`);
  return undefined;
};
