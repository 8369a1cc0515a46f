import { storePolicies } from '../../infra/access/policies.ts';
import { readSecrets } from '../../infra/access/secrets.ts';
import type { InstanceRecord } from '../../infra/instance/record.ts';
import { findRefusedRoles } from '../../infra/setup/access.ts';
import { connectBus } from '../../shared/bus/connection.ts';
import type { Config } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { bad, check, ok, type Check } from './check.ts';

const FIX = 'stop FAVE with ./fave down and run npm start, which sets the access of every role';

/** Timeout for the connection of a role to the bus, in milliseconds. */
const CONNECT_TIMEOUT_MS = 3_000;

/** Checks that the servers of a local instance accept the credentials of every role. */
export async function checkAccess({ dataDir, own }: InstanceRecord, config: Config, graph: Graph): Promise<Check[]> {
  const secrets = await readSecrets(dataDir);
  if (!secrets) return [];
  const checkRoles = (group: string, name: string, roles: readonly string[], findRefused: () => Promise<string[]>) =>
    check(group, name, FIX, async () => {
      const refused = await findRefused();
      if (refused.length === 0) return ok(group, name, `${roles.length} roles`);
      return bad(group, name, `${refused.join(', ')} cannot sign in: requests do not end`, FIX);
    });
  const storeRoles = Object.keys(storePolicies(graph, config.store.bucket));
  const busUsers = Object.keys(secrets.bus);
  return Promise.all([
    ...(own.store
      ? [checkRoles('store', 'access', storeRoles, () => findRefusedRoles(config.store, storeRoles, secrets.store))]
      : []),
    ...(own.bus ? [checkRoles('bus', 'access', busUsers, () => findRefusedUsers(config, secrets.bus))] : []),
  ]);
}

async function findRefusedUsers({ bus }: Config, passwords: Readonly<Record<string, string>>): Promise<string[]> {
  const refused = await Promise.all(
    Object.entries(passwords).map(async ([user, password]) => {
      const connection = await connectBus({ ...bus, user, password }, 'doctor', CONNECT_TIMEOUT_MS).catch(() => undefined);
      await connection?.close();
      return connection ? [] : [user];
    }),
  );
  return refused.flat();
}
