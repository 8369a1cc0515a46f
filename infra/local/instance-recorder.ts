import { findExternalServers } from '../access/environment.ts';
import { NO_MODEL } from '../../shared/models/find-model.ts';
import { writeRecord, type InstanceRecord, type ProcessRecord } from '../instance/record.ts';
import { identityOf } from '../process/identity.ts';
import type { SupervisedProcess } from '../process/supervisor.ts';
import type { LaunchOptions } from './options.ts';
import type { Servers } from './servers.ts';

/** Keeps the record of an instance up to date. */
export interface InstanceRecorder {
  current(): InstanceRecord;
  /** Rewrites the record after a process was started or became ready. */
  update(): void;
  /** Sets the state and waits until it is written. */
  setState(state: InstanceRecord['state']): Promise<void>;
}

/** @param running Returns the current service processes. */
export function createInstanceRecorder(
  { dataDir, ports, env, regime }: LaunchOptions,
  { store, bus, processes }: Servers,
  running: () => readonly SupervisedProcess[],
): InstanceRecorder {
  const external = findExternalServers(env);
  const { FAVE_WHISPER_MODEL: whisperModel } = env;
  const launcher = identityOf(process.pid);
  let state: InstanceRecord['state'] = 'starting';
  let writing = Promise.resolve();
  const current = (): InstanceRecord => ({
    launcher,
    state,
    dataDir,
    ...(regime && { regime }),
    ports,
    endpoint: store.endpoint,
    bucket: store.bucket,
    natsUrl: bus.servers.join(','),
    ...(whisperModel === NO_MODEL ? { isWhisperOff: true } : whisperModel && { whisperModel }),
    own: { store: !external.store, bus: !external.bus },
    processes: [...processes.map(({ name, pid }) => ({ name, ...identityOf(pid) })), ...running().flatMap(serviceRecords)],
  });
  const update = (): void => {
    writing = writing.then(() => writeRecord(current())).catch(() => undefined);
  };
  return {
    current,
    update,
    setState: async (next: InstanceRecord['state']): Promise<void> => {
      state = next;
      update();
      await writing;
    },
  };
}

/** Returns one record per service; services that share a process have the same pid. */
function serviceRecords({ services, current, http }: SupervisedProcess): ProcessRecord[] {
  const child = current();
  if (!child) return [];
  const common = { ...identityOf(child.pid), log: child.log };
  return services.map((name) => {
    const port = http(name);
    return { name, ...common, ...(port !== undefined && { http: port }) };
  });
}
