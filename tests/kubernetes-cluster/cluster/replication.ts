import type { Bus } from '../../../shared/bus/connection.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { serverCounts } from '../../../infra/kubernetes/names.ts';
import type { System } from './system.ts';

interface StoreInfo {
  readonly info: {
    readonly backend: { readonly backendType: string; readonly onlineDisks: number; readonly standardSCParity: number };
    readonly servers: readonly { readonly state: string }[];
  };
}

/** Returns the streams that lack current replicas, and the state of the store if a server or drive is not online. */
export async function findMissingReplicas({ mc }: System, { manager }: Bus): Promise<string[]> {
  const { info } = JSON.parse(await mc('admin', 'info', '--json', 'fave')) as StoreInfo;
  const { backend, servers } = info;
  const store = [backend.backendType, backend.standardSCParity, backend.onlineDisks, servers.filter(isOnline).length].join(' ');
  const expected = ['Erasure', serverCounts.store / 2, serverCounts.store, serverCounts.store].join(' ');
  const bus = Object.values(streams).map(async (name) => {
    const { config, cluster } = await manager.streams.info(name);
    const current = (cluster?.replicas ?? []).filter((replica) => replica.current).length + 1;
    return config.num_replicas === serverCounts.bus && current === serverCounts.bus
      ? []
      : [`${name}: ${current} of ${config.num_replicas} replicas`];
  });
  return [...(store === expected ? [] : [`store: ${store}, not ${expected}`]), ...(await Promise.all(bus)).flat()];
}

const isOnline = ({ state }: { readonly state: string }): boolean => state === 'online';

/** Returns the ETag of each artifact of a request by key. Equal inputs and options give equal ETags. */
export async function readArtifactEtags({ mc, admin }: System, id: string): Promise<Record<string, string>> {
  const text = await mc('ls', '--recursive', '--json', `fave/${admin.store.bucket}/requests/${id}/`);
  const objects = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; etag: string });
  return Object.fromEntries(objects.flatMap(({ key, etag }) => (key.startsWith('metadata/') ? [] : [[key, etag]])));
}
