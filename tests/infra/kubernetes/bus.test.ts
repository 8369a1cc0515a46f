import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import {
  bus,
  BUS_CONFIG_FILE,
  BUS_ROUTES_FILE,
  BUS_USERS_FILE,
  busConfig,
  busRoutes,
  busUsers,
} from '../../../infra/kubernetes/bus.ts';
import { busPermissions } from '../../../infra/access/permissions.ts';
import { startNats } from '../../../infra/servers/nats.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { ofKind, overlay } from './overlays.ts';

it.each([false, true])(
  'nats-server accepts its configuration (cluster: %s) and its users',
  { timeout: 900_000 },
  async (clustered) => {
    const { natsServer } = await ensureServers(() => undefined);
    const dir = await mkdtemp(join(tmpdir(), 'fave-k8s-'));
    try {
      const passwords = Object.fromEntries(Object.keys(busPermissions(graph)).map((user) => [user, 'x']));
      await writeFile(join(dir, BUS_CONFIG_FILE), busConfig({ clustered }));
      await writeFile(join(dir, BUS_USERS_FILE), busUsers(graph, passwords));
      await writeFile(join(dir, BUS_ROUTES_FILE), busRoutes('secret-of-the-routes'));
      const check = promisify(execFile)(natsServer, ['-t', '-c', join(dir, BUS_CONFIG_FILE)], { env: { POD_NAME: 'nats-0' } });
      await expect(check.then(({ stderr }) => stderr)).resolves.toContain('is valid');
    } finally {
      await rm(dir, { recursive: true });
    }
  },
);

it('a node has sent its clients to others before its pod is killed', () => {
  const seconds = [...busConfig({ clustered: true }).matchAll(/"lame_duck_\w+": "(\d+)s"/g)].map(([, value]) => Number(value));
  expect(seconds).toHaveLength(2);
  const [, , server] = bus();
  const grace = server.spec?.template.spec?.terminationGracePeriodSeconds ?? 0;
  expect(seconds.reduce((sum, each) => sum + each, 0)).toBeLessThan(grace);
});

it('a node that has not found the others has not begun, though it is alive', { timeout: 900_000 }, async () => {
  const { natsServer: program } = await ensureServers(() => undefined);
  const dataDir = await mkdtemp(join(tmpdir(), 'fave-k8s-'));
  const [own, others] = [await freePorts(), await freePorts()];
  const routes = [own, others].map(({ console: port }) => `127.0.0.1:${port}`);
  const cluster = { name: 'nats-0', port: own.console, routes, password: 'secret-of-the-routes' };
  const server = await startNats({ program, port: own.nats, monitor: own.monitor, dataDir, users: {}, passwords: {}, cluster });
  try {
    const [, , { spec }] = bus();
    const { startupProbe, livenessProbe } = spec?.template.spec?.containers[0] ?? {};
    const answers = [startupProbe, livenessProbe].map((probe) =>
      fetch(`http://127.0.0.1:${own.monitor}${probe?.httpGet?.path ?? ''}`),
    );
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 200]);
  } finally {
    await server.stop(5_000);
    await rm(dataDir, { recursive: true, maxRetries: 3 });
  }
});

it('nodes are replaced one by one, those of the store never by themselves', { timeout: 900_000 }, async () => {
  const servers = ofKind<IStatefulSet>(await overlay('scale-out'), 'StatefulSet');
  const strategies = servers.map(({ metadata, spec }) => [metadata.name, spec?.updateStrategy?.type ?? 'RollingUpdate']);
  expect(Object.fromEntries(strategies)).toEqual({ nats: 'RollingUpdate', minio: 'OnDelete' });
});
