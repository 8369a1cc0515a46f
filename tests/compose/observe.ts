import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { observeImages, type ObserveImages } from '../support/docker/observe/observe-images.ts';
import { logPanels } from '../../infra/observe/log-panels.ts';
import { rows } from '../../infra/observe/panels.ts';
import { freePorts } from '../../infra/deployment/ports.ts';
import { serviceNames } from '../../infra/deployment/services.ts';
import { graph } from '../../services/pipeline.ts';
import { createAsker, type ContainerClient } from './container-http.ts';
import { confinementOf } from './confinement.ts';
import type { Report } from './report.ts';
import { createOperatorSession, findMedia, type OperatorSession } from './requests.ts';
import type { Scenario } from './scenario.ts';

/** Services of `--profile observe`, with their ports inside the container. Grafana serves only its user interface. */
const PROMETHEUS = ['prometheus', 9090] as const;
const LOKI = ['loki', 3100] as const;
const OBSERVERS = ['nats-exporter', 'prometheus', 'loki', 'alloy'];

/** Returns the environment that enables the profile on free ports, and the services without an image here. */
export async function observedBy(env: Readonly<Record<string, string>>, { step, log }: Report): Promise<ObserveImages> {
  const images = await step('builds the images of the observe profile', () => observeImages(env, log));
  if (images.missing.length > 0) log(`not run, as there is no image: ${images.missing.join(', ')}`);
  const { minio, console } = await freePorts();
  const socket = env['DOCKER_HOST'] ?? process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const overrides = {
    COMPOSE_PROFILES: 'observe',
    FAVE_PROMETHEUS_PORT: String(minio),
    FAVE_GRAFANA_PORT: String(console),
    FAVE_DOCKER_SOCKET: socket.replace('unix://', ''),
  };
  return { ...images, env: { ...images.env, ...overrides } };
}

/** Time until metrics are scraped twice and logs are shipped, in milliseconds. */
const CHECK_TIMEOUT_MS = 180_000;

/** Processes a video and an invalid file with `--profile observe`, and checks metrics, logs and targets. */
export async function observed({ system, report, programs, defer }: Scenario, missing: readonly string[]): Promise<void> {
  const services = (await system.compose(['config', '--services'])).split('\n').filter((name) => name !== '');
  const wanted = services.filter((name) => !missing.includes(name));
  await report.step('up --build --wait', () => system.up(wanted));
  const operator = createOperatorSession(await system.access(), programs);
  defer(() => operator.leave());
  const ask = createAsker(system);
  await report.step('scrapes every target', () => waitUntilTrue(() => scraped(ask)));
  await report.step('analyses a video and rejects a text file', () => requests(operator));
  await report.step('shows data in every metrics panel', () => panels(ask));
  await report.step('evaluates every alert, each with its series', () => waitUntilTrue(() => alerts(ask)));
  await report.step('finds the log lines of a request', () => waitUntilTrue(() => lines(ask)));
  await report.step('shows data in every log panel', () => logs(ask));
  for (const name of OBSERVERS.filter((each) => wanted.includes(each))) report.log(`   ${await confinementOf(system, name)}`);
}

/** Repeats a check until it returns true. @throws Error with the last result after the timeout. */
async function waitUntilTrue(check: () => Promise<string | true>): Promise<void> {
  const deadline = performance.now() + CHECK_TIMEOUT_MS;
  for (;;) {
    const found = await check();
    if (found === true) return;
    assert(performance.now() < deadline, found);
    await sleep(1_000);
  }
}

/** Checks that Prometheus scrapes every service of the graph, MinIO, NATS and the observe services. */
async function scraped(ask: ContainerClient): Promise<string | true> {
  type Targets = { activeTargets: { health: string; lastError: string; labels: { job: string; instance: string } }[] };
  const { activeTargets } = await ask.data<Targets>(...PROMETHEUS, '/api/v1/targets');
  const count = (job: string): number => activeTargets.filter(({ labels }) => labels.job === job).length;
  const found = Object.fromEntries(['fave', 'minio', 'nats', 'observe'].map((job) => [job, count(job)]));
  const expected = { fave: serviceNames(graph).length, minio: 1, nats: 1, observe: 2 };
  const down = activeTargets
    .filter(({ health }) => health !== 'up')
    .map(({ labels, lastError }) => `${labels.instance}: ${lastError}`);
  if (JSON.stringify(found) !== JSON.stringify(expected)) return `targets by job: ${JSON.stringify(found)}`;
  return down.length === 0 || `targets that are not up: ${down.join('; ')}`;
}

async function requests(operator: OperatorSession): Promise<void> {
  const good = await operator.subscribe('fave.requests.observed.completed');
  const bad = await operator.subscribe('fave.requests.refused.failed');
  await operator.submit('observed', findMedia('portrait-rotated.mp4'));
  await operator.submit('refused', findMedia('broken-truncated-no-moov.mp4'));
  await Promise.all([good.message, bad.message]);
}

async function panels(ask: ContainerClient): Promise<void> {
  type Series = { result: { value: [number, string] }[] };
  for (const { title, expr } of Object.values(rows).flat()) {
    await waitUntilTrue(async () => {
      const { result } = await ask.data<Series>(...PROMETHEUS, '/api/v1/query', { query: expr.replaceAll('RATE', '5m') });
      return result.some(({ value: [, value] }) => Number.isFinite(Number(value))) || `the panel ${title} is empty: ${expr}`;
    });
  }
}

async function alerts(ask: ContainerClient): Promise<string | true> {
  type Rules = { groups: { rules: { name: string; query: string; health: string; state: string }[] }[] };
  const { groups } = await ask.data<Rules>(...PROMETHEUS, '/api/v1/rules');
  const rules = groups.flatMap((group) => group.rules);
  assert(rules.length > 0, 'no rules are loaded');
  const ill = rules.filter(({ health }) => health !== 'ok').map(({ name, health }) => `${name} is ${health}`);
  if (ill.length > 0) return ill.join(', ');
  for (const metric of new Set(rules.flatMap(({ query }) => query.match(/\b(?:fave|minio)_\w+/g) ?? []))) {
    const { result } = await ask.data<{ result: unknown[] }>(...PROMETHEUS, '/api/v1/query', { query: `count(${metric})` });
    if (result.length === 0) return `alerts query ${metric}, which has no series`;
  }
  return true;
}

/** Checks for each stage the log line of its item, by labels and by content. */
async function lines(ask: ContainerClient): Promise<string | true> {
  const wanted = graph.stages.map(({ name }) => name).sort();
  for (const query of [
    '{event="item:done"} | request_id="observed"',
    '{service=~".+"} | json | request_id="observed" | event="item:done"',
  ]) {
    type Counts = { result: { metric: { service: string } }[] };
    const { result } = await ask.data<Counts>(...LOKI, '/loki/api/v1/query', {
      query: `sum by (service) (count_over_time(${query} [1h]))`,
    });
    const found = result.map(({ metric }) => metric.service).sort();
    if (found.join() !== wanted.join()) return `Loki has lines of ${found.join(', ') || 'no service'} for ${query}`;
  }
  return true;
}

async function logs(ask: ContainerClient): Promise<void> {
  for (const { title, expr } of logPanels) {
    const query = expr.replaceAll('$__auto', '1m').replaceAll('$request', 'obs.+');
    await waitUntilTrue(async () => {
      const { result } = await ask.data<{ result: { values: unknown[] }[] }>(...LOKI, '/loki/api/v1/query_range', {
        query,
        since: '1h',
      });
      return result.some(({ values }) => values.length > 0) || `the panel ${title} is empty: ${query}`;
    });
  }
}
