import type { IService } from 'kubernetes-models/v1/Service';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { METRICS_ROLE, metricsToken } from '../../../infra/access/metrics.ts';
import { rolesOf, secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { dashboard } from '../../../infra/observe/dashboard.ts';
import { rows } from '../../../infra/observe/panels.ts';
import { restrictMetrics } from '../../../infra/observe/promql.ts';
import { root } from '../../../infra/process/paths.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';
import { ofKind, podsOf, renderOverlay, type Manifest } from './render.ts';

type Labels = Readonly<Record<string, string>>;

interface Endpoint {
  readonly port: string;
  readonly honorLabels?: boolean;
  readonly authorization?: { readonly credentials: { readonly name: string; readonly key: string } };
  readonly relabelings?: readonly { sourceLabels: string[]; targetLabel: string }[];
}

interface Monitor {
  readonly spec: {
    readonly jobLabel: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly podMetricsEndpoints?: readonly Endpoint[];
    readonly endpoints?: readonly Endpoint[];
  };
}

/** An endpoint that Prometheus scrapes, and the labels that it adds to all series. */
interface Target {
  readonly owner: string;
  readonly port: number;
  readonly labels: Labels;
}

const matches = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Returns the labels of a target as the operator's `relabel_configs` set them: `job` from the job label, then the endpoint's. */
function labelsOf({ spec }: Monitor, { relabelings = [] }: Endpoint, labels: Labels, meta: Labels): Labels {
  const source: Labels = {
    ...meta,
    ...Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [`__meta_kubernetes_pod_label_${key.replace(/[^a-zA-Z0-9_]/g, '_')}`, value]),
    ),
  };
  const added = relabelings.map(({ sourceLabels, targetLabel }) => [
    targetLabel,
    sourceLabels.map((name) => source[name] ?? '').join(';'),
  ]);
  return { namespace: 'fave', job: labels[spec.jobLabel] ?? '', ...meta, ...(Object.fromEntries(added) as Labels) };
}

function podTargets(manifests: readonly Manifest[]): Target[] {
  return ofKind<Monitor>(manifests, 'PodMonitor').flatMap((monitor) =>
    podsOf(manifests)
      .filter(({ labels }) => matches(monitor.spec.selector.matchLabels, labels))
      .flatMap(({ name, labels, spec: { containers } }) =>
        (monitor.spec.podMetricsEndpoints ?? []).flatMap((endpoint) =>
          containers
            .flatMap(({ ports = [] }) => ports)
            .filter((port) => port.name === endpoint.port)
            .map(({ containerPort }) => ({ owner: name, port: containerPort, labels: labelsOf(monitor, endpoint, labels, {}) })),
        ),
      ),
  );
}

function serviceTargets(manifests: readonly Manifest[]): Target[] {
  return ofKind<Monitor>(manifests, 'ServiceMonitor').flatMap((monitor) =>
    ofKind<IService>(manifests, 'Service')
      .filter(({ metadata: { labels = {} } }) => matches(monitor.spec.selector.matchLabels, labels))
      .flatMap(({ metadata: { name, labels = {} }, spec }) =>
        (monitor.spec.endpoints ?? []).flatMap((endpoint) =>
          (spec?.ports ?? [])
            .filter((port) => port.name === endpoint.port)
            .map(({ port }) => ({ owner: name, port, labels: labelsOf(monitor, endpoint, labels, { service: name }) })),
        ),
      ),
  );
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const rulesOf = (manifests: readonly Manifest[]) =>
  ofKind<{ spec: Rules }>(manifests, 'PrometheusRule').flatMap(({ spec }) => spec.groups.flatMap(({ rules }) => rules));

const metricsIn = (expr: string): string[] => expr.match(/\b(fave|minio|gnatsd|process|nodejs)_\w+/g) ?? [];

const jobsIn = (expr: string): string[] => [...expr.matchAll(/\bjob="([^"]*)"/g)].map(([, job = '']) => job);

/** Returns the names that remain after functions, keywords, strings, labels, ranges and restricted metrics are removed: metrics of any namespace. */
const unrestrictedIn = (expr: string): string[] =>
  expr
    .replace(/\w+\{namespace=[^}]*\}|\bALERTS\{alertname=~"Fave[^}]*\}/g, '')
    .replace(/"[^"]*"|\$\w+|\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)/g, '')
    .replace(/\b\w+ *\(|\b(and|or|unless|bool|offset)\b/g, '')
    .match(/[a-z]\w*/gi) ?? [];

/** Job of a metric by the first part of its name. */
const jobByPrefix: Labels = { fave: 'fave', process: 'fave', nodejs: 'fave', minio: 'minio', gnatsd: 'nats' };
const jobOf = (metric: string): string | undefined => jobByPrefix[metric.split('_')[0] ?? ''];

it('restrictMetrics adds a matcher to every metric and to nothing else', () => {
  const expr =
    'sum by (up) (rate(fave_x_total{a="up {b}",c!="\\"}"}[5m])) / up == on (job) label_replace(process_y, "fave_z", "up", "", "")';
  const restricted =
    'sum by (up) (rate(fave_x_total{namespace="fave",a="up {b}",c!="\\"}"}[5m])) / up{namespace="fave"} == on (job) label_replace(process_y{namespace="fave"}, "fave_z", "up", "", "")';
  expect(restrictMetrics(expr, 'namespace="fave"')).toBe(restricted);
  expect(() => restrictMetrics('ALERTS > 0', 'namespace="fave"')).toThrow('no metric of FAVE');
});

describe.each(['cold+monitoring', 'scale-out+monitoring'])('%s', { timeout: 900_000 }, (name) => {
  it('scrapes every service and both servers once, with the labels that panels and alerts expect', async () => {
    const manifests = await renderOverlay(name);
    const targets = [...podTargets(manifests), ...serviceTargets(manifests)];
    const services = serviceNames(graph);
    expect(targets.map(({ owner, port }) => `${owner}:${port}`).sort()).toEqual(
      [...services.map((service) => `${service}:8080`), 'minio:9000', 'nats:8080'].sort(),
    );
    for (const { owner, labels } of targets)
      expect(labels).toEqual({ namespace: 'fave', service: owner, job: services.includes(owner) ? 'fave' : owner });
    const jobs = new Set(targets.map(({ labels }) => labels['job']));
    const queries = [
      ...Object.values(rows).flatMap((panels) => panels.map(({ expr }) => expr)),
      ...rulesOf(manifests).map(({ expr }) => expr),
    ];
    expect(queries.flatMap(jobsIn).length).toBeGreaterThan(0);
    for (const job of queries.flatMap(jobsIn)) expect(jobs).toContain(job);
    expect(new Set(queries.flatMap(metricsIn).map(jobOf))).toEqual(jobs);
  });

  it('scrapes MinIO with the token of the role that may only read metrics', async () => {
    const { bus, store } = rolesOf(graph);
    const passwords = (names: readonly string[]) => Object.fromEntries(names.map((role) => [role, `secret of ${role}`]));
    const secrets = secretManifests(graph, { bus: passwords(bus), store: passwords(store) });
    const [endpoint] = ofKind<Monitor>(await renderOverlay(name), 'ServiceMonitor').flatMap(({ spec }) => spec.endpoints ?? []);
    const { name: secret, key } = endpoint!.authorization!.credentials;
    expect(secrets.find(({ metadata }) => metadata.name === secret)?.stringData).toEqual({
      [key]: metricsToken(`secret of ${METRICS_ROLE}`),
    });
  });

  it('keeps the label `service` that a process sets', async () => {
    const monitors = ofKind<Monitor>(await renderOverlay(name), 'PodMonitor');
    for (const { honorLabels } of monitors.flatMap(({ spec }) => spec.podMetricsEndpoints ?? [])) expect(honorLabels).toBe(true);
  });

  it('has the alerts of the other deployments, restricted to the namespace', async () => {
    const text = await readFile(join(root, 'infra', 'observe', 'alerts.yml'), 'utf8');
    const expected = (parse(text) as Rules).groups.flatMap(({ rules }) => rules);
    const rules = rulesOf(await renderOverlay(name));
    expect(rules.map(({ alert }) => alert)).toEqual(expected.map(({ alert }) => alert));
    for (const [index, { expr }] of rules.entries()) {
      expect(unrestrictedIn(expr)).toEqual([]);
      expect(expr.replace(/namespace="fave",?/g, '').replace(/(\w)\{\}/g, '$1')).toBe(expected[index]?.expr);
    }
  });

  it('gives Grafana’s sidecar the dashboard, whose queries ask for one namespace', async () => {
    const maps = ofKind(await renderOverlay(name), 'ConfigMap').filter(
      ({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1',
    );
    expect(maps.map(({ metadata }) => metadata.name)).toEqual(['fave-dashboard']);
    const shown = JSON.parse(maps[0]?.data?.['pipeline.json'] ?? '') as {
      panels: { datasource?: { type: string }; targets?: { expr: string }[] }[];
    };
    expect(shown).toEqual(dashboard());
    const queries = shown.panels
      .filter(({ datasource }) => datasource?.type === 'prometheus')
      .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.flatMap(metricsIn).length).toBeGreaterThan(0);
    expect(queries.flatMap(unrestrictedIn)).toEqual([]);
  });
});
