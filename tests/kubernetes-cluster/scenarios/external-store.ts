import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig, type StoreConfig } from '../../../shared/config/config.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { run } from '../../../infra/compose/run.ts';
import { NAMESPACE } from '../../../infra/kubernetes/names.ts';
import { startProcess, waitUntilReady, type RunningProcess } from '../../../infra/process/process.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { addition, kubectl, nodeAddress, overlayDir, runDir, type Adaptation } from '../cluster/kubectl.ts';
import { medium } from '../cluster/media.ts';
import { install, type System } from '../cluster/system.ts';
import { assertAllWorked, recordScenario, timelineOf, type Scenario } from './scenario-report.ts';

/** The port that the network policy lets services out to. */
const HTTPS = 443;

const AUTHORITY = 'store.pem';

/** Where containers find the certificate of the store's authority. */
const MOUNT = '/etc/fave-store';

/** An S3 of somebody else's: outside the cluster, by HTTPS with an authority of its own, and with nowhere to announce to. */
async function startStore(): Promise<{ config: StoreConfig; server: RunningProcess }> {
  const dir = join(runDir, 'somebody-elses');
  const certificates = join(dir, 'certificates');
  await mkdir(certificates, { recursive: true });
  await mkdir(overlayDir, { recursive: true });
  const host = await nodeAddress();
  const name = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=IP:${host}`];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(certificates, 'private.key')];
  await run('openssl', ['req', '-x509', '-days', '2', ...name, ...keys, '-out', join(certificates, 'public.crt')]);
  const ca = join(overlayDir, AUTHORITY);
  await copyFile(join(certificates, 'public.crt'), ca);
  const { minio } = await ensureServers(() => undefined);
  const [accessKey, secretKey] = ['somebody', 'somebody-elses-secret'];
  const server = await startProcess({
    name: 'minio',
    command: minio,
    args: ['server', join(dir, 'objects'), '--address', `${host}:${HTTPS}`, '--certs-dir', certificates],
    env: { HOME: dir, MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_UPDATE: 'off', MINIO_BROWSER: 'off' },
    cwd: dir,
    log: join(runDir, 'log', 'somebody-elses-minio.log'),
  });
  // By curl: this process does not trust the store's authority.
  const asked = ['-fsS', '--cacert', ca, `https://${host}/minio/health/ready`];
  await waitUntilReady(server, 30_000, () => run('curl', asked).then(() => true));
  const config = { ...readConfig({}).store, endpoint: `https://${host}`, accessKey, secretKey, ca };
  return { config, server };
}

/** What a person sets for a store of their own: its address, and whom to trust. */
function adaptation({ endpoint, region, pathStyle }: StoreConfig): Adaptation {
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
      addition('Deployment|Job', '/spec/template/spec/volumes/-', { name, configMap: { name } }),
      addition('Deployment|Job', '/spec/template/spec/containers/0/volumeMounts/-', { name, mountPath: MOUNT, readOnly: true }),
    ],
  };
}

/** FAVE in the cluster, its objects in a store that is not. @param mc The `mc` program. */
export async function installOnExternalStore(graph: Graph, mc: string): Promise<System> {
  const { config, server } = await startStore();
  try {
    const system = await install(graph, 'external-store', mc, { adaptation: adaptation(config), store: config });
    return { ...system, close: () => system.close().finally(() => server.stop(10_000)) };
  } catch (error) {
    await server.stop(10_000);
    throw error;
  }
}

/** A video in a store of somebody else's is found by looking, and analysed. */
export const externalStore: Scenario = async (system, graph, say) => {
  const servers = await kubectl(['-n', NAMESPACE, 'get', 'statefulsets', '-o', 'jsonpath={.items[*].metadata.name}']);
  if (servers !== 'nats') throw new Error(`the cluster runs ${servers}, not only the bus`);
  return recordScenario(system, graph, async ({ recording, events }) => {
    const begun = recording.now();
    await system.submit('elsewhere', medium('walk-and-talk.mp4'));
    await events.completed(['elsewhere'], 900);
    const completed = recording.now();
    say(`completed after ${(completed - begun).toFixed(1)} s`);
    assertAllWorked(graph, events);
    const about = 'one video of 54 s in a store outside the cluster, found by looking';
    return timelineOf(graph, recording, events, { about, overlay: 'external-store', requests: 1, begun, completed });
  });
};
