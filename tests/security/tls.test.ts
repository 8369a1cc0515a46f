import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { freePorts, type Ports } from '../../infra/deployment/ports.ts';
import { startProcess, waitUntilReady, type RunningProcess } from '../../infra/process/process.ts';
import { ensureServers } from '../../infra/servers/install.ts';
import { connectBus } from '../../shared/bus/connection.ts';
import { readConfig } from '../../shared/config/config.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import { createStoreAdmin } from '../../shared/store/s3/admin.ts';
import { createStore } from '../../shared/store/store.ts';
import { onTestFileEnd } from '../support/stack.ts';
import { createTempDir } from '../support/temp-dir.ts';

const dir = createTempDir();
let ports: Ports;
let minio: RunningProcess;

/** A private authority and a certificate of it for 127.0.0.1. */
function makeCertificates(): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=FAVE test CA',
  );
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=127.0.0.1');
  execFileSync('sh', ['-c', 'printf "subjectAltName=IP:127.0.0.1,DNS:localhost" > san'], { cwd: dir });
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'server.pem',
    '-days',
    '2',
    '-extfile',
    'san',
  );
}

beforeAll(async () => {
  ports = await freePorts();
  makeCertificates();
  const programs = await ensureServers(() => undefined);
  const certs = join(dir, 'certs');
  mkdirSync(certs);
  await copyFile(join(dir, 'server.pem'), join(certs, 'public.crt'));
  await copyFile(join(dir, 'server.key'), join(certs, 'private.key'));
  const config = {
    host: '127.0.0.1',
    port: ports.nats,
    jetstream: { store_dir: join(dir, 'nats') },
    tls: { cert_file: join(dir, 'server.pem'), key_file: join(dir, 'server.key') },
    authorization: { user: 'fave', password: 'secret-of-the-bus' },
  };
  await writeFile(join(dir, 'nats.conf'), JSON.stringify(config));
  await run('nats', programs.natsServer, ['-c', 'nats.conf']);
  minio = await run(
    'minio',
    programs.minio,
    ['server', join(dir, 'data'), '--address', `127.0.0.1:${ports.minio}`, '--certs-dir', certs],
    {
      HOME: dir,
      MINIO_ROOT_USER: 'fave',
      MINIO_ROOT_PASSWORD: 'secret-of-the-store',
      MINIO_UPDATE: 'off',
    },
  );
});

async function run(name: string, command: string, args: string[], env: Record<string, string> = {}): Promise<RunningProcess> {
  const server = await startProcess({ name, command, args, env, cwd: dir, log: join(dir, `${name}.log`) });
  onTestFileEnd(() => server.stop(5_000));
  return server;
}

function environment(ca: boolean): Record<string, string> {
  return {
    ARTIFACT_ENDPOINT: `https://127.0.0.1:${ports.minio}`,
    ARTIFACT_ACCESS_KEY: 'fave',
    ARTIFACT_SECRET_KEY: 'secret-of-the-store',
    // For an IP address the client checks the certificate for localhost.
    NATS_URL: `tls://localhost:${ports.nats}`,
    NATS_USER: 'fave',
    NATS_PASSWORD: 'secret-of-the-bus',
    ...(ca && { ARTIFACT_CA: join(dir, 'ca.pem'), NATS_CA: join(dir, 'ca.pem') }),
  };
}

test('connects to the store over TLS with the certificate of a private CA', async () => {
  const config = readConfig(environment(true)).store;
  const [store, storeAdmin] = [createStore(config), createStoreAdmin(config)];
  await waitUntilReady(
    minio,
    20_000,
    async () =>
      (await storeAdmin.client.makeBucket(store.bucket).then(
        () => true,
        () => undefined,
      )) ?? undefined,
  );
  await store.put('tmp/greeting', 'hello');
  expect((await store.getText('tmp/greeting'))?.text).toBe('hello');
  store.close();
  storeAdmin.close();
});

test('rejects the store without its CA', async () => {
  const store = createStore(readConfig(environment(false)).store);
  const refused = store.getText('tmp/greeting', { signal: AbortSignal.timeout(4_000) });
  await expect(refused).rejects.toThrow(UnavailableError);
  await expect(refused).rejects.toThrow(/certificate/);
  store.close();
});

test('connects to the bus over TLS with the certificate of a private CA', async () => {
  const bus = await connectBus(readConfig(environment(true)).bus, 'test');
  await bus.manager.streams.add({ name: 'GREETINGS', subjects: ['greetings'] });
  expect((await bus.publish('greetings', { hello: true }, {})).seq).toBe(1);
  await bus.close();
});

test('rejects the bus without its CA', async () => {
  await expect(connectBus(readConfig(environment(false)).bus, 'test', 1_500)).rejects.toThrow(/certificate/);
});
