import type { Servers } from './servers.ts';
import { findExternalServers } from '../access/environment.ts';
import { identityOf } from '../process/identity.ts';
import type { LaunchOptions } from './options.ts';
import { writeRecord, type InstanceRecord, type ProcessRecord } from '../instance/record.ts';
import type { SupervisedService } from '../process/supervisor.ts';

/** Keeps an instance's record up to date. */
export interface InstanceRecorder {
  current(): InstanceRecord;
  /** Writes the record anew, after a process was started or became ready. */
  update(): void;
  /** Sets the state and waits until it is written. */
  is(state: InstanceRecord['state']): Promise<void>;
}

/** @param services Those that run at the moment. */
export function createInstanceRecorder(
  { dataDir, ports, env, regime }: LaunchOptions,
  { store, bus, processes }: Servers,
  services: () => readonly SupervisedService[],
): InstanceRecorder {
  const given = findExternalServers(env);
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
    own: { store: !given.store, bus: !given.bus },
    processes: [...processes.map(({ name, pid }) => ({ name, ...identityOf(pid) })), ...services().flatMap(processRecord)],
  });
  const update = (): void => {
    writing = writing.then(() => writeRecord(current())).catch(() => undefined);
  };
  return {
    current,
    update,
    is: async (next: InstanceRecord['state']): Promise<void> => {
      state = next;
      update();
      await writing;
    },
  };
}

function processRecord(service: SupervisedService): ProcessRecord[] {
  const { name, current, http } = service;
  const running = current();
  const port = http();
  return running ? [{ name, ...identityOf(running.pid), ...(port !== undefined && { http: port }) }] : [];
}
