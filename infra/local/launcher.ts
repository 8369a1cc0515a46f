import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../shared/config/config.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { setUpInstance, withAdmin } from '../setup/admin.ts';
import { checkNotifications } from '../setup/notification-check.ts';
import { createInstanceRecorder } from './instance-recorder.ts';
import { startServers, stopInOrder, type Servers } from './servers.ts';
import { findExternalServers } from '../access/environment.ts';
import { withLock } from '../process/lock.ts';
import { assertFree } from '../deployment/ports.ts';
import { programsDir, readInstance, type InstanceRecord } from '../instance/record.ts';
import { root } from '../process/paths.ts';
import { reportStep } from '../process/progress.ts';
import { createInstanceScaler } from './scaling.ts';
import type { LaunchOptions } from './options.ts';
import { serviceSpec } from './service-spec.ts';
import { ensureServers } from '../servers/install.ts';
import { ensurePackages } from '../servers/packages.ts';
import { supervise, type SupervisedService } from '../process/supervisor.ts';
import { removeInstanceOrphans } from './remove-orphans.ts';

export interface RunningInstance {
  readonly record: InstanceRecord;
  readonly servers: Servers;
  /** Starts another service of the instance and waits until it is ready. */
  startService(name: string, env?: Readonly<Record<string, string>>): Promise<SupervisedService>;
  /** Stops everything that was started, services first, and leaves the data. */
  stop(): Promise<void>;
}

/** Milliseconds that the canary may take: the queued target is polled every three seconds. */
const CANARY = 20_000;

/**
 * Boots an instance: servers, set-up, services; returns when a canary object has travelled the whole way of an event.
 * What was started is stopped again when a later step fails.
 * @throws PermanentError `already-running`, `port-taken`, `packages-missing`, `go-missing`, `not-ready`, `notifications-lost`, …
 */
export function launch(options: LaunchOptions): Promise<RunningInstance> {
  // Two at once would both find nobody there.
  return withLock(
    join(options.dataDir, 'launch.lock'),
    () => boot(options),
    () => {
      options.progress(`waiting for another process that starts the instance in ${options.dataDir} …`);
    },
  );
}

async function boot(options: LaunchOptions): Promise<RunningInstance> {
  const { dataDir, ports, graph, env, progress, signal, regime } = options;
  if (await readInstance(dataDir)) throw new PermanentError('already-running', `an instance runs in ${dataDir} already`);
  await removeInstanceOrphans(dataDir);
  if (options.services.length > 0) await ensurePackages(progress);
  const programs = await ensureServers(progress);
  signal?.throwIfAborted();
  const given = findExternalServers(env);
  await assertFree({
    ...(!given.store && { minio: ports.minio, console: ports.console }),
    ...(!given.bus && { nats: ports.nats, monitor: ports.monitor }),
  });

  await linkPrograms(programsDir(dataDir), { fave: join(root, 'fave'), mc: programs.mc, nats: programs.nats });
  const servers = await reportStep(progress, 'started MinIO and NATS', () => startServers({ ...options, programs }));
  const services: SupervisedService[] = [];
  const changed = (): void => {
    diary.update();
  };
  const scaler = regime && createInstanceScaler(options, regime, servers, changed);
  const diary = createInstanceRecorder(options, servers, () => [...services, ...(scaler?.running() ?? [])]);
  const stop = async (): Promise<void> => {
    await diary.is('stopping');
    const stopped = await Promise.allSettled([
      ...services.map((service) => service.stop()),
      scaler?.stop(readConfig(env).grace * 1_000),
    ]);
    await stopInOrder(servers.processes);
    await rm(join(dataDir, 'instance.json'), { force: true });
    throwFirst(stopped);
  };
  const startService = async (name: string, more: Readonly<Record<string, string>> = {}): Promise<SupervisedService> => {
    const { grace } = readConfig({ ...env, ...more });
    const spec = serviceSpec(name, { dataDir, environment: servers.environmentOf(name), env: { ...env, ...more } });
    const service = await supervise(spec, { progress, changed, grace: (grace + 5) * 1_000 });
    services.push(service);
    diary.update();
    return service;
  };
  try {
    await diary.is('starting');
    await reportStep(progress, 'set up bucket, streams and accounts', () => setUpInstance(options, servers, programs.mc));
    signal?.throwIfAborted();
    const scaled = new Set(regime ? graph.stages.map(({ name }) => name) : []);
    const once = options.services.filter((name) => !scaled.has(name));
    await reportStep(progress, `started ${options.services.length} services`, async () => {
      throwFirst(await Promise.allSettled([...once.map((name) => startService(name)), scaler?.start()]));
    });
    signal?.throwIfAborted();
    await reportStep(progress, 'checked that the store announces uploads', () =>
      withAdmin(servers, (store, bus) =>
        checkNotifications({ store, bus, deadline: CANARY, relay: options.services.includes('relay') }),
      ),
    );
    await diary.is('ready');
  } catch (error) {
    await stop();
    throw error;
  }
  return { record: diary.current(), servers, startService, stop };
}

/** Links the programs that a user of the instance needs into one directory, which `fave env` puts on PATH. */
async function linkPrograms(dir: string, programs: Readonly<Record<string, string>>): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  for (const [name, path] of Object.entries(programs)) await symlink(path, join(dir, name));
}

/** What failed first of what was waited for to its end. */
function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
