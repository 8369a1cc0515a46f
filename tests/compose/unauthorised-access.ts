import assert from 'node:assert/strict';
import { run } from '../support/docker/run.ts';
import { readConfig } from '../../shared/config/config.ts';
import { createStore } from '../../shared/store/store.ts';
import type { System } from './system.ts';

type Access = Readonly<Record<string, string>>;

/**
 * Checks that only the store and the bus are published, on this machine only, that both reject clients without a password, and that no
 * container has a way to the internet.
 */
export async function assertUnauthorisedRefused(system: System, access: Access, nats: string): Promise<void> {
  const ids = (await system.compose(['ps', '--quiet'])).split('\n').filter((id) => id !== '');
  const format =
    '{{index .Config.Labels "com.docker.compose.service"}} {{range .NetworkSettings.Ports}}{{range .}}{{.HostIp}} {{end}}{{end}}';
  const published = (await system.docker('inspect', '--format', format, ...ids))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes(' '));
  assert.deepEqual(published.sort(), ['minio 127.0.0.1 127.0.0.1', 'nats 127.0.0.1']);
  await assertNoWayOut(system, ids);
  const { store } = readConfig(access);
  assert.equal((await fetch(`${store.endpoint}/${store.bucket}/`)).status, 403);
  await assertBusRefuses({ ...access, NATS_USER: '', NATS_PASSWORD: '' }, nats);
}

/** Checks that the network of each running container is internal, or does not translate addresses. Docker then drops packets to the internet. */
async function assertNoWayOut(system: System, ids: readonly string[]): Promise<void> {
  const names = (text: string): string[] => text.split('\n').flatMap((line) => line.trim() || []);
  const connected = names(
    await system.docker(
      'inspect',
      '--format',
      '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{"\\n"}}{{end}}',
      ...ids,
    ),
  );
  for (const network of new Set(connected)) {
    const format = '{{.Internal}} {{index .Options "com.docker.network.bridge.enable_ip_masquerade"}}';
    const options = (await system.docker('network', 'inspect', '--format', format, network)).trim();
    assert.match(options, /^true|^false false$/, network);
  }
}

/** Checks that the store and the bus reject credentials. */
export async function assertRefused(access: Access, nats: string): Promise<void> {
  const store = createStore(readConfig(access).store);
  await assert.rejects(store.head('requests/'), { code: 'access-denied' });
  store.close();
  await assertBusRefuses(access, nats);
}

async function assertBusRefuses(access: Access, nats: string): Promise<void> {
  await assert.rejects(run(nats, ['pub', 'fave.unauthorised', 'x'], { env: access }), /Authorization Violation/i);
}
