import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { describe, expect, it, onTestFinished } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { rolesOf, secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { natsConfig, startNats } from '../../../infra/servers/nats.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { configMap, ofKind, podsOf, renderOverlay } from './render.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const { bus: users } = rolesOf(graph);
const passwords = Object.fromEntries(users.map((user) => [user, `password-of-${user}`]));
const secrets = secretManifests(graph, { bus: passwords, store: {} });
const natsPod = async (overlay: string) => podsOf(await renderOverlay(overlay)).find(({ name }) => name === 'nats')!.spec;

describe('NATS', { timeout: 900_000 }, () => {
  it.each([
    ['cold', false],
    ['scale-out', true],
  ])('accepts the configuration of %s', async (overlay, clustered) => {
    const { natsServer } = await ensureServers(() => undefined);
    const dir = createTempDir();
    const config = configMap(await renderOverlay(overlay), 'nats-config');
    const files = { ...config, ...secrets.find(({ metadata }) => metadata.name === 'nats-users')?.stringData };
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
    const check = promisify(execFile)(natsServer, ['-t', '-c', join(dir, 'nats.conf')], { env: { POD_NAME: 'nats-0' } });
    expect((await check).stderr).toContain('is valid');
    expect(config['cluster.conf']).toBe(clustered ? 'include ./routes.conf' : '');
  });

  it('stores streams like a server of the launcher', async () => {
    const options = { port: 4222, monitor: 8222, dataDir: '/data', users: {}, passwords: {}, program: '' };
    const { jetstream } = natsConfig(options) as { jetstream: Record<string, unknown> };
    const text = configMap(await renderOverlay('cold'), 'nats-config')['nats.conf'] ?? '';
    const block = /^jetstream \{\n(.*?)^\}/ms.exec(text)?.[1] ?? '';
    const settings = [...block.matchAll(/(\w+): "?([^"\n]+)/g)].map(([, name = '', value]) => [name, value]);
    const expected = Object.entries(jetstream).map(([name, value]) => [name, String(value)]);
    expect(Object.fromEntries(settings)).toEqual(Object.fromEntries(expected));
  });

  it('moves its clients to other servers before its pod is killed', async () => {
    const text = configMap(await renderOverlay('scale-out'), 'nats-config')['nats.conf'] ?? '';
    const seconds = [...text.matchAll(/lame_duck_\w+: "(\d+)s"/g)].map(([, value]) => Number(value));
    expect(seconds).toHaveLength(2);
    const { terminationGracePeriodSeconds: grace } = await natsPod('scale-out');
    expect(seconds.reduce((sum, each) => sum + each, 0)).toBeLessThan(grace ?? 0);
  });

  it('is alive but not started until it has found the other servers', async () => {
    const { natsServer: program } = await ensureServers(() => undefined);
    const dataDir = createTempDir();
    const [own, others] = [await freePorts(), await freePorts()];
    const routes = [own, others].map(({ console: port }) => `127.0.0.1:${port}`);
    const cluster = { name: 'nats-0', port: own.console, routes, password: 'routes-password' };
    const server = await startNats({ program, port: own.nats, monitor: own.monitor, dataDir, users: {}, passwords: {}, cluster });
    onTestFinished(async () => void (await server.stop(5_000)));
    const { startupProbe, livenessProbe } = (await natsPod('scale-out')).containers[0]!;
    const statuses = [startupProbe, livenessProbe].map(async (probe) => {
      const { status } = await fetch(`http://127.0.0.1:${own.monitor}${probe?.httpGet?.path ?? ''}`);
      return status;
    });
    expect(await Promise.all(statuses)).toEqual([503, 200]);
  });
});

it('restarts NATS servers one by one and MinIO nodes only on deletion', { timeout: 900_000 }, async () => {
  const servers = ofKind<IStatefulSet>(await renderOverlay('scale-out'), 'StatefulSet');
  const strategies = servers.map(({ metadata, spec }) => [
    metadata.name,
    spec?.replicas,
    spec?.updateStrategy?.type ?? 'RollingUpdate',
  ]);
  expect(strategies.sort()).toEqual([
    ['minio', 4, 'OnDelete'],
    ['nats', 3, 'RollingUpdate'],
  ]);
});
