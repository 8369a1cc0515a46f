import { isRunning } from '../../infra/process/identity.ts';
import type { InstanceRecord } from '../../infra/instance/instance.ts';
import { regimeSettings } from '../../infra/deployment/regimes.ts';
import { serviceNames } from '../../infra/deployment/services.ts';
import type { StageScaling } from '../../schemas/generated/types.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { bad, check, ok, warn, type Check } from './check.ts';
import { join } from 'node:path';

const GROUP = 'services';

/** Timeout for a health request, in milliseconds. */
const HEALTH_TIMEOUT_MS = 3_000;

/** Checks the services of the local instance. */
export async function checkServices(instance: InstanceRecord | undefined, graph: Graph): Promise<Check[]> {
  if (!instance)
    return [warn(GROUP, 'instance', 'none on this machine', 'the environment names the servers; services are not checked')];
  const state =
    instance.state === 'ready'
      ? ok(GROUP, 'instance', `ready${instance.regime ? `, ${instance.regime}` : ''}, in ${instance.dataDir}`)
      : warn(GROUP, 'instance', instance.state, 'wait until it is ready');
  const scaling = instance.regime ? regimeSettings(instance.regime, graph).stages : {};
  const services = serviceNames(graph).map((name) => checkService(instance, name, scaling[name]));
  return [state, ...(await Promise.all(services))];
}

/** @param scaling Scaling of a stage under a regime. */
function checkService({ processes, dataDir }: InstanceRecord, name: string, scaling?: StageScaling): Promise<Check> {
  const running = processes.filter((process) => process.name === name && isRunning(process));
  const log = running[0]?.log ?? join(dataDir, 'logs');
  return check(GROUP, name, `see ${log}`, async () => {
    const first = running.find(({ http }) => http !== undefined) ?? running[0];
    if (!first && scaling?.min === 0) return ok(GROUP, name, 'scaled to zero');
    if (!first) return bad(GROUP, name, 'not running', `see ${log}; restart with ./fave down and npm start`);
    if (first.http === undefined) return warn(GROUP, name, 'starting', 'wait until it is ready');
    const { status } = await fetch(`http://127.0.0.1:${first.http}/healthz`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    return status === 200
      ? `running${running.length > 1 ? ` × ${running.length}` : ''}`
      : bad(GROUP, name, `health check returned ${status}`, `see ${log}`);
  });
}
