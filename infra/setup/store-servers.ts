import { setTimeout as sleep } from 'node:timers/promises';
import { PermanentError } from '../../shared/core/errors.ts';

/** Parts of `mc admin info --json`. A server that is starting has fewer fields. */
interface StoreInfo {
  readonly info: { readonly servers?: readonly Server[] };
}

interface Server {
  /** `host:port`. */
  readonly endpoint: string;
  readonly state: string;
  /** States of all servers as this server sees them, by `host:port`. */
  readonly network?: Readonly<Record<string, string>>;
  readonly drives?: readonly { readonly endpoint: string; readonly state: string }[];
}

const POLL_INTERVAL_MS = 1_000;
const PROBE_TIMEOUT_MS = 5_000;

/**
 * Waits until every server of the store can receive access keys: online, connected to the others, with its drives and with its own
 * access keys loaded. MinIO announces a new key to its other servers once; a server that is starting then misses it and rejects the
 * key until it reloads all keys, up to ten minutes later.
 * @param readInfo Returns the output of `mc admin info --json`.
 * @throws PermanentError `store-servers-offline`.
 */
export async function waitForStoreServers(
  readInfo: () => Promise<string>,
  { protocol, timeoutMs }: { protocol: string; timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const problems = await findProblems(readInfo, protocol);
    if (problems.length === 0) return;
    if (performance.now() > deadline)
      throw new PermanentError(
        'store-servers-offline',
        `access keys were not written: within ${timeoutMs / 1_000} s the store did not report all servers and drives online (${problems.join(', ')}); start or replace them, then run set-up again`,
      );
    await sleep(POLL_INTERVAL_MS);
  }
}

async function findProblems(readInfo: () => Promise<string>, protocol: string): Promise<string[]> {
  const servers = await readInfo().then(
    (text) => (JSON.parse(text) as StoreInfo).info.servers ?? [],
    (error: unknown) => String(error),
  );
  if (typeof servers === 'string') return [servers];
  if (servers.length === 0) return ['the store reported no server'];
  // A single server has no peers to inform, and its address may differ for clients.
  const [, ...others] = servers;
  const probes = others.length === 0 ? [] : servers.map(({ endpoint }) => probe(`${protocol}//${endpoint}`));
  return [...servers.flatMap(offlineParts), ...(await Promise.all(probes)).flat()];
}

function offlineParts({ endpoint, state, network = {}, drives = [] }: Server): string[] {
  return [
    ...(state === 'online' ? [] : [`server ${endpoint}: ${state}`]),
    ...Object.entries(network).flatMap(([peer, seen]) => (seen === 'online' ? [] : [`${peer} as seen by ${endpoint}: ${seen}`])),
    ...drives.flatMap((drive) => (drive.state === 'ok' ? [] : [`drive ${drive.endpoint}: ${drive.state}`])),
  ];
}

/** MinIO's `cluster` page succeeds only after the server has loaded its access keys, unlike the state `online`. */
async function probe(server: string): Promise<string[]> {
  const options = { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) };
  return fetch(`${server}/minio/health/cluster`, options).then(
    ({ ok, status }) => (ok ? [] : [`${server}: status ${status}`]),
    (error: unknown) => [`${server}: ${String(error)}`],
  );
}
