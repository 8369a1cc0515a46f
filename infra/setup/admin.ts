import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import { readConfig, type BusConfig, type StoreConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import { createStoreAdmin, type StoreAdmin } from '../../shared/store/s3/admin.ts';
import type { Environment } from '../access/environment.ts';
import type { Policy } from '../access/policies.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { setUpAccess } from './access.ts';
import { setUp } from './setup.ts';

/** Servers that are set up, with the connection settings of an administrator. */
export interface AdminServers {
  readonly store: StoreConfig;
  readonly bus: BusConfig;
  /** Access keys to create, by role; undefined for an external store, whose keys are left alone. */
  readonly access:
    { readonly policies: Readonly<Record<string, Policy>>; readonly secrets: Readonly<Record<string, string>> } | undefined;
}

interface SetUpInstanceOptions {
  readonly graph: Graph;
  readonly env: Environment;
  readonly progress: ProgressReporter;
}

/** Sets up the servers of an instance: streams, consumers, bucket and access keys. @param mc Path of the `mc` program. */
export async function setUpInstance(
  { graph, env, progress }: SetUpInstanceOptions,
  servers: AdminServers,
  mc: string,
): Promise<void> {
  const { ackWaitSeconds, streamReplicas, retentionDays, eventSource } = readConfig(env);
  const changes = await withAdmin(servers, async (_, bus, storeAdmin) => {
    const made = await setUp({ storeAdmin, bus, graph, ackWaitSeconds, streamReplicas, retentionDays, eventSource });
    if (!servers.access) return made;
    return [...made, ...(await setUpAccess({ mc, store: servers.store, storeAdmin, ...servers.access }))];
  });
  if (changes.length > 0)
    progress(`set-up: ${changes.length} changes (${changes.slice(0, 2).join(', ')}${changes.length > 2 ? ', …' : ''})`);
}

/** Runs `work` with the connections of an administrator and closes them. */
export async function withAdmin<T>(
  servers: Pick<AdminServers, 'store' | 'bus'>,
  work: (store: Store, bus: Bus, storeAdmin: StoreAdmin) => Promise<T>,
): Promise<T> {
  const [store, storeAdmin] = [createStore(servers.store), createStoreAdmin(servers.store)];
  try {
    const bus = await connectBus(servers.bus, 'set-up');
    try {
      return await work(store, bus, storeAdmin);
    } finally {
      await bus.close();
    }
  } finally {
    store.close();
    storeAdmin.close();
  }
}
