import type { IService } from 'kubernetes-models/v1/Service';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { restrictToFave } from '../../../infra/kubernetes/monitoring.ts';
import { dashboard } from '../../../infra/observe/dashboard.ts';
import { rows } from '../../../infra/observe/panels.ts';
import { root } from '../../../infra/process/paths.ts';
import { serviceNames } from '../../../infra/deployment/services.ts';
import { graph } from '../../../services/pipeline.ts';
import { ofKind, overlay, podsOf, type Manifest } from './overlays.ts';

type Labels = Readonly<Record<string, string>>;

interface Endpoint {
  readonly port: string;
  readonly honorLabels?: boolean;
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

/** Something that is scraped: whose it is, and the labels that all its series get. */
interface Target {
  readonly owner: string;
  readonly port: number;
  readonly labels: Labels;
}

const matches = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** As the operator writes Prometheus' `relabel_configs`: `job` from the label that is named, then what the endpoint adds. */
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

const targetsOf = (manifests: readonly Manifest[]): Target[] => [...podTargets(manifests), ...serviceTargets(manifests)];

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const rulesOf = (manifests: readonly Manifest[]) =>
  ofKind<{ spec: Rules }>(manifests, 'PrometheusRule').flatMap(({ spec }) => spec.groups.flatMap(({ rules }) => rules));

/** Names of the metrics and values of the label `job` for which an expression asks. */
const metricsIn = (expr: string): string[] => expr.match(/\b(fave|minio|gnatsd|process|nodejs)_\w+/g) ?? [];

/** What a query asks of whatever namespace: what remains where functions, words of the language, strings, labels and ranges are taken out. */
const strangersIn = (expr: string): string[] =>
  expr
    .replace(/\w+\{namespace="fave"[^}]*\}|\bALERTS\{alertname=~"Fave[^}]*\}/g, '')
    .replace(/"[^"]*"|\$\w+|\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)/g, '')
    .replace(/\b\w+ *\(|\b(and|or|unless|bool|offset)\b/g, '')
    .match(/[a-z]\w*/gi) ?? [];

/** A text as it is where everything is one's own. */
const withoutNamespace = (text: string): string => text.replace(/namespace=\\?"fave\\?",?/g, '').replace(/(\w)\{\}/g, '$1');

const jobsIn = (expr: string): string[] => [...expr.matchAll(/\bjob="([^"]*)"/g)].map(([, job = '']) => job);

/** Whose numbers a metric is among, by how its name begins. */
const house: Labels = { fave: 'fave', process: 'fave', nodejs: 'fave', minio: 'minio', gnatsd: 'nats' };

it('a metric is asked for in the namespace, whatever else is asked of it; what only looks like one is left', () => {
  const asked =
    'sum by (up) (rate(fave_x_total{a="up {b}",c!="\\"}"}[5m])) / up == on (job) label_replace(process_y, "fave_z", "up", "", "")';
  const ours =
    'sum by (up) (rate(fave_x_total{namespace="fave",a="up {b}",c!="\\"}"}[5m])) / up{namespace="fave"} == on (job) label_replace(process_y{namespace="fave"}, "fave_z", "up", "", "")';
  expect(restrictToFave(asked)).toBe(ours);
  expect(() => restrictToFave('ALERTS > 0')).toThrow('no metric of ours');
});

describe.each(['cold+monitoring', 'scale-out+monitoring'])('%s', { timeout: 900_000 }, (name) => {
  it('asks every service and both servers, each once', async () => {
    const targets = targetsOf(await overlay(name)).map(({ owner, port }) => `${owner}:${port}`);
    expect(targets.sort()).toEqual(
      [...serviceNames(graph).map((service) => `${service}:8080`), 'minio:9000', 'nats:8080'].sort(),
    );
  });

  it('names them as panels and alerts do', async () => {
    const manifests = await overlay(name);
    const targets = targetsOf(manifests);
    for (const { owner, labels } of targets)
      expect(labels).toEqual({
        namespace: 'fave',
        service: owner,
        job: serviceNames(graph).includes(owner) ? 'fave' : owner,
      });
    const jobs = new Set(targets.map(({ labels }) => labels['job']));
    const asked = [
      ...Object.values(rows).flatMap((panels) => panels.map(({ expr }) => expr)),
      ...rulesOf(manifests).map(({ expr }) => expr),
    ];
    expect(asked.flatMap(jobsIn).length).toBeGreaterThan(0);
    for (const job of asked.flatMap(jobsIn)) expect(jobs).toContain(job);
    for (const metric of asked.flatMap(metricsIn)) expect(jobs).toContain(house[metric.split('_')[0] ?? '']);
    expect(new Set(asked.flatMap(metricsIn).map((metric) => house[metric.split('_')[0] ?? '']))).toEqual(jobs);
  });

  it('lets a process tell its own service', async () => {
    const endpoints = ofKind<Monitor>(await overlay(name), 'PodMonitor').flatMap(({ spec }) => spec.podMetricsEndpoints ?? []);
    for (const { honorLabels } of endpoints) expect(honorLabels).toBe(true);
  });

  it('has the alerts of the other deployments, of what is ours alone', async () => {
    const text = await readFile(join(root, 'infra', 'observe', 'alerts.yml'), 'utf8');
    const wanted = (parse(text) as Rules).groups.flatMap(({ rules }) => rules);
    const rules = rulesOf(await overlay(name));
    expect(rules.map(({ alert }) => alert)).toEqual(wanted.map(({ alert }) => alert));
    for (const [index, { expr }] of rules.entries()) {
      expect(strangersIn(expr)).toEqual([]);
      expect(withoutNamespace(expr)).toBe(wanted[index]?.expr);
    }
  });

  it('gives Grafana’s sidecar the dashboard, of what is ours alone', async () => {
    const maps = ofKind(await overlay(name), 'ConfigMap').filter(
      ({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1',
    );
    expect(maps.map(({ metadata }) => metadata.name)).toEqual(['fave-dashboard']);
    const text = maps[0]?.data?.['pipeline.json'] ?? '';
    const { panels } = JSON.parse(text) as { panels: { datasource?: { type: string }; targets?: { expr: string }[] }[] };
    const queries = panels
      .filter(({ datasource }) => datasource?.type === 'prometheus')
      .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.flatMap(metricsIn).length).toBeGreaterThan(0);
    expect(queries.flatMap(strangersIn)).toEqual([]);
    expect(JSON.parse(withoutNamespace(text))).toEqual(dashboard());
  });
});
