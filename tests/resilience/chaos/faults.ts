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
  readonly world: ChaosEnvironment;
  readonly load: Load;
  readonly videos: readonly string[];
  readonly random: Random;
}

/** Injects and repairs a fault, and returns its description. */
export type Fault = (scene: FaultContext) => Promise<string>;

const seconds = (n: number): Promise<void> => sleep(n * 1_000);

/** Stops a server temporarily. Restarts it even if stopping failed. */
async function away(server: Server, random: Random, least: number, most: number): Promise<string> {
  const how = random.pick(['SIGTERM', 'SIGKILL'] as const);
  const time = random.between(least, most);
  await server.stop(how);
  await seconds(time);
  await server.start();
  return `${server.name} ${how}, away for ${time.toFixed(1)} s`;
}

async function hung({ name, suspend, resume }: Server, time: number): Promise<string> {
  suspend();
  await seconds(time);
  resume();
  return `${name} hung for ${time.toFixed(1)} s`;
}

/** Sends a signal to a running service. */
function signal({ world, random }: FaultContext, name: NodeJS.Signals): { pid: number; what: string } {
  const { name: service, current } = random.pick(world.services.filter((each) => each.current() !== undefined));
  const pid = current()?.pid ?? 0;
  kill(pid, name);
  return { pid, what: `${name} ${service}` };
}

/** Disables notification paths temporarily. */
async function without(
  { world, random }: FaultContext,
  left: readonly Path[],
  during: () => Promise<unknown> = () => seconds(random.between(5, 15)),
): Promise<string> {
  const set = (paths: readonly Path[]): Promise<void> =>
    pRetry(() => setNotificationRules(world.storeAdmin, graph, paths), { retries: 20, maxTimeout: 2_000 });
  await set(left);
  await during();
  await set(['fast', 'durable']);
  return `notified by ${left.join(' and ') || 'nobody'}`;
}

/** Number of republished messages, and of repetitions. */
const RECENT = 5;
const TIMES = 20;

/** Republishes recent landed messages repeatedly in random order. */
async function duplicates({ world, random }: FaultContext): Promise<string> {
  const { state } = await world.bus.manager.streams.info(streams.landed);
  const found: ReturnType<typeof parseJson<'landedMessage'>>[] = [];
  for (let seq = state.last_seq; seq >= state.first_seq && seq > 0 && found.length < RECENT; seq -= 1) {
    const message = await world.bus.manager.streams.getMessage(streams.landed, { seq }).catch(() => null);
    if (message) found.push(parseJson('landedMessage', message.string()));
  }
  const copies = random.shuffled(found.flatMap((landed) => Array.from({ length: TIMES }, (_, n) => [landed, n] as const)));
  for (const [landed, n] of copies)
    await announce(world.bus, world.store.bucket, landed, { nonce: `chaos ${n} ${random.next()}` });
  return `${found.length} announcements ${TIMES} times each`;
}

export const faults = {
  'kill-service': (scene) => Promise.resolve(signal(scene, 'SIGKILL').what),
  'pause-service': async (scene) => {
    const { pid, what } = signal(scene, 'SIGSTOP');
    await seconds(2 * ACK_WAIT);
    kill(pid, 'SIGCONT');
    return `${what} for ${2 * ACK_WAIT} s`;
  },
  'nats-stop': ({ world, random }) => away(world.nats, random, 1, 30),
  'nats-hang': ({ world }) => hung(world.nats, 20),
  'minio-stop': ({ world, random }) => away(world.minio, random, 1, 15),
  'both-stop': async ({ world, random }) =>
    (await Promise.all([away(world.nats, random, 1, 15), away(world.minio, random, 1, 15)])).join('; '),
  'fast-cut': (scene) => without(scene, ['durable']),
  'durable-cut': (scene) => without(scene, ['fast']),
  'lost-notification': (scene) => without(scene, [], () => scene.load.submit(scene.random.pick(scene.videos), false)),
  duplicates,
  'disk-full': async ({ world, random }) => {
    const time = random.between(5, 15);
    const release = await fillDisk(world.tmpdir);
    await seconds(time);
    await release();
    return `no room for ${time.toFixed(1)} s`;
  },
  'slow-store': async ({ world, random }) => {
    world.network.latency = random.between(50, 300);
    for (let n = 0; n < 5; n += 1) {
      await seconds(2);
      world.network.reset();
    }
    const what = `${world.network.latency.toFixed(0)} ms a piece, five resets`;
    world.network.latency = 0;
    return what;
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

/** Default faults of a round. With ten services, each is killed now and then. */
export const usualFaults: readonly FaultName[] = [...faultNames, 'kill-service', 'kill-service', 'kill-service'];
