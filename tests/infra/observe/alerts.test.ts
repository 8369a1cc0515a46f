import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { graph } from '../../../services/pipeline.ts';
import { ensurePackages } from '../../../infra/servers/packages.ts';
import { createTempDir } from '../../support/temp-dir.ts';

// If the package cannot be installed, the test fails: untested alerts must not pass.
beforeAll(() => ensurePackages((line) => void process.stderr.write(`${line}\n`), { prometheus: 'promtool' }));

const promtool = (...args: string[]): string => execFileSync('promtool', args, { encoding: 'utf8' });

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: unknown[] }[];
  }[];
}
const read = (path: string): unknown => parse(readFileSync(path, 'utf8'));

it('fires alerts under their conditions only', () => {
  expect(promtool('check', 'rules', 'infra/observe/alerts.yml')).toContain('SUCCESS');
  expect(promtool('test', 'rules', 'tests/infra/observe/alerts.test.yml')).toContain('SUCCESS');
});

it('has a test for each alert', () => {
  const tried = (read('tests/infra/observe/alerts.test.yml') as RuleTests).tests.flatMap((test) => test.alert_rule_test);
  const fired = tried.filter(({ exp_alerts = [] }) => exp_alerts.length > 0).map(({ alertname }) => alertname);
  const alerts = (read('infra/observe/alerts.yml') as Rules).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect([...new Set(fired)].sort()).toEqual(alerts.sort());
});

it('compares the age of events with the timeout of a request', () => {
  const alerts = (read('infra/observe/alerts.yml') as Rules).groups.flatMap(({ rules }) => rules);
  expect(alerts.find(({ alert }) => alert === 'FaveStreamShort')?.expr).toContain(`< ${graph.options['timeout']?.default} and`);
});

it.each(['infra/observe', 'infra/compose'])('accepts the documented Alertmanager settings in %s/prometheus.yml', (place) => {
  const block = /^```yaml\n(alerting:\n.*?)^```$/ms.exec(readFileSync('docs/observability.md', 'utf8'))?.[1];
  const dir = createTempDir();
  mkdirSync(join(dir, 'targets'));
  copyFileSync('infra/observe/alerts.yml', join(dir, 'alerts.yml'));
  writeFileSync(join(dir, 'minio-token'), 'token');
  const config = readFileSync(`${place}/prometheus.yml`, 'utf8').replace('/run/secrets/', '');
  writeFileSync(join(dir, 'prometheus.yml'), `${config}${block}`);
  expect(promtool('check', 'config', join(dir, 'prometheus.yml'))).toContain('is valid prometheus config file syntax');
});

it('labels a container that does not respond with its service', () => {
  const { scrape_configs } = read('infra/compose/prometheus.yml') as {
    scrape_configs: { job_name: string; relabel_configs?: unknown }[];
  };
  expect(scrape_configs.find(({ job_name }) => job_name === 'fave')?.relabel_configs).toEqual([
    { source_labels: ['__meta_dns_name'], target_label: 'service' },
  ]);
});
