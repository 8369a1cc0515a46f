import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { INetworkPolicyIngressRule } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyIngressRule';
import type { INetworkPolicyEgressRule } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyEgressRule';
import { NAMESPACE, peerNamespaces, ports, type Component } from './names.ts';

type Peer = NonNullable<INetworkPolicyIngressRule['from']>[number];

const pods = (...components: Component[]): Peer => ({
  podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'In', values: components }] },
});

const neighbour = (name: string, podLabels: Record<string, string> = {}): Peer => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  ...(Object.keys(podLabels).length > 0 && { podSelector: { matchLabels: podLabels } }),
});

const tcp = (...numbers: number[]): NonNullable<INetworkPolicyIngressRule['ports']> =>
  numbers.map((port) => ({ protocol: 'TCP', port }));

interface Rules {
  readonly ingress?: INetworkPolicyIngressRule[];
  readonly egress?: INetworkPolicyEgressRule[];
}

function policy(name: string, podSelector: Peer['podSelector'], { ingress, egress }: Rules): INetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      podSelector: podSelector ?? {},
      policyTypes: [...(ingress ? (['Ingress'] as const) : []), ...(egress ? (['Egress'] as const) : [])],
      ...(ingress && { ingress }),
      ...(egress && { egress }),
    },
  };
}

const { podSelector: everyone } = pods('service', 'set-up', 'store', 'bus');
const { podSelector: services } = pods('service', 'set-up');
const { podSelector: storePods } = pods('store');
const { podSelector: busPods } = pods('bus');
const { podSelector: scraped } = pods('service');

/** What whoever takes MinIO away takes away with it. */
export const STORE_POLICY = 'store';

/**
 * Who may speak with whom: the edges of the architecture and no others. Services meet only in the store and on the bus, never
 * each other; the store announces to the bus; the autoscaler reads the bus's monitor; the monitoring reads metrics.
 */
export function networkPolicies(): INetworkPolicy[] {
  const { dns, keda, monitoring } = peerNamespaces;
  return [
    policy('nobody-speaks-unless-allowed', {}, { ingress: [], egress: [] }),
    policy('names', everyone, {
      egress: [{ to: [neighbour(dns, { 'k8s-app': 'kube-dns' })], ports: [{ protocol: 'UDP', port: 53 }, ...tcp(53)] }],
    }),
    policy('services', services, {
      egress: [
        { to: [pods('store')], ports: tcp(ports.store) },
        { to: [pods('bus')], ports: tcp(ports.bus) },
      ],
    }),
    policy(STORE_POLICY, storePods, {
      ingress: [{ from: [pods('service', 'set-up'), neighbour(monitoring)], ports: tcp(ports.store) }],
      // The monitor: it waits for the bus before it starts.
      egress: [{ to: [pods('bus')], ports: tcp(ports.bus, ports.monitor) }],
    }),
    policy('bus', busPods, {
      ingress: [
        { from: [pods('service', 'set-up', 'store')], ports: tcp(ports.bus) },
        { from: [pods('store'), neighbour(keda, { app: 'keda-operator' })], ports: tcp(ports.monitor) },
      ],
    }),
    policy('metrics', scraped, { ingress: [{ from: [neighbour(monitoring)], ports: tcp(ports.http) }] }),
  ];
}

/** What the nodes of each server say to each other in the scale-out component. */
export function clusterPolicies(): INetworkPolicy[] {
  const among = (component: Component, port: number): Rules => ({
    ingress: [{ from: [pods(component)], ports: tcp(port) }],
    egress: [{ to: [pods(component)], ports: tcp(port) }],
  });
  return [
    policy('bus-nodes', busPods, among('bus', ports.routes)),
    policy('store-nodes', storePods, among('store', ports.store)),
  ];
}

/** The exporter beside each server of the bus, in the monitoring component. */
export const busMetricsPolicy = (): INetworkPolicy =>
  policy('bus-metrics', busPods, { ingress: [{ from: [neighbour(peerNamespaces.monitoring)], ports: tcp(ports.http) }] });

/** OTLP over HTTP. */
export const COLLECTOR_PORT = 4318;

/** Spans, in the tracing component. */
export const tracingPolicy = (): INetworkPolicy =>
  policy('tracing', scraped, { egress: [{ to: [neighbour(peerNamespaces.monitoring)], ports: tcp(COLLECTOR_PORT) }] });

/** A store outside the cluster has no pods to name: HTTPS to anywhere but link-local addresses, where clouds keep credentials. */
export function externalStorePolicy(): INetworkPolicy {
  return policy('external-store', services, {
    egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }], ports: tcp(443) }],
  });
}
