import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../shared/config/config.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { setUpInstance, withAdmin } from '../setup/admin.ts';
import { checkNotifications } from '../setup/notification-check.ts';
import { createInstanceRecorder } from './instance-recorder.ts';
import { startServers, stopInOrder, type Servers } from './servers.ts';
import { findExternalServers } from '../access/environment.ts';
import { closeDataDir, closeNewFiles } from '../process/data-dir.ts';
import { withLock } from '../process/lock.ts';
import { assertFree } from '../deployment/ports.ts';
import { groupServices } from '../deployment/services.ts';
import { programsDir, readInstance, type InstanceRecord } from '../instance/record.ts';
import { root } from '../process/paths.ts';
import { reportStep } from '../process/progress.ts';
import { createInstanceScaler } from './scaling.ts';
import type { LaunchOptions } from './options.ts';
import { provideSpeech } from './speech.ts';
import { serviceSpec } from './service-spec.ts';
import { ensureServers } from '../servers/install.ts';
import { ensurePackages } from '../servers/packages.ts';
import { supervise, type SupervisedProcess } from '../process/supervisor.ts';
import { removeInstanceOrphans } from './remove-orphans.ts';

export interface RunningInstance {
  readonly record: InstanceRecord;
  readonly servers: Servers;
  /** Starts another service of the instance in its own process and waits until it is ready. */
  startService(name: string, env?: Readonly<Record<string, string>>): Promise<SupervisedProcess>;
  /** Stops the services, then the servers, and keeps the data. */
  stop(): Promise<void>;
}

/** Timeout for the canary object, in milliseconds: that for the start of the relay, which announces it. */
const CANARY_TIMEOUT_MS = 60_000;

/**
 * Starts an instance: servers, set-up, services. Returns when the notification of a canary object has arrived.
 * If a step fails, everything that was started is stopped.
 * @throws PermanentError `foreign-data-directory`, `already-running`, `port-taken`, `packages-missing`, `go-missing`, `not-ready`, `notifications-lost`, …
 */
export async function launch(options: LaunchOptions): Promise<RunningInstance> {
  await closeDataDir(options.dataDir);
  // Without the lock, two launchers at the same time would both find no running instance.
  return withLock(
    join(options.dataDir, 'launch.lock'),
    () => boot(options),
    () => {
      options.progress(`waiting for another process that starts the instance in ${options.dataDir} …`);
    },
  );
}

async function boot(request: LaunchOptions): Promise<RunningInstance> {
  const { dataDir, ports, graph, progress, signal, regime } = request;
  if (await readInstance(dataDir)) throw new PermanentError('already-running', `an instance is already running in ${dataDir}`);
  await removeInstanceOrphans(dataDir);
  if (request.services.length > 0) await ensurePackages(progress);
  const failure = new AbortController();
  const [programs, speech] = await Promise.all([
    ensureServers(progress),
    request.services.includes('stage-deepspeech')
      ? provideSpeech({ ...request, signal: AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]) })
      : {},
  ]).catch((error: unknown) => {
    failure.abort();
    throw error;
  });
  signal?.throwIfAborted();
  // After the builds above, which other users of the machine may run.
  closeNewFiles();
  const env = { ...request.env, ...speech };
  const options = { ...request, env };
  const external = findExternalServers(env);
  await assertFree({
    ...(!external.store && { minio: ports.minio, console: ports.console }),
    ...(!external.bus && { nats: ports.nats, monitor: ports.monitor }),
  });

  await linkPrograms(programsDir(dataDir), { fave: join(root, 'fave'), mc: programs.mc, nats: programs.nats });
  const servers = await reportStep(progress, 'started MinIO and NATS', () => startServers({ ...options, programs }));
  const processes: SupervisedProcess[] = [];
  const onChange = (): void => {
    recorder.update();
  };
  const scaler = regime && createInstanceScaler(options, regime, servers, onChange);
  const recorder = createInstanceRecorder(options, servers, () => [...processes, ...(scaler?.running() ?? [])]);
  const stop = async (): Promise<void> => {
    await recorder.setState('stopping');
    const stopped = await Promise.allSettled([
      ...processes.map((each) => each.stop()),
      scaler?.stop(readConfig(env).graceSeconds * 1_000),
    ]);
    await stopInOrder(servers.processes);
    await rm(join(dataDir, 'instance.json'), { force: true });
    throwFirst(stopped);
  };
  const start = async (
    services: readonly [string, ...string[]],
    overrides: Readonly<Record<string, string>> = {},
  ): Promise<SupervisedProcess> => {
    const serviceEnv = { ...env, ...overrides };
    const spec = serviceSpec(services, { dataDir, environmentOf: servers.environmentOf, env: serviceEnv });
    const graceMs = (readConfig(serviceEnv).graceSeconds + 5) * 1_000;
    const supervised = await supervise(spec, { progress, onChange, graceMs });
    processes.push(supervised);
    recorder.update();
    return supervised;
  };
  try {
    await recorder.setState('starting');
    await reportStep(progress, 'set up bucket, streams and accounts', () => setUpInstance(options, servers, programs.mc));
    signal?.throwIfAborted();
    const scaled = new Set(regime ? graph.stages.map(({ name }) => name) : []);
    const unscaled = options.services.filter((name) => !scaled.has(name));
    // A regime measures processes; a tracer provider is one per process.
    const groups = groupServices(unscaled, { share: regime === undefined && !readConfig(env).tracing.on });
    // MinIO polls its queued target every three seconds: the services start in that time.
    const relay = options.services.includes('relay');
    const started = reportStep(progress, `started ${options.services.length} services`, async () => {
      throwFirst(await Promise.allSettled([...groups.map((group) => start(group)), scaler?.start()]));
    });
    const checked = reportStep(progress, 'checked that the store announces uploads', () =>
      withAdmin(servers, (store, bus) => checkNotifications({ store, bus, timeoutMs: CANARY_TIMEOUT_MS, relay })),
    );
    throwFirst(await Promise.allSettled([started, checked]));
    await recorder.setState('ready');
  } catch (error) {
    await stop();
    throw error;
  }
  return { record: recorder.current(), servers, startService: (name, overrides) => start([name], overrides), stop };
}

/** Links the programs that a user of the instance needs into one directory, which `fave env` puts on PATH. */
async function linkPrograms(dir: string, programs: Readonly<Record<string, string>>): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  for (const [name, path] of Object.entries(programs)) await symlink(path, join(dir, name));
}

/** Throws the first rejection, after all results are known. */
function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
