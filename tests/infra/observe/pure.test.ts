import { readFileSync } from 'node:fs';
import type { Histogram } from 'prom-client';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboard } from '../../../infra/observe/dashboard.ts';
import { natsMetrics } from '../../../infra/observe/nats-exporter.ts';
import { rows } from '../../../infra/observe/panels.ts';
import { targetsOf } from '../../../infra/observe/targets.ts';
import { graph } from '../../../services/pipeline.ts';
import { createItemCounters } from '../../../services/tracker/metrics/item-counters.ts';
import type { InstanceRecord } from '../../../infra/instance/record.ts';
import { logEvents } from '../../../shared/observability/log.ts';
import { createMetrics } from '../../../shared/runtime/service/metrics.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

it('matches the committed dashboard (npm run generate)', () => {
  expect(JSON.parse(read('infra/observe/grafana/dashboards/pipeline.json'))).toEqual(dashboard());
});

it('places panels without overlap', () => {
  const { panels } = dashboard() as { panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[] };
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

it('documents all metrics of panels and alerts, and all log events', () => {
  const page = read('docs/observability.md');
  const used = `${JSON.stringify(rows)}${read('infra/observe/alerts.yml')}`.match(/fave_\w+/g)!;
  const families = new Set(used.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  expect([...families].filter((name) => !page.includes(`\`${name}`))).toEqual([]);
  expect(Object.keys(logEvents).filter((event) => !page.includes(`| \`${event}\` |`))).toEqual([]);
});

it('documents all alerts with their severity', () => {
  const page = read('docs/observability.md');
  const { groups } = parse(read('infra/observe/alerts.yml')) as {
    groups: { rules: { alert: string; labels: { severity: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules).map(({ alert, labels }) => `| \`${alert}\` | ${labels.severity} |`);
  expect(page.match(/^\| `Fave\w+` \| \w+ \|/gm)).toEqual(rules);
});

it('documents all metrics of a process', () => {
  const page = read('docs/observability.md');
  const names = createMetrics('relay', '/tmp')
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('fave_') && !page.includes(`\`${name}`))).toEqual([]);
});

it('returns the services with a port, MinIO and the NATS exporter as targets', () => {
  const record = {
    ports: { minio: 1, console: 2, nats: 3, monitor: 4 },
    own: { store: true, bus: true },
    processes: [{ name: 'minio' }, { name: 'relay', http: 5 }, { name: 'tracker' }],
  } as unknown as InstanceRecord;
  expect(targetsOf(record, 6)).toEqual([
    { targets: ['127.0.0.1:5'], labels: { job: 'fave', service: 'relay' } },
    { targets: ['127.0.0.1:1'], labels: { job: 'minio', __metrics_path__: '/minio/v2/metrics/cluster' } },
    { targets: ['127.0.0.1:6'], labels: { job: 'nats' } },
  ]);
  expect(targetsOf({ ...record, own: { store: false, bus: false } }, 6)).toHaveLength(1);
});

it('names NATS metrics like the official exporter', () => {
  const text = natsMetrics({
    server_id: 'X',
    in_msgs: 7,
    jetstream: { stats: { storage: 9 } },
    connect_urls: ['a'],
    version: '2',
  });
  expect(text).toContain('gnatsd_varz_in_msgs{server_id="X"} 7\n');
  expect(text).toContain('gnatsd_varz_jetstream_stats_storage{server_id="X"} 9\n');
  expect(text).not.toMatch(/connect_urls|version/);
});

it('uses only fields of log lines as Loki labels', () => {
  const alloy = read('infra/observe/alloy/process.alloy');
  const names = (stage: string): string[] => {
    const block = new RegExp(`stage\\.${stage} \\{\\s+\\w+ = \\{([^}]*)\\}`).exec(alloy)?.[1] ?? '';
    return [...block.matchAll(/(\w+) = ""/g)].map(([, name = '']) => name);
  };
  expect(names('labels')).toEqual(['service', 'level', 'event']);
  expect(names('json')).toEqual(expect.arrayContaining([...names('labels'), ...names('structured_metadata')]));
});

it('defines buckets at most twice as wide as their lower bound from five seconds to two hours', async () => {
  const metrics = createMetrics('tracker');
  createItemCounters(metrics, graph);
  const bounds = async (name: string): Promise<number[]> => {
    const histogram = metrics.registry.getSingleMetric(`fave_${name}_seconds`) as Histogram;
    histogram.observe(0);
    const { values } = await histogram.get();
    return [...new Set(values.flatMap(({ labels }) => (typeof labels['le'] === 'number' ? [labels['le']] : [])))];
  };
  for (const name of ['item_duration', 'item_queue', 'settled_item_duration', 'settled_item_queue', 'request_duration']) {
    const long = (await bounds(name)).filter((bound) => bound >= 5);
    expect([long[0], long.at(-1)]).toEqual([5, 7_200]);
    for (const [n, bound] of long.slice(1).entries()) expect(bound / long[n]!, `${name} ${bound}`).toBeLessThanOrEqual(2);
  }
  expect((await bounds('store_operation'))[0]).toBeLessThan(0.005);
});
