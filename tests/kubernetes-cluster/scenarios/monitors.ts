import { join } from 'node:path';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { cacheDir } from '../../../infra/process/paths.ts';
import { hosts, NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { applyOverlay, kubectl, manifests } from '../cluster/kubectl.ts';
import { until, type System } from '../cluster/system.ts';
import type { Scenario } from './scenario-report.ts';

/** Of the Prometheus operator, from its own module (build.sh). */
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

/** Something that is scraped: whose it is, and where. */
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

/** What the operator has Prometheus scrape for the pod monitors: pods by label, their port by name. */
async function podTargets({ api }: System): Promise<Target[]> {
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

/** The same for the service monitors: services by label, their endpoints' port by name. */
async function serviceTargets({ api }: System): Promise<Target[]> {
  const { items } = await api<Monitors>(`/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/servicemonitors`);
  const found = items.map(async ({ metadata, spec }) => {
    // An endpoint slice bears the labels of its service.
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

const answers = async ({ url }: Target): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => response.ok && /^# TYPE /m.test(await response.text()),
    () => false,
  );

/** The monitors are what the Prometheus operator's definitions allow; they select every service and both servers, once each, and all of these tell numbers. */
export const monitors: Scenario = async (system, graph, say) => {
  await kubectl(['apply', '--server-side', '-f', DEFINITIONS]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', DEFINITIONS]);
  // Warm: of every stage a pod is there to be found.
  await applyOverlay('warm', { components: [manifests('components', 'monitoring')] });
  const expected = [...serviceNames(graph), hosts.store, hosts.bus].sort();
  const targets = await until('a target of every service', 300, async () => {
    const all = [...(await podTargets(system)), ...(await serviceTargets(system))];
    const whole = expected.every((name) => all.some((target) => target.name === name));
    return whole && (await Promise.all(all.map(answers))).every(Boolean) ? all : undefined;
  });
  const twice = targets.filter(({ url }, index) => targets.findIndex((other) => other.url === url) !== index);
  if (twice.length > 0) throw new Error(`found twice: ${twice.map(({ name }) => name).join(', ')}`);
  const strangers = targets.filter(({ name }) => !expected.includes(name));
  if (strangers.length > 0) throw new Error(`not expected: ${strangers.map(({ name }) => name).join(', ')}`);
  say(`${targets.length} targets of ${expected.length} services tell numbers`);
  return undefined;
};
