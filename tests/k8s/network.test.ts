import type { INetworkPolicySpec } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicySpec';
import { describe, expect, it } from 'vitest';
import { graph } from '../../services/pipeline.ts';
import { serviceNames } from '../../infra/services.ts';
import { ofKind, overlay, podsOf, type Manifest } from './overlays.ts';

interface Endpoint {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Rule = { ports?: { port?: number | string; protocol?: string }[]; from?: Peer[]; to?: Peer[] };
type Peer = NonNullable<NonNullable<NonNullable<INetworkPolicySpec['ingress']>[number]['from']>>[number];
type Selector = NonNullable<Peer['podSelector']>;

/** As the API's documentation has it: labels and expressions all hold; the empty selector is everybody. */
function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`${operator} is not expected here`);
      return values.includes(labels[key] ?? '');
    })
  );
}

function isPeer(peer: Peer, other: Endpoint, namespace: string): boolean {
  if (peer.ipBlock) return false;
  const there = peer.namespaceSelector
    ? selects(peer.namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
    : other.namespace === namespace;
  return there && selects(peer.podSelector ?? {}, other.labels);
}

/** Whether a connection is let out at one end and in at the other. Pods of other namespaces are under no policy of ours. */
function allowed(manifests: readonly Manifest[], from: Endpoint, to: Endpoint, port: number): boolean {
  const policies = ofKind<{ spec: INetworkPolicySpec }>(manifests, 'NetworkPolicy');
  const passes = (self: Endpoint, other: Endpoint, direction: 'Ingress' | 'Egress'): boolean => {
    const mine = policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === self.namespace && spec.policyTypes?.includes(direction) && selects(spec.podSelector, self.labels),
    );
    if (mine.length === 0) return true;
    const rules = mine.flatMap(({ spec }) => (direction === 'Ingress' ? spec.ingress : spec.egress) ?? []) as Rule[];
    return rules.some(
      ({ ports, from: sources, to: targets }) =>
        (ports?.some((each) => each.port === port) ?? true) &&
        ((direction === 'Ingress' ? sources : targets)?.some((peer) => isPeer(peer, other, self.namespace)) ?? true),
    );
  };
  return passes(from, to, 'Egress') && passes(to, from, 'Ingress');
}

const strangers: readonly Endpoint[] = [
  { name: 'keda', namespace: 'keda', labels: { app: 'keda-operator' } },
  { name: 'prometheus', namespace: 'monitoring', labels: { app: 'prometheus' } },
  { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  { name: 'somebody', namespace: 'default', labels: { 'app.kubernetes.io/component': 'service' } },
  { name: 'newcomer', namespace: 'fave', labels: {} },
];

const PORTS = [53, 4222, 6222, 8080, 8222, 9000];

async function edges(name: string): Promise<string[]> {
  const manifests = await overlay(name);
  const own = podsOf(manifests).map((pod) => ({ ...pod, namespace: 'fave' }));
  const all = [...own, ...strangers];
  const found = all.flatMap((from) =>
    all.flatMap((to) => {
      if (from.namespace !== 'fave' && to.namespace !== 'fave') return [];
      const open = PORTS.filter((port) => allowed(manifests, from, to, port));
      return open.map((port) => `${from.name} → ${to.name}:${port}`);
    }),
  );
  return found.sort();
}

/** Who speaks with whom in the architecture: services with the store and the bus and never with each other. */
function expected(more: readonly string[] = []): string[] {
  const services = [...serviceNames(graph), 'set-up'];
  return [
    ...services.flatMap((name) => [`${name} → minio:9000`, `${name} → nats:4222`]),
    ...[...services, 'minio', 'nats'].map((name) => `${name} → dns:53`),
    ...serviceNames(graph).map((name) => `prometheus → ${name}:8080`),
    'minio → nats:4222',
    'minio → nats:8222',
    'keda → nats:8222',
    'prometheus → minio:9000',
    ...more,
  ].sort();
}

describe('network policies', { timeout: 900_000 }, () => {
  it('allow the edges of the architecture and no others', async () => {
    expect(await edges('cold')).toEqual(expected());
  });

  it('allow the nodes of clusters to speak with each other', async () => {
    expect(await edges('scale-out')).toEqual(expected(['nats → nats:6222', 'minio → minio:9000']));
  });

  it('know no store where it is somebody else’s', async () => {
    const found = await edges('external-store');
    expect(found.filter((edge) => edge.includes('minio'))).toEqual([]);
    expect(found).toContain('relay → nats:4222');
  });
});
