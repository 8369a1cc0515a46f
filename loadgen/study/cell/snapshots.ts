import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import type { Store } from '../../../shared/store/store.ts';
import { lagOf } from '../../../shared/bus/consumers.ts';
import { consumerName, lanesOf, RELAY_CONSUMER, streams, TRACKER_CONSUMER } from '../../../shared/bus/topology.ts';
import type { JsonlWriter } from '../../record/record-files.ts';
import type { RunningSystem } from '../system/platform.ts';
import { computeBusyShare, readCpuTimes, type CpuTimes } from '../system/proc.ts';

const INTERVAL_MS = 1_000;
/** Number of snapshots per listing of the bucket. */
const LISTING_INTERVAL = 10;

/** Consumers of each service. Their lag is the lag of the service. */
const consumers: readonly { readonly service: string; readonly stream: string; readonly names: readonly string[] }[] = [
  { service: 'relay', stream: streams.raw, names: [RELAY_CONSUMER] },
  { service: 'tracker', stream: streams.landed, names: [TRACKER_CONSUMER] },
  ...graph.stages.map(({ name, consumes }) => ({
    service: name,
    stream: streams.landed,
    names: lanesOf(consumes).map((lane) => consumerName(name, lane)),
  })),
];

/** A running system, with connections to its store and bus. */
export interface ObservedSystem {
  readonly system: RunningSystem;
  readonly store: Store;
  readonly bus: Bus;
}

/** Starts to record a snapshot per second. @returns A function that stops and throws the error of a failed snapshot, if any. */
export function startSnapshots(observed: ObservedSystem, lines: JsonlWriter): () => Promise<void> {
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    let cpu = readCpuTimes();
    let next = Date.now();
    for (let n = 0; ; n += 1) {
      next = Math.max(next + INTERVAL_MS, Date.now()); // skips snapshots after a slow one
      await sleep(next - Date.now(), undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) return;
      const before = cpu;
      cpu = readCpuTimes();
      lines.append(await snapshot(observed, before, cpu, n % LISTING_INTERVAL === 0));
    }
  };
  const working = work();
  working.catch(() => undefined); // reported when the caller stops
  return async () => {
    stop.abort();
    await working;
  };
}

async function snapshot(
  { system, store, bus }: ObservedSystem,
  before: CpuTimes,
  after: CpuTimes,
  listed: boolean,
): Promise<Snapshot> {
  const time = new Date().toISOString();
  const replicas = await system.replicas();
  const stages: Snapshot['stages'] = {};
  for (const { service, stream, names } of consumers) {
    const found = await Promise.all(names.map((name) => bus.manager.consumers.info(stream, name)));
    const lag = found.reduce((sum, info) => sum + lagOf(info), 0);
    const { rss_mb, ...count } = replicas[service] ?? { replicas: 0, ready: 0, rss_mb: 0 };
    stages[service] = { ...count, rss_mb: Math.round(rss_mb * 10) / 10, lag };
  }
  return { time, cpu: computeBusyShare(before, after), ...(listed && (await sizeOf(store))), stages };
}

async function sizeOf(store: Store): Promise<Pick<Snapshot, 'store_bytes' | 'store_objects'>> {
  let [store_bytes, store_objects] = [0, 0];
  for await (const { size } of store.list('')) {
    store_bytes += size;
    store_objects += 1;
  }
  return { store_bytes, store_objects };
}
