import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { upstreamImages } from '../../support/docker/observe/observe-images.ts';
import { dashboard } from '../../../infra/observe/dashboard.ts';
import { root } from '../../../infra/process/paths.ts';

const read = (...path: string[]): Promise<string> => readFile(join(root, ...path), 'utf8');
const yaml = async <T>(...path: string[]): Promise<T> => parse(await read(...path)) as T;

interface Service {
  readonly profiles?: string[];
  readonly environment?: Record<string, string>;
  readonly volumes?: string[];
}
const { services } = await yaml<{ services: Record<string, Service> }>('compose.yaml');

describe('--profile observe', () => {
  it('names each third-party image by a variable', async () => {
    const images = upstreamImages(await read('compose.yaml'));
    expect(images.map(({ service }) => service).sort()).toEqual(['alloy', 'grafana', 'loki', 'prometheus']);
    for (const { service, variable, image, version } of images) {
      expect(services[service]?.profiles).toEqual(['observe']);
      expect(variable).toBe(`FAVE_${service.toUpperCase()}_IMAGE`);
      expect(`${image} ${version}`).toMatch(/^[a-z]+\/[a-z]+:v?(\S+) v\1$/);
    }
  });

  it('configures Prometheus to scrape every server with metrics', async () => {
    type Scrapes = { scrape_configs: { job_name: string; static_configs?: { targets: string[] }[] }[] };
    const { scrape_configs } = await yaml<Scrapes>('infra/compose/prometheus.yml');
    const hosts = scrape_configs.flatMap(({ static_configs = [] }) =>
      static_configs.flatMap(({ targets }) => targets.map((target) => target.split(':')[0])),
    );
    expect(hosts).toEqual(['minio', 'nats-exporter', 'localhost', 'loki']);
    for (const host of hosts.filter((each) => each !== 'localhost')) expect(Object.keys(services)).toContain(host);
  });

  it('disables the usage reports of Loki', async () => {
    const config = await yaml<{ analytics: object; common: { path_prefix: string } }>('infra/observe/loki.yml');
    expect(config.analytics).toEqual({ reporting_enabled: false });
    expect(services['loki']?.volumes).toContain(`loki:${config.common.path_prefix}`);
  });

  it('processes log lines with Promtail like with Alloy', async () => {
    const alloy = (await read('infra/compose/logs.alloy')) + (await read('infra/observe/alloy/process.alloy'));
    type Stage = Record<string, Record<string, unknown> & { expressions?: object }>;
    type Promtail = { scrape_configs: { pipeline_stages: Stage[]; relabel_configs: { source_labels: string[] }[] }[] };
    const { scrape_configs } = await yaml<Promtail>('tests/support/docker/observe/promtail.yml');
    const stages = Object.assign({}, ...scrape_configs.flatMap(({ pipeline_stages }) => pipeline_stages)) as Stage;
    const fields = (stage: string): string[] => {
      const block = new RegExp(`stage\\.${stage} \\{\\s+\\w+ = \\{([^}]*)\\}`).exec(alloy)?.[1] ?? '';
      return [...block.matchAll(/(\w+) = ""/g)].map(([, name = '']) => name);
    };
    expect(Object.keys(stages)).toEqual([...alloy.matchAll(/stage\.(\w+) \{/g)].map(([, name]) => name));
    for (const stage of ['json', 'labels', 'structured_metadata']) {
      expect(fields(stage).length).toBeGreaterThan(2);
      expect(Object.keys(stages[stage]?.expressions ?? stages[stage] ?? {})).toEqual(fields(stage));
    }
    const text = await read('tests/support/docker/observe/promtail.yml');
    for (const name of Object.keys(services['alloy']?.environment ?? {})) {
      expect(alloy).toContain(`sys.env("${name}")`);
      expect(text).toContain(`\${${name}}`);
    }
    const [label = ''] = scrape_configs[0]?.relabel_configs[0]?.source_labels ?? [];
    expect(alloy).toContain(`"${label}"`);
  });
});

describe('Grafana', () => {
  const provisioning = 'infra/observe/grafana/provisioning';

  it('is provisioned with a data source for each variable of the dashboard', async () => {
    type Source = { datasources: { type: string; uid: string; url: string }[] };
    const sources = await Promise.all(
      ['prometheus', 'loki'].map((name) => yaml<Source>(provisioning, 'datasources', `${name}.yml`)),
    );
    const provisioned = sources.flatMap(({ datasources }) => datasources);
    const { panels, templating } = dashboard() as {
      panels: { type: string; datasource?: { type: string; uid: string }; targets?: { datasource: object }[] }[];
      templating: { list: { name: string; type: string; query: string }[] };
    };
    const variables = new Map(
      templating.list.filter(({ type }) => type === 'datasource').map(({ name, query }) => [`\${${name}}`, query]),
    );
    expect([...variables.values()].sort()).toEqual(provisioned.map(({ type }) => type).sort());
    for (const { datasource, targets } of panels.filter(({ type }) => type !== 'row')) {
      expect(variables.get(datasource?.uid ?? '')).toBe(datasource?.type);
      for (const target of targets ?? []) expect(target.datasource).toEqual(datasource);
    }
    for (const { url } of provisioned) expect(services['grafana']?.environment).toHaveProperty(url.replace(/^\$\{|\}$/g, ''));
  });

  it('finds the dashboards where they are mounted and sends no usage reports', async () => {
    const { providers } = await yaml<{ providers: { options: { path: string } }[] }>(provisioning, 'dashboards', 'fave.yml');
    expect(services['grafana']?.volumes).toContain(`./infra/observe/grafana/dashboards:${providers[0]?.options.path ?? ''}:ro`);
    expect(services['grafana']?.environment).toMatchObject({
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    });
  });
});
