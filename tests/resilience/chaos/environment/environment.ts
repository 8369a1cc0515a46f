import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from '../../../../infra/local/launcher.ts';
import { kill } from '../../../../infra/process/process.ts';
import { freePorts } from '../../../../infra/deployment/ports.ts';
import { serviceSpec } from '../../../../infra/local/service-spec.ts';
import { serviceNames } from '../../../../infra/deployment/services.ts';
import { supervise, type SupervisedProcess } from '../../../../infra/process/supervisor.ts';
import { graph } from '../../../../services/pipeline.ts';
import { connectBus, type Bus } from '../../../../shared/bus/connection.ts';
import { createStoreAdmin, type StoreAdmin } from '../../../../shared/store/s3/admin.ts';
import { createStore, type Store } from '../../../../shared/store/store.ts';
import { runCleanups, type CleanUp } from '../../../../infra/process/clean-ups.ts';
import { mountSmallDisk } from './disk.ts';
import { createNetwork, type Network } from './network.ts';
import { createServerControl, type Server } from '../../../support/harness/server-control.ts';

/** A separate instance, all parts of which can fail. */
export interface ChaosEnvironment {
  readonly dataDir: string;
  /** Directory of the working directories. */
  readonly tmpdir: string;
  /** Whether it is on a separate small disk. */
  readonly smallDisk: boolean;
  /** Connections as administrator, which bypass the network proxy. */
  readonly store: Store;
  readonly storeAdmin: StoreAdmin;
  readonly bus: Bus;
  readonly nats: Server;
  readonly minio: Server;
  /** Services, which are restarted after an exit. */
  readonly services: readonly SupervisedProcess[];
  /** Proxy between the services and the store. */
  readonly network: Network;
}

/** Time without a heartbeat until redelivery, in seconds. It is short, so lost items are redelivered within the run. */
export const ACK_WAIT = 5;

/** Size of the small disk, in bytes. */
const DISK = 96 * 1024 ** 2;

/**
 * Starts an environment, runs `use`, and removes the environment, also on Ctrl-C.
 * @param options `hasSmallDisk`: whether the working directories are on a small disk, if this user may mount one.
 */
export async function withChaosEnvironment<T>(
  progress: (line: string) => void,
  { hasSmallDisk }: { readonly hasSmallDisk: boolean },
  use: (environment: ChaosEnvironment) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fave-chaos-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    FAVE_ACK_WAIT_SECONDS: String(ACK_WAIT),
    FAVE_LOG_LEVEL: 'info',
  };
  const ends: CleanUp[] = [() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 })];
  const interrupted = (): void => void runCleanups(ends).finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const launched = await launch({ dataDir, ports: await freePorts(), graph, services: [], env, progress });
    const { servers, record } = launched;
    ends.push(() => launched.stop());
    const pidOf = (name: string): number => servers.processes.find((server) => server.name === name)?.pid ?? 0;
    const [nats, minio] = [
      createServerControl('nats-server', pidOf('nats-server'), dataDir),
      createServerControl('minio', pidOf('minio'), dataDir),
    ];
    for (const server of [nats, minio]) ends.push(() => server.stop());

    const network = await createNetwork(record.ports.minio);
    ends.push(() => network.close());
    const items = join(dataDir, 'items');
    await mkdir(items);
    const disk = hasSmallDisk ? await mountSmallDisk(items, DISK) : undefined;
    if (disk) ends.push(disk.remove);

    const services: SupervisedProcess[] = [];
    ends.push(() => Promise.all(services.map((service) => stop(service))));
    const endpoint = { ARTIFACT_ENDPOINT: `http://127.0.0.1:${network.port}` };
    const environmentOf = (name: string): Record<string, string> => ({ ...servers.environmentOf(name), ...endpoint });
    for (const name of serviceNames(graph)) {
      const spec = serviceSpec([name], { dataDir, environmentOf, env: { ...env, FAVE_TMPDIR: items } });
      services.push(await supervise(spec, { progress, onChange: () => undefined, graceMs: 30_000 }));
    }
    const [store, storeAdmin] = [createStore(servers.store), createStoreAdmin(servers.store)];
    ends.push(() => [store, storeAdmin].forEach((each) => each.close()));
    const bus = await connectBus(servers.bus, 'chaos');
    ends.push(() => bus.close());
    return await use({
      dataDir,
      tmpdir: items,
      smallDisk: disk !== undefined,
      store,
      storeAdmin,
      bus,
      nats,
      minio,
      services,
      network,
    });
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await runCleanups(ends);
  }
}

/** Stops a process that may be suspended. */
async function stop(service: SupervisedProcess): Promise<void> {
  const pid = service.current()?.pid;
  if (pid !== undefined) kill(pid, 'SIGCONT');
  await service.stop();
}
