import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'minio';
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs';
import { expect, it } from 'vitest';
import { instanceEnvironment, rotateSecrets } from '../../../infra/instance/instance.ts';
import { launch, type RunningInstance } from '../../../infra/local/launcher.ts';
import { accessKeyOf } from '../../../infra/access/policies.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { readSecrets, type Secrets } from '../../../infra/access/secrets.ts';
import { graph } from '../../../services/pipeline.ts';
import { connectBus } from '../../../shared/bus/connection.ts';
import { createStore, type Store } from '../../../shared/store/store.ts';
import { fave, lastJson } from '../../support/harness/run-cli.ts';
import { readStoredMessages, WAIT } from '../../support/harness/runtime.ts';
import { onTestFileEnd, uniqueId } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

async function launchInstance(dataDir: string, services: readonly string[], shell = {}): Promise<RunningInstance> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...shell };
  const instance = await launch({ dataDir, ports: await freePorts(), graph, services, env, progress: () => undefined });
  onTestFileEnd(instance.stop);
  return instance;
}

it('rejects rotated secrets and accepts the new ones', { timeout: 240_000 }, async () => {
  const dataDir = createTempDir();
  const secretsOf = async (): Promise<Secrets> => (await readSecrets(dataDir))!;

  const before = await launchInstance(dataDir, []);
  const shell = await instanceEnvironment(before.record);
  const old = await secretsOf();
  const storeOf = ({ servers }: RunningInstance, role: string, { store }: Secrets): Store =>
    createStore({
      ...servers.store,
      accessKey: role === 'fave-admin' ? role : accessKeyOf(role),
      secretKey: store[role] ?? '',
    });
  const key = `requests/${uniqueId()}/input/kept.mp4`;
  await storeOf(before, 'submitter', old).put(key, 'kept');
  const { endpoint } = before.servers.store;
  const user = { accessKey: 'submitter', secretKey: old.store['submitter'] ?? '' };
  const temporary = await new AssumeRoleProvider({ stsEndpoint: endpoint, durationSeconds: 604_800, ...user }).getCredentials();
  const statusWithTemporary = async ({ servers }: RunningInstance): Promise<number> => {
    const url = await new Client({
      ...{ endPoint: '127.0.0.1', port: Number(new URL(servers.store.endpoint).port), useSSL: false },
      ...{
        accessKey: temporary.getAccessKey(),
        secretKey: temporary.getSecretKey(),
        sessionToken: temporary.getSessionToken(),
        region: servers.store.region,
      },
    }).presignedGetObject(servers.store.bucket, key);
    return (await fetch(url)).status;
  };
  expect(await statusWithTemporary(before)).toBe(200);
  await expect(rotateSecrets(dataDir)).rejects.toMatchObject({ code: 'already-running' });
  await before.stop();

  await rotateSecrets(dataDir);
  // The start succeeds only if MinIO, the relay and set-up use the new passwords. The environment still has the old ones.
  const after = await launchInstance(dataDir, ['relay', 'tracker', 'stage-ffmpeg-0'], shell);
  const now = await secretsOf();
  for (const role of Object.keys(old.store)) {
    expect(now.store[role], role).not.toBe(old.store[role]);
    await expect(storeOf(after, role, old).head(key), role).rejects.toMatchObject({ code: 'access-denied' });
  }
  expect(await statusWithTemporary(after)).toBe(403);
  for (const user of Object.keys(old.bus)) {
    expect(now.bus[user], user).not.toBe(old.bus[user]);
    await expect(connectBus({ ...after.servers.bus, user, password: old.bus[user] ?? '' }, 'old', 1), user).rejects.toMatchObject(
      { message: expect.stringContaining('Authorization') as string },
    );
  }

  const submitter = storeOf(after, 'submitter', now);
  expect(await submitter.getText(key)).toMatchObject({ text: 'kept' });
  const id = uniqueId();
  await submitter.put(`requests/${id}/input/cut-off.mp4`, '\0\0\0\x14ftypisom\0\0\0\0isom');
  const bus = await connectBus(after.servers.bus, 'test');
  onTestFileEnd(() => bus.close());
  await expect
    .poll(() => readStoredMessages({ bus }, 'FAVE_REQUESTS', `fave.requests.${id}.failed`), WAIT)
    .toMatchObject([{ data: { errors: [{ stage: 'stage-ffmpeg-0', code: 'not-media' }] } }]);
});

it('reports a role whose access was removed, and restores it at the next start', { timeout: 240_000 }, async () => {
  const dataDir = createTempDir();
  const accessChecks = async (): Promise<{ group: string; state: string; found: string }[]> => {
    const { checks } = lastJson(await fave(['doctor', '--json'], { env: { FAVE_DATA_DIR: dataDir } })) as {
      checks: { group: string; name: string; state: string; found: string }[];
    };
    return checks.filter(({ name }) => name === 'access');
  };
  const before = await launchInstance(dataDir, []);
  expect((await accessChecks()).map(({ group, state }) => [group, state])).toEqual([
    ['store', 'ok'],
    ['bus', 'ok'],
  ]);
  const { mc } = await ensureServers(() => undefined);
  const { MC_HOST_fave } = await instanceEnvironment(before.record);
  const env = { HOME: dataDir, PATH: process.env['PATH'], MC_CONFIG_DIR: join(dataDir, 'mc'), MC_HOST_fave };
  await promisify(execFile)(mc, ['admin', 'user', 'rm', 'fave', 'stage-grep'], { env });
  expect(await accessChecks()).toContainEqual(
    expect.objectContaining({ group: 'store', state: 'bad', found: expect.stringContaining('stage-grep') as string }),
  );

  await before.stop();
  await launchInstance(dataDir, []);
  expect((await accessChecks()).map(({ state }) => state)).toEqual(['ok', 'ok']);
});
