import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { kill } from '../../../infra/process/process.ts';
import { parseJson } from '../../../shared/core/validate.ts';
import { announce } from '../../../shared/bus/landed-message.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { graph } from '../../../services/pipeline.ts';
import { fillDisk } from './environment/disk.ts';
import type { Load } from './load.ts';
import type { Random } from '../../../shared/core/random.ts';
import { setNotificationRules, type Path } from './rules.ts';
import type { Server } from '../../support/harness/server-control.ts';
import { ACK_WAIT, type ChaosEnvironment } from './environment/environment.ts';

/** Environment in which a fault is injected. */
export interface FaultContext {
  readonly environment: ChaosEnvironment;
  readonly load: Load;
  readonly videos: readonly string[];
  readonly random: Random;
}

/** Injects and repairs a fault, and returns its description. */
export type Fault = (context: FaultContext) => Promise<string>;

const seconds = (n: number): Promise<void> => sleep(n * 1_000);

/** Stops a server temporarily. Restarts it even if stopping failed. */
async function stopped(server: Server, random: Random, least: number, most: number): Promise<string> {
  const signalName = random.pick(['SIGTERM', 'SIGKILL'] as const);
  const time = random.between(least, most);
  await server.stop(signalName);
  await seconds(time);
  await server.start();
  return `${server.name} ${signalName}, stopped for ${time.toFixed(1)} s`;
}

async function suspended({ name, suspend, resume }: Server, time: number): Promise<string> {
  suspend();
  await seconds(time);
  resume();
  return `${name} suspended for ${time.toFixed(1)} s`;
}

/** Sends a signal to a running service. */
function signal({ environment, random }: FaultContext, name: NodeJS.Signals): { pid: number; description: string } {
  const { name: service, current } = random.pick(environment.services.filter((each) => each.current() !== undefined));
  const pid = current()?.pid ?? 0;
  kill(pid, name);
  return { pid, description: `${name} ${service}` };
}

/** Disables notification paths temporarily. */
async function withPathsDisabled(
  { environment, random }: FaultContext,
  remaining: readonly Path[],
  during: () => Promise<unknown> = () => seconds(random.between(5, 15)),
): Promise<string> {
  const set = (paths: readonly Path[]): Promise<void> =>
    pRetry(() => setNotificationRules(environment.storeAdmin, graph, paths), { retries: 20, maxTimeout: 2_000 });
  await set(remaining);
  await during();
  await set(['fast', 'durable']);
  return `notified by ${remaining.join(' and ') || 'no path'}`;
}

/** Number of republished messages, and of repetitions. */
const RECENT = 5;
const TIMES = 20;

/** Republishes recent landed messages repeatedly in random order. */
async function duplicates({ environment, random }: FaultContext): Promise<string> {
  const { state } = await environment.bus.manager.streams.info(streams.landed);
  const found: ReturnType<typeof parseJson<'landedMessage'>>[] = [];
  for (let seq = state.last_seq; seq >= state.first_seq && seq > 0 && found.length < RECENT; seq -= 1) {
    const message = await environment.bus.manager.streams.getMessage(streams.landed, { seq }).catch(() => null);
    if (message) found.push(parseJson('landedMessage', message.string()));
  }
  const copies = random.shuffled(found.flatMap((landed) => Array.from({ length: TIMES }, (_, n) => [landed, n] as const)));
  for (const [landed, n] of copies)
    await announce(environment.bus, environment.store.bucket, landed, { nonce: `chaos ${n} ${random.next()}` });
  return `${found.length} announcements ${TIMES} times each`;
}

export const faults = {
  'kill-service': (context) => Promise.resolve(signal(context, 'SIGKILL').description),
  'pause-service': async (context) => {
    const { pid, description } = signal(context, 'SIGSTOP');
    await seconds(2 * ACK_WAIT);
    kill(pid, 'SIGCONT');
    return `${description} for ${2 * ACK_WAIT} s`;
  },
  'nats-stop': ({ environment, random }) => stopped(environment.nats, random, 1, 30),
  'nats-hang': ({ environment }) => suspended(environment.nats, 20),
  'minio-stop': ({ environment, random }) => stopped(environment.minio, random, 1, 15),
  'both-stop': async ({ environment, random }) =>
    (await Promise.all([stopped(environment.nats, random, 1, 15), stopped(environment.minio, random, 1, 15)])).join('; '),
  'fast-cut': (context) => withPathsDisabled(context, ['durable']),
  'durable-cut': (context) => withPathsDisabled(context, ['fast']),
  'lost-notification': (context) =>
    withPathsDisabled(context, [], () => context.load.submit(context.random.pick(context.videos), false)),
  duplicates,
  'disk-full': async ({ environment, random }) => {
    const time = random.between(5, 15);
    const release = await fillDisk(environment.tmpdir);
    await seconds(time);
    await release();
    return `disk full for ${time.toFixed(1)} s`;
  },
  'slow-store': async ({ environment, random }) => {
    environment.network.latency = random.between(50, 300);
    for (let n = 0; n < 5; n += 1) {
      await seconds(2);
      environment.network.reset();
    }
    const description = `${environment.network.latency.toFixed(0)} ms per request, five resets`;
    environment.network.latency = 0;
    return description;
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

/** Default faults of a round. With ten services, each is killed now and then. */
export const usualFaults: readonly FaultName[] = [...faultNames, 'kill-service', 'kill-service', 'kill-service'];
