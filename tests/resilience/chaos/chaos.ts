import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { streams } from '../../../shared/bus/topology.ts';
import { faults, type FaultName } from './faults.ts';
import { readEnding, readRequestTree, type Tree } from './request-tree.ts';
import { listEntries, findProcesses } from './orphans.ts';
import { createLoad, type Load } from './load.ts';
import { createVideos } from './environment/media.ts';
import { randomOf } from '../../../shared/core/random.ts';
import { createReport, type Injected, type Report } from './report.ts';
import { planFaults } from './schedule.ts';
import { withChaosEnvironment, type ChaosEnvironment } from './environment/environment.ts';
import { fetchStreamLag } from '../../support/harness/lag.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** Duration of load and faults. Open requests may end later. */
  readonly minutes: number;
  readonly faults: readonly FaultName[];
  readonly progress: (line: string) => void;
  /** Number of different videos. */
  readonly videos?: number;
  /** Number of concurrent requests. */
  readonly open?: number;
}

/** Time between faults, in seconds. */
const GAP = [3, 10] as const;

/** Timeout for open requests at the end, in ms: a sweep waits for one minute, a delayed item for two. */
const PATIENCE = 420_000;

/** Runs the pipeline under load, injects faults, and reports whether all guarantees hold. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const { seed, minutes, progress, videos: count = 3, open = 2 } = options;
  const media = await mkdtemp(join(tmpdir(), 'fave-chaos-media-'));
  try {
    const videos = await createVideos(count, media);
    return await withChaosEnvironment(progress, { hasSmallDisk: true }, async (environment) => {
      const load = createLoad(environment, videos, randomOf(seed));
      const expected = await withoutFaults(environment, load, videos, progress);
      const end = AbortSignal.timeout(minutes * 60_000);
      const allowed = options.faults.filter((fault) => fault !== 'disk-full' || environment.smallDisk);
      const [injected] = await Promise.all([
        inject({ ...options, faults: allowed }, { environment, load, videos }, end),
        load.keep(open, end),
      ]);
      progress(`${load.sent.length} requests are in; waiting for the last of them`);
      await settled(environment, load);

      const endings = await Promise.all(load.sent.map((sent) => readEnding(environment.bus, sent)));
      const trees = new Map<string, Tree>();
      for (const { id } of load.sent) trees.set(id, await readRequestTree(environment.store, id));
      const notInjected = options.faults
        .filter((fault) => !allowed.includes(fault))
        .map((fault) => `${fault} was not injected: this user may not mount a small disk`);
      const orphans = { directories: listEntries(environment.tmpdir), processes: findProcesses(environment.tmpdir) };
      return createReport({
        seed,
        minutes,
        faults: injected,
        notInjected,
        sent: load.sent,
        endings,
        trees,
        expected,
        ...orphans,
      });
    });
  } finally {
    await rm(media, { recursive: true, force: true });
  }
}

/** Records the tree of each video without faults. @throws Error if a request does not end. */
async function withoutFaults(
  { store }: ChaosEnvironment,
  load: Load,
  videos: readonly string[],
  progress: (line: string) => void,
): Promise<Map<string, Tree>> {
  const sent = await Promise.all(videos.map((video) => load.submit(video, false)));
  const trees = new Map<string, Tree>();
  for (const { id, video } of sent) {
    if (!(await load.ended(id, AbortSignal.timeout(PATIENCE)))) throw new Error(`${id} does not end even without faults`);
    trees.set(video, await readRequestTree(store, id));
    progress(`without faults, ${id} leaves ${trees.get(video)?.size ?? 0} objects`);
  }
  return trees;
}

/** Injects sequential faults until `end` and repairs the last one before it returns. */
async function inject(
  { seed, faults: names, progress }: ChaosOptions,
  context: { environment: ChaosEnvironment; load: Load; videos: readonly string[] },
  end: AbortSignal,
): Promise<Injected[]> {
  const begun = performance.now();
  const injected: Injected[] = [];
  const since = (): number => Math.round((performance.now() - begun) / 100) / 10;
  for (const { fault, seed: own, after } of planFaults(seed, names, GAP)) {
    await sleep(after * 1_000, undefined, { signal: end }).catch(() => undefined);
    if (end.aborted) break;
    const at = since();
    const description = await faults[fault]({ ...context, random: randomOf(own) });
    injected.push({ fault, at, seconds: Math.round((since() - at) * 10) / 10, description });
    progress(`${at.toFixed(0)} s: ${fault}: ${description}`);
  }
  return injected;
}

/** Waits until all requests have ended and no stage has lag, or until the timeout. */
async function settled({ bus }: ChaosEnvironment, load: Load): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE);
  for (const { id } of load.sent) await load.ended(id, patience);
  while (!patience.aborted && (await fetchStreamLag(bus, streams.landed)) > 0) await sleep(500);
}
