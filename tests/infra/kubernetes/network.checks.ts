import type { INetworkPolicySpec } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicySpec';
import { parse, parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import { regimeNames } from '../../../infra/deployment/regimes.ts';
import { markedBlocks } from '../../support/documented-commands.ts';
import { allNames, ofKind, podsOf, renderOverlay, type Manifest } from './render.ts';
import { faults } from './schemas.ts';

type Ingress = NonNullable<INetworkPolicySpec['ingress']>[number];
type Peer = NonNullable<Ingress['from']>[number];

const COMPONENT = 'app.kubernetes.io/component';
const COMPONENTS = ['service', 'set-up', 'store', 'bus'];

/** Returns the components that a pod selector names. The policies use no other form of selector. */
function componentsOf({ matchLabels = {}, matchExpressions = [] }: NonNullable<Peer['podSelector']>): readonly string[] {
  const [expression] = matchExpressions;
  const values = expression ? (expression.values ?? []) : Object.values(matchLabels);
  expect(expression ? [expression.key, expression.operator] : [...Object.keys(matchLabels), 'In']).toEqual([COMPONENT, 'In']);
  expect(Object.keys(matchLabels).length + matchExpressions.length).toBe(1);
  return values;
}

/** Returns a peer as components, or as a description of pods or addresses outside the namespace. */
function peersOf({ podSelector, namespaceSelector, ipBlock }: Peer): readonly string[] {
  if (ipBlock) return [`${ipBlock.cidr} except ${(ipBlock.except ?? []).join()}`];
  if (!namespaceSelector) return componentsOf(podSelector ?? {});
  const labels = { ...namespaceSelector.matchLabels, ...podSelector?.matchLabels };
  return [Object.values(labels).join('/')];
}

/** Returns each connection that policies allow, at both ends: `service > store TCP 9000` leaves, `service >> store TCP 9000` enters. */
function rulesOf(manifests: readonly Manifest[]): string[] {
  return ofKind<{ spec: INetworkPolicySpec }>(manifests, 'NetworkPolicy').flatMap(({ metadata, spec }) => {
    const { podSelector = {}, policyTypes = [], ingress = [], egress = [] } = spec;
    // A rule of a direction that policyTypes does not name would have no effect.
    expect([metadata.namespace, ...policyTypes]).toEqual([
      'fave',
      ...('ingress' in spec ? ['Ingress'] : []),
      ...('egress' in spec ? ['Egress'] : []),
    ]);
    const ends = (peers: readonly Peer[] = [], ports: Ingress['ports'] = []): string[][] =>
      peers.flatMap(peersOf).flatMap((peer) => ports.map(({ protocol, port }) => [peer, `${protocol ?? ''} ${port ?? ''}`]));
    // Without peers or ports a rule would allow all of them.
    for (const { from, ports } of ingress) expect(from && ports).toBeTruthy();
    for (const { to, ports } of egress) expect(to && ports).toBeTruthy();
    if (ingress.length + egress.length === 0) return [];
    return componentsOf(podSelector).flatMap((own) => [
      ...ingress.flatMap(({ from, ports }) => ends(from, ports).map(([peer, port]) => `${peer} >> ${own} ${port}`)),
      ...egress.flatMap(({ to, ports }) => ends(to, ports).map(([peer, port]) => `${own} > ${peer} ${port}`)),
    ]);
  });
}

/** Returns an allowed connection at both ends. */
const both = (connection: string): string[] => [connection, connection.replace('>', '>>')];

const dns = (component: string): string[] =>
  ['UDP', 'TCP'].map((protocol) => `${component} > kube-system/kube-dns ${protocol} 53`);
const withoutStore = [
  ...['service > bus TCP 4222', 'set-up > bus TCP 4222'].flatMap(both),
  ...COMPONENTS.flatMap(dns),
  'monitoring >> service TCP 8080',
  'keda/keda-operator >> bus TCP 8222',
  // Policies of the base that match no pod without MinIO.
  'service > store TCP 9000',
  'set-up > store TCP 9000',
  'store >> bus TCP 4222',
  'store >> bus TCP 8222',
];
const base = [
  ...withoutStore,
  'service >> store TCP 9000',
  'set-up >> store TCP 9000',
  'store > bus TCP 4222',
  'store > bus TCP 8222',
  'monitoring >> store TCP 9000',
];
const clustered = ['bus > bus TCP 6222', 'store > store TCP 9000'].flatMap(both);
const exporter = ['monitoring >> bus TCP 8080'];
const external = ['service', 'set-up'].map((name) => `${name} > 0.0.0.0/0 except 169.254.0.0/16 TCP 443`);

describe('network policies', { timeout: 900_000 }, () => {
  it.each([
    ...regimeNames.map((regime) => [regime, base] as const),
    ['scale-out', [...base, ...clustered]] as const,
    ['external-store', [...withoutStore, ...external]] as const,
    ['cold+monitoring', [...base, ...exporter]] as const,
    ['cold+tracing', [...base, 'service > monitoring TCP 4318']] as const,
    ['cold+models', [...base, 'set-up > 0.0.0.0/0 except 169.254.0.0/16 TCP 443']] as const,
    ['scale-out+monitoring', [...base, ...clustered, ...exporter]] as const,
  ])('allows the connections of the architecture and no others in %s', async (name, expected) => {
    expect(rulesOf(await renderOverlay(name)).sort()).toEqual([...expected].sort());
  });

  it.each(allNames)('applies to every pod and denies by default in %s', async (name) => {
    const manifests = await renderOverlay(name);
    const [deny] = ofKind<{ spec: INetworkPolicySpec }>(manifests, 'NetworkPolicy').filter(
      ({ spec }) => Object.keys(spec.podSelector ?? {}).length === 0,
    );
    expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] });
    for (const { labels } of podsOf(manifests)) expect(COMPONENTS).toContain(labels[COMPONENT]);
  });

  it('admits users of an ingress controller to both servers with the policies of docs/kubernetes.md', () => {
    const documents = parseAllDocuments(markedBlocks('tested', 'yaml', 'kubernetes.md')['entrance'] ?? '');
    const policies = documents.map((document) => document.toJS() as Manifest);
    expect(policies.flatMap(faults)).toEqual([]);
    expect(rulesOf(policies)).toEqual(['ingress-nginx >> store TCP 9000', 'ingress-nginx >> bus TCP 4222']);
  });

  it('admits the audit log from the store only with the policy of docs/operations.md', () => {
    const policy = parse(markedBlocks('tested', 'yaml')['audit-policy'] ?? '') as Manifest & { spec: INetworkPolicySpec };
    expect(faults(policy)).toEqual([]);
    expect(policy.spec.policyTypes).toEqual(['Egress']);
    expect([policy.metadata.namespace, componentsOf(policy.spec.podSelector ?? {})]).toEqual(['fave', ['store']]);
  });
});
