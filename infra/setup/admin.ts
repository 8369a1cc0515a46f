import { connectBus, type Bus } from '../../shared/bus/connection.ts';
import { readConfig } from '../../shared/config/config.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import type { Servers } from '../local/servers.ts';
import type { LaunchOptions } from '../local/launcher.ts';
import { setUp } from './setup.ts';
import { setUpAccess } from './access.ts';

/** Sets up whatever an instance's services stand on. @param mc The `mc` program. */
export async function setUpInstance(
  { graph, env, progress }: Pick<LaunchOptions, 'graph' | 'env' | 'progress'>,
  foundation: Pick<Servers, 'store' | 'bus' | 'access'>,
  mc: string,
): Promise<void> {
  const { ackWait, replicas, retentionDays, events } = readConfig(env);
  const changes = await withAdmin(foundation, async (store, bus) => {
    const made = await setUp({ store, bus, graph, ackWait, replicas, retentionDays, events });
    if (!foundation.access) return made;
    const { endpoint, accessKey, secretKey } = foundation.store;
    return [
      ...made,
      ...(await setUpAccess({ mc, endpoint, store, rootUser: accessKey, rootPassword: secretKey, ...foundation.access })),
    ];
  });
  if (changes.length > 0)
    progress(`set-up: ${changes.length} changes (${changes.slice(0, 2).join(', ')}${changes.length > 2 ? ', …' : ''})`);
}

/** Runs `work` with an administrator's connections. */
export async function withAdmin<T>(
  foundation: Pick<Servers, 'store' | 'bus'>,
  work: (store: Store, bus: Bus) => Promise<T>,
): Promise<T> {
  const store = createStore(foundation.store);
  try {
    const bus = await connectBus(foundation.bus, 'set-up');
    try {
      return await work(store, bus);
    } finally {
      await bus.close();
    }
  } finally {
    store.close();
  }
}
