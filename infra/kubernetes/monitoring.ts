import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { parse, stringify } from 'yaml';
import { dashboard } from '../observe/dashboard.ts';
import { root } from '../process/paths.ts';
import { hosts, images, labels, NAMESPACE, ports, selector, type Component } from './names.ts';
import { busMetricsPolicy } from './network.ts';
import { restrictedSecurityContext, resources } from './pod.ts';

const API = 'monitoring.coreos.com/v1';

/** The dashboard's file, beside the kustomization. */
export const DASHBOARD_FILE = 'pipeline.json';

export const dashboardFile = (): string =>
  `${JSON.stringify(dashboard(), (_, value: unknown) => (isQuery(value) ? { ...value, expr: restrictToFave(value.expr) } : value), 2)}\n`;

/** What the Prometheus operator reads, whose custom resources have to be installed, and what lets Prometheus ask. */
export const monitoringResources = (): Record<string, readonly object[]> => ({
  monitors: [
    // Pods come and go with the load; a pod's name tells its series from its predecessor's.
    podMonitor('fave', 'service', 'http', 'app.kubernetes.io/part-of'),
    podMonitor(hosts.bus, 'bus', EXPORTER_PORT, 'app.kubernetes.io/name'),
    {
      apiVersion: API,
      kind: 'ServiceMonitor',
      metadata: { name: hosts.store, namespace: NAMESPACE, labels: labels(hosts.store, 'store') },
      spec: {
        jobLabel: 'app.kubernetes.io/name',
        selector: selector(hosts.store),
        endpoints: [{ port: 's3', path: '/minio/v2/metrics/cluster', interval: '60s' }],
      },
    },
  ],
  alerts: [{ apiVersion: API, kind: 'PrometheusRule', metadata: { name: 'fave', namespace: NAMESPACE }, spec: alerts() }],
  'bus-metrics': [busMetricsPolicy()],
});

/** @param job Label of pods whose value panels and alerts know as `job`. */
function podMonitor(name: string, component: Component, port: string, job: string): object {
  return {
    apiVersion: API,
    kind: 'PodMonitor',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      jobLabel: job,
      selector: { matchLabels: { 'app.kubernetes.io/component': component } },
      podMetricsEndpoints: [
        {
          port,
          path: '/metrics',
          interval: '15s',
          // Every process tells its own service; one that does not answer is named all the same.
          honorLabels: true,
          relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_label_app_kubernetes_io_name'], targetLabel: 'service' }],
        },
      ],
    },
  };
}

interface Alerts {
  readonly groups: readonly { readonly name: string; readonly rules: readonly { readonly expr: string }[] }[];
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"`;

/** A metric of ours, by how its name begins, with the labels that are asked of it; or a string or a list of labels, in which no metric is meant. */
const SELECTOR = new RegExp(
  String.raw`${STRING}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\b(up|(?:fave|minio|gnatsd|nodejs|process)_\w+)\b(?:\{((?:${STRING}|[^}"])*)\})?`,
  'g',
);

/**
 * An expression of what is ours alone: a cluster's Prometheus asks others too, whose servers and processes have the same metrics.
 * @throws Error where it asks for no metric that is known here.
 */
export function restrictToFave(expr: string): string {
  const ours = expr.replace(SELECTOR, (whole: string, metric?: string, asked?: string) =>
    metric === undefined ? whole : `${metric}{${[`namespace="${NAMESPACE}"`, ...(asked ? [asked] : [])].join(',')}}`,
  );
  // Alerts are ours by their names, and say nothing of a namespace where their expression sums it away.
  if (ours === expr && !/\bALERTS\{alertname=~"Fave/.test(expr)) throw new Error(`no metric of ours in ${expr}`);
  return ours;
}

/** A panel's question to Prometheus. */
function isQuery(value: unknown): value is { expr: string } {
  const { datasource, expr } = (value ?? {}) as { datasource?: { type: string }; expr?: string };
  return datasource?.type === 'prometheus' && expr !== undefined;
}

function alerts(): Alerts {
  const { groups } = parse(readFileSync(join(root, 'infra', 'observe', 'alerts.yml'), 'utf8')) as Alerts;
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, expr: restrictToFave(rule.expr) })),
    })),
  };
}

const EXPORTER_PORT = 'metrics';

/** NATS has no endpoint for Prometheus: beside each server one that reads its monitor. */
const exporter: IContainer = {
  name: 'exporter',
  image: images.core,
  imagePullPolicy: 'IfNotPresent',
  command: ['node', '--enable-source-maps', 'dist/infra.mjs', 'nats-metrics', '--from', `http://127.0.0.1:${ports.monitor}`],
  ports: [{ name: EXPORTER_PORT, containerPort: ports.http }],
  securityContext: restrictedSecurityContext,
  resources: resources({ cpu: { request: 0.01, limit: 0.5 }, memoryMb: 128 }),
  // By its socket: it answers 502 while NATS is away, and must not take a server out of its Service for that.
  ...Object.fromEntries(
    ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => [
      probe,
      { tcpSocket: { port: EXPORTER_PORT }, periodSeconds: 5, failureThreshold: 12 },
    ]),
  ),
};

/** Grafana's sidecar loads what bears its label, under the name that it has: without a hash the old one is replaced. */
const dashboardConfigMap = {
  name: 'fave-dashboard',
  namespace: NAMESPACE,
  files: [DASHBOARD_FILE],
  options: { labels: { grafana_dashboard: '1' }, disableNameSuffixHash: true },
};

/** @param version Of the image that the exporter is in: the base names it only for what the base has. */
export function monitoring(version: string): object {
  const patch = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: hosts.bus, namespace: NAMESPACE },
    spec: { template: { spec: { containers: [exporter] } } },
  };
  return {
    configMapGenerator: [dashboardConfigMap],
    images: [{ name: images.core, newTag: version }],
    patches: [{ patch: stringify(patch, { lineWidth: 0, aliasDuplicateObjects: false }) }],
  };
}
