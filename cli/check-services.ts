import { isRunning } from '../infra/identity.ts';
import type { InstanceRecord } from '../infra/instance.ts';
import { serviceNames } from '../infra/services.ts';
import type { Graph } from '../shared/graph.ts';
import { bad, check, ok, warn, type Check } from './checks.ts';
import { join } from 'node:path';

const GROUP = 'services';

/** Milliseconds that a service may take to say how it is. */
const ANSWER = 3_000;

/** Every service of the local instance. */
export async function checkServices(instance: InstanceRecord | undefined, graph: Graph): Promise<Check[]> {
  if (!instance)
    return [warn(GROUP, 'instance', 'none on this machine', 'the servers come from the environment; services are not looked at')];
  const state =
    instance.state === 'ready'
      ? ok(GROUP, 'instance', `ready, in ${instance.dataDir}`)
      : warn(GROUP, 'instance', instance.state, 'wait a moment');
  return [state, ...(await Promise.all(serviceNames(graph).map((name) => checkService(instance, name))))];
}

function checkService({ processes, dataDir }: InstanceRecord, name: string): Promise<Check> {
  const log = join(dataDir, 'logs', `${name}.log`);
  return check(GROUP, name, `see ${log}`, async () => {
    const running = processes.filter((process) => process.name === name && isRunning(process));
    const [first] = running;
    if (!first) return bad(GROUP, name, 'not running', `see ${log}; npx fave down and npm start start it again`);
    if (first.http === undefined) return warn(GROUP, name, 'starting', 'wait a moment');
    const { status } = await fetch(`http://127.0.0.1:${first.http}/healthz`, { signal: AbortSignal.timeout(ANSWER) });
    return status === 200
      ? `running${running.length > 1 ? ` × ${running.length}` : ''}`
      : bad(GROUP, name, `answers ${status}`, `see ${log}`);
  });
}
