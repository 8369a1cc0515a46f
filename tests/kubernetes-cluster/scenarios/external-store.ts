import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig, type StoreConfig } from '../../../shared/config/config.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { run } from '../../support/docker/run.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { startProcess, waitUntilReady, type RunningProcess } from '../../../infra/process/process.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { addField, kubectl, readNodeAddress, overlayDir, runDir, type OverlayChanges } from '../cluster/kubectl.ts';
import { findTestVideo } from '../cluster/media.ts';
import { install, type System } from '../cluster/system.ts';
import { assertAllWorked, recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** The port that the network policy allows. */
const HTTPS = 443;

const AUTHORITY = 'store.pem';

/** Directory of the certificate authority in containers. */
const MOUNT = '/etc/fave-store';

/** Starts a MinIO outside the cluster, with HTTPS, its own certificate authority and no notification targets. */
async function startStore(): Promise<{ config: StoreConfig; server: RunningProcess }> {
  const dir = join(runDir, 'external-store');
  const certificates = join(dir, 'certificates');
  await mkdir(certificates, { recursive: true });
  await mkdir(overlayDir, { recursive: true });
  const host = await readNodeAddress();
  const name = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=IP:${host}`];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(certificates, 'private.key')];
  await run('openssl', ['req', '-x509', '-days', '2', ...name, ...keys, '-out', join(certificates, 'public.crt')]);
  const ca = join(overlayDir, AUTHORITY);
  await copyFile(join(certificates, 'public.crt'), ca);
  const { minio } = await ensureServers(() => undefined);
  const [accessKey, secretKey] = ['external', 'external-secret'];
  const server = await startProcess({
    name: 'minio',
    command: minio,
    args: ['server', join(dir, 'objects'), '--address', `${host}:${HTTPS}`, '--certs-dir', certificates],
    env: { HOME: dir, MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_UPDATE: 'off', MINIO_BROWSER: 'off' },
    cwd: dir,
    log: join(runDir, 'log', 'external-minio.log'),
  });
  // curl, because this process does not trust the store's certificate authority.
  const request = ['-fsS', '--cacert', ca, `https://${host}/minio/health/ready`];
  await waitUntilReady(server, 30_000, () => run('curl', request).then(() => true));
  const config = { ...readConfig({}).store, endpoint: `https://${host}`, accessKey, secretKey, ca };
  return { config, server };
}

/** Returns the settings of an external store in an overlay: its address and its certificate authority. */
function overlayChanges({ endpoint, region, pathStyle }: StoreConfig): OverlayChanges {
  const literals = [
    `ARTIFACT_ENDPOINT=${endpoint}`,
    `ARTIFACT_REGION=${region}`,
    `ARTIFACT_PATH_STYLE=${pathStyle}`,
    `ARTIFACT_CA=${MOUNT}/${AUTHORITY}`,
  ];
  const name = 'store-authority';
  return {
    configMapGenerator: [
      { name: 'environment', namespace: NAMESPACE, behavior: 'merge', literals },
      { name, namespace: NAMESPACE, files: [AUTHORITY] },
    ],
    patches: [
      addField('Deployment|Job', '/spec/template/spec/volumes/-', { name, configMap: { name } }),
      addField('Deployment|Job', '/spec/template/spec/containers/0/volumeMounts/-', { name, mountPath: MOUNT, readOnly: true }),
    ],
  };
}

/** Installs FAVE with an external store. @param mc Path of the `mc` program. */
export async function installOnExternalStore(graph: Graph, mc: string): Promise<System> {
  const { config, server } = await startStore();
  try {
    const system = await install(graph, 'external-store', mc, { changes: overlayChanges(config), store: config });
    return { ...system, close: () => system.close().finally(() => server.stop(10_000)) };
  } catch (error) {
    await server.stop(10_000);
    throw error;
  }
}

/** Checks that a video in an external store is found by a sweep and processed. */
export const externalStore: Scenario = async (system, graph, report) => {
  const servers = await kubectl(['-n', NAMESPACE, 'get', 'statefulsets', '-o', 'jsonpath={.items[*].metadata.name}']);
  if (servers !== 'nats') throw new Error(`the cluster runs ${servers}, not only nats`);
  return recordScenario(system, graph, async ({ recording, events }) => {
    const begun = recording.now();
    await system.submit('elsewhere', findTestVideo('walk-and-talk.mp4'));
    await events.completed(['elsewhere'], 900);
    const completed = recording.now();
    report(`completed after ${(completed - begun).toFixed(1)} s`);
    assertAllWorked(graph, events);
    const about = 'one video of 54 s in a store outside the cluster, found by a sweep';
    return timelineOf(graph, recording, events, { about, overlay: 'external-store', requests: 1, begun, completed });
  });
};
