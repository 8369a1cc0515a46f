import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensurePackages } from '../../infra/servers/packages.ts';

// Where it may not be installed this fails and says what to install: alerts that nobody tried must not look as if they had been.
beforeAll(() => ensurePackages((line) => void process.stderr.write(`${line}\n`), { prometheus: 'promtool' }));

const promtool = (...args: string[]): string => execFileSync('promtool', args, { encoding: 'utf8' });

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
}
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: unknown[] }[];
  }[];
}
const read = (path: string): unknown => parse(readFileSync(path, 'utf8'));

it('alerts fire on what they are for, and not before', () => {
  expect(promtool('check', 'rules', 'infra/observe/alerts.yml')).toContain('SUCCESS');
  expect(promtool('test', 'rules', 'tests/observe/alerts.test.yml')).toContain('SUCCESS');
});

it('each alert is made to fire', () => {
  const tried = (read('tests/observe/alerts.test.yml') as RuleTests).tests.flatMap((test) => test.alert_rule_test);
  const fired = tried.filter(({ exp_alerts = [] }) => exp_alerts.length > 0).map(({ alertname }) => alertname);
  const alerts = (read('infra/observe/alerts.yml') as Rules).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect([...new Set(fired)].sort()).toEqual(alerts.sort());
});

it('a container that does not answer is called by its service', () => {
  const { scrape_configs } = read('infra/compose/prometheus.yml') as {
    scrape_configs: { job_name: string; relabel_configs?: unknown }[];
  };
  expect(scrape_configs.find(({ job_name }) => job_name === 'fave')?.relabel_configs).toEqual([
    { source_labels: ['__meta_dns_name'], target_label: 'service' },
  ]);
});
