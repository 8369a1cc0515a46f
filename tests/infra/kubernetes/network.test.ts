import { BlockList } from 'node:net';
import type { INetworkPolicySpec } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicySpec';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { parseAllDocuments } from 'yaml';
import { markedBlocks } from '../../support/documented-commands.ts';
import { regimeNames } from '../../../infra/deployment/regimes.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { allNames, ofKind, overlay, podsOf, type Manifest } from './overlays.ts';
import { faults } from './schemas.ts';

interface Endpoint {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of who is outside the cluster: only then blocks of addresses are meant for it. */
  readonly address?: string;
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

function isIn(cidr: string, address: string): boolean {
  const [network = '', prefix] = cidr.split('/');
  const list = new BlockList();
  list.addSubnet(network, Number(prefix));
  return list.check(address);
}

function isPeer({ ipBlock, podSelector, namespaceSelector }: Peer, other: Endpoint, namespace: string): boolean {
  const { address } = other;
  if (address !== undefined)
    return ipBlock !== undefined && isIn(ipBlock.cidr, address) && !ipBlock.except?.some((cidr) => isIn(cidr, address));
  if (ipBlock) return false;
  const there = namespaceSelector
    ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
    : other.namespace === namespace;
  return there && selects(podSelector ?? {}, other.labels);
}

type Port = NonNullable<Rule['ports']>[number];

/** A port as policies name it, `TCP 9000`. */
const nameOf = ({ port, protocol = 'TCP', ...more }: Port): string => {
  if (typeof port !== 'number' || Object.keys(more).length > 0)
    throw new Error('every port is expected to be named by its number');
  return `${protocol} ${port}`;
};

const policiesOf = (manifests: readonly Manifest[]) => ofKind<{ spec: INetworkPolicySpec }>(manifests, 'NetworkPolicy');

type Direction = 'Ingress' | 'Egress';

/** Whether the one end lets it in, or out. Others than pods of ours are under no policy of ours. */
function passes(manifests: readonly Manifest[], self: Endpoint, other: Endpoint, direction: Direction, port: string): boolean {
  const mine = policiesOf(manifests).filter(
    ({ metadata, spec }) =>
      metadata.namespace === self.namespace && spec.policyTypes?.includes(direction) && selects(spec.podSelector, self.labels),
  );
  if (mine.length === 0) return true;
  const rules = mine.flatMap(({ spec }) => (direction === 'Ingress' ? spec.ingress : spec.egress) ?? []) as Rule[];
  return rules.some(
    ({ ports, from: sources, to: targets }) =>
      (ports?.some((each) => nameOf(each) === port) ?? true) &&
      ((direction === 'Ingress' ? sources : targets)?.some((peer) => isPeer(peer, other, self.namespace)) ?? true),
  );
}

const strangers: readonly Endpoint[] = [
  { name: 'keda', namespace: 'keda', labels: { app: 'keda-operator' } },
  { name: 'prometheus', namespace: 'monitoring', labels: { app: 'prometheus' } },
  { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  { name: 'somebody', namespace: 'default', labels: { 'app.kubernetes.io/component': 'service' } },
  { name: 'ingress', namespace: 'ingress-nginx', labels: {} },
  { name: 'newcomer', namespace: 'fave', labels: {} },
  { name: 'internet', namespace: '', labels: {}, address: '203.0.113.7' },
  { name: 'cloud-credentials', namespace: '', labels: {}, address: '169.254.169.254' },
];

/** Every port that a policy names, over both protocols, and one that none names. */
function portsOf(manifests: readonly Manifest[]): string[] {
  const rules = policiesOf(manifests).flatMap(({ spec: { ingress = [], egress = [] } }) => [...ingress, ...egress]) as Rule[];
  const numbers = new Set(rules.flatMap(({ ports = [] }) => ports.map((each) => nameOf(each).split(' ')[1] ?? '')));
  expect(numbers).not.toContain('9001');
  return [...numbers, '9001'].flatMap((number) => [`TCP ${number}`, `UDP ${number}`]);
}

const ownOf = (manifests: readonly Manifest[]): Endpoint[] => podsOf(manifests).map((pod) => ({ ...pod, namespace: 'fave' }));

/** Connections that are let out at one end and in at the other. */
function edges(manifests: readonly Manifest[]): string[] {
  const ports = portsOf(manifests);
  const all: readonly Endpoint[] = [...ownOf(manifests), ...strangers];
  const found = all.flatMap((from) =>
    all.flatMap((to) => {
      if (from.namespace !== 'fave' && to.namespace !== 'fave') return [];
      const both = (port: string): boolean =>
        passes(manifests, from, to, 'Egress', port) && passes(manifests, to, from, 'Ingress', port);
      return ports.filter(both).map((port) => `${from.name} → ${to.name} ${port}`);
    }),
  );
  return found.sort();
}

/** Connections between pods of ours that one end would allow, and the other does not: a hole that waits for its other half. */
async function halves(name: string): Promise<string[]> {
  const manifests = await overlay(name);
  const ports = portsOf(manifests);
  const own = ownOf(manifests);
  return own.flatMap((from) =>
    own.flatMap((to) =>
      ports
        .filter((port) => passes(manifests, from, to, 'Egress', port) !== passes(manifests, to, from, 'Ingress', port))
        .map((port) => `${from.name} → ${to.name} ${port}`),
    ),
  );
}

const services = [...serviceNames(graph), 'set-up'];

/** Who speaks with whom in the architecture: services with the store and the bus and never with each other. */
const withoutStore = [
  ...services.map((name) => `${name} → nats TCP 4222`),
  ...[...services, 'nats'].flatMap((name) => [`${name} → dns TCP 53`, `${name} → dns UDP 53`]),
  ...serviceNames(graph).map((name) => `prometheus → ${name} TCP 8080`),
  'keda → nats TCP 8222',
];
const usual = [
  ...withoutStore,
  ...services.map((name) => `${name} → minio TCP 9000`),
  'minio → dns TCP 53',
  'minio → dns UDP 53',
  'minio → nats TCP 4222',
  'minio → nats TCP 8222',
  'prometheus → minio TCP 9000',
];
const clustered = ['nats → nats TCP 6222', 'minio → minio TCP 9000'];
const external = services.map((name) => `${name} → internet TCP 443`);
const exporter = 'prometheus → nats TCP 8080';
/** The collector is in the namespace of the monitoring. */
const spans = serviceNames(graph).map((name) => `${name} → prometheus TCP 4318`);

describe('network policies', { timeout: 900_000 }, () => {
  it.each([
    ...regimeNames.map((regime) => [regime, usual] as const),
    ['scale-out', [...usual, ...clustered]] as const,
    ['external-store', [...withoutStore, ...external]] as const,
    ['cold+monitoring', [...usual, exporter]] as const,
    ['cold+tracing', [...usual, ...spans]] as const,
    ['scale-out+monitoring', [...usual, ...clustered, exporter]] as const,
  ])('of %s allow the edges of the architecture and no others', async (name, expected) => {
    expect(edges(await overlay(name))).toEqual([...expected].sort());
  });

  it('of the documentation let users in by an ingress controller, to both servers and nowhere else', async () => {
    const documents = parseAllDocuments(markedBlocks('tested', 'yaml', 'kubernetes.md')['entrance'] ?? '');
    const policies = documents.map((document) => document.toJS() as Manifest);
    expect(policies.flatMap(faults)).toEqual([]);
    const more = edges([...(await overlay('cold')), ...policies]);
    expect(more).toEqual([...usual, 'ingress → minio TCP 9000', 'ingress → nats TCP 4222'].sort());
  });

  it.each(allNames)('of %s say at both ends the same', async (name) => {
    expect(await halves(name)).toEqual([]);
  });
});
