import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DATA, OBJECTS, QUEUE } from '../../../infra/compose/names.ts';
import { defaultPorts, freePorts } from '../../../infra/deployment/ports.ts';
import { compose, FOLDER, jobs, ours, services } from './file.ts';

const conditionsOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(compose.services[name]?.depends_on ?? {}).map(([other, { condition }]) => [
      other,
      condition.replace('service_', ''),
    ]),
  );

describe('start order', () => {
  it('is secrets, NATS, MinIO, set-up', () => {
    expect(conditionsOf('secrets')).toEqual({});
    expect(conditionsOf('nats')).toEqual({ secrets: 'completed_successfully' });
    expect(conditionsOf('minio')).toEqual({ nats: 'healthy' });
    expect(conditionsOf('set-up')).toEqual({ minio: 'healthy', nats: 'healthy' });
  });

  it.each([...ours])('starts %s after set-up', (name) => {
    expect(conditionsOf(name)['set-up']).toBe('completed_successfully');
  });

  it('starts services with secrets after the secrets job', () => {
    const waits = (name: string): boolean =>
      Object.entries(conditionsOf(name)).some(
        ([other, condition]) =>
          (other === 'secrets' && condition === 'completed_successfully') || (condition !== 'started' && waits(other)),
      );
    const users = services.filter(([, { volumes = [] }]) => volumes.some((each) => FOLDER.test(each))).map(([name]) => name);
    expect(users.length).toBeGreaterThan(ours.size);
    for (const name of users) expect([name, waits(name)]).toEqual([name, true]);
  });

  it('restarts all services except jobs', () => {
    for (const [name, { restart = 'no' }] of services)
      expect([name, restart === 'unless-stopped']).toEqual([name, !jobs.includes(name)]);
  });
});

/** Published ports: the store with its console, the bus and the dashboards. FAVE services publish none. */
const PUBLISHED = {
  minio: [defaultPorts.minio, defaultPorts.console],
  nats: [defaultPorts.nats],
  prometheus: [9090],
  grafana: [3000],
};

it('publishes the store, the bus and the dashboards on 127.0.0.1 only', () => {
  const published = services.flatMap(([name, { ports = [] }]) => (ports.length === 0 ? [] : [[name, ports] as const]));
  const inside = published.map(([name, ports]) => [name, ports.map((port) => Number(port.split(':').at(-1)))]);
  expect(Object.fromEntries(inside)).toEqual(PUBLISHED);
  for (const port of published.flatMap(([, ports]) => ports))
    expect(port).toMatch(/^\$\{FAVE_BIND:-127\.0\.0\.1\}:\$\{FAVE_\w+_PORT:-(\d+)\}:\1$/);
});

/** Mount points of volumes by service. Both directories of MinIO are in one volume. */
const VOLUME_MOUNTS = {
  minio: DATA,
  nats: DATA,
  prometheus: '/prometheus',
  loki: '/loki',
  alloy: '/alloy',
  grafana: '/var/lib/grafana',
};

it('keeps persistent data in named volumes', () => {
  const mounts = services.flatMap(([name, { volumes = [] }]) =>
    volumes.filter((each) => /^\w/.test(each)).map((each) => [name, each]),
  );
  expect(mounts).toEqual(Object.entries(VOLUME_MOUNTS).map(([name, place]) => [name, `${name}:${place}`]));
  expect(Object.keys(compose.volumes)).toEqual([...Object.keys(VOLUME_MOUNTS), 'models']);
  const models = services.flatMap(([name, { volumes = [] }]) =>
    volumes.filter((each) => each.includes('/models')).map((each) => [name, each]),
  );
  expect(models).toEqual([
    ['set-up', '${FAVE_MODELS_DIR:-models}:/models'],
    ['stage-deepspeech', '${FAVE_MODELS_DIR:-models}:/models:ro'],
  ]);
  for (const place of [OBJECTS, QUEUE]) expect(place.startsWith(`${DATA}/`)).toBe(true);
  expect(compose.services['minio']?.command?.slice(0, 2)).toEqual(['server', OBJECTS]);
});

/** Health endpoint of each service. */
const HEALTH_ENDPOINTS: Record<string, string> = {
  minio: `${defaultPorts.minio}/minio/health/cluster`,
  nats: `${defaultPorts.monitor}/healthz?js-enabled-only=true`,
  prometheus: '9090/-/ready',
  loki: '3100/ready',
  alloy: '12345/-/ready',
  grafana: '3000/api/health',
};

describe('health check', () => {
  const checks = services.flatMap(([name, { healthcheck }]) => (healthcheck ? [[name, healthcheck.test] as const] : []));
  const byShell = checks.filter(([, [, program]]) => program === 'bash');

  it('exists for all services except jobs', () => {
    expect(checks.map(([name]) => name)).toEqual(services.map(([name]) => name).filter((name) => !jobs.includes(name)));
  });

  it.each(checks.filter(([, [, program]]) => program !== 'bash'))('requests the health endpoint of %s', (name, test) => {
    expect(test).toEqual(['CMD', 'wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${HEALTH_ENDPOINTS[name] ?? ''}`]);
  });

  it.each(byShell)('passes for %s only if its health endpoint responds with 200', async (name, [, program = '', ...args]) => {
    const page = HEALTH_ENDPOINTS[name] ?? '8080/healthz';
    const port = page.slice(0, page.indexOf('/'));
    let status = 200;
    const server = createServer(({ url }, response) => response.writeHead(url === page.slice(port.length) ? status : 404).end());
    const { minio: own } = await freePorts();
    await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));
    const passes = (): Promise<boolean> =>
      promisify(execFile)(
        program,
        args.map((arg) => arg.replace(`/dev/tcp/127.0.0.1/${port} `, `/dev/tcp/127.0.0.1/${own} `)),
        { timeout: 10_000 },
      ).then(
        () => true,
        () => false,
      );
    expect(await passes()).toBe(true);
    status = 503;
    expect(await passes()).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await passes()).toBe(false);
  });
});
