import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Video } from '../../arrivals/mix.ts';
import { runOneRequest } from './warm-up.ts';
import type { ObservedSystem } from './snapshots.ts';

/** Capacity of the machine, stored as `calibration.json`. */
export interface Calibration {
  readonly date: string;
  readonly video_sha256: string;
  readonly cores: number;
  /** Measured processor time per request, in ms, including servers and tools. */
  readonly request_cpu_ms: readonly number[];
  /** Processor time of the idle system, as a share of one core. */
  readonly idle_cores: number;
  /** Rate that keeps all cores busy, in requests per second. */
  readonly capacity: number;
}

/** Number of measured requests, which run sequentially. */
const REQUESTS = 3;
/** Duration of the idle measurement. */
const IDLE_MS = 5_000;

/** Measures the capacity of a system in the warm regime. Only the processor time of the processes of the system counts. */
export async function calibrate(observed: ObservedSystem, video: Video, signal: AbortSignal): Promise<Calibration> {
  const { system } = observed;
  await runOneRequest(observed, video, signal);
  const used = async (work: () => Promise<unknown>): Promise<{ cpu: number; wall: number }> => {
    const [cpu, begun] = [await system.cpuTime(), performance.now()];
    await work();
    return { cpu: (await system.cpuTime()) - cpu, wall: performance.now() - begun };
  };
  const rest = await used(() => sleep(IDLE_MS, undefined, { signal }));
  const idle = rest.cpu / rest.wall;
  const request_cpu_ms: number[] = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const { cpu, wall } = await used(() => runOneRequest(observed, video, signal));
    request_cpu_ms.push(Math.round(cpu - idle * wall));
  }
  const mean = request_cpu_ms.reduce((sum, each) => sum + each, 0) / REQUESTS;
  const cores = cpus().length;
  return {
    date: new Date().toISOString(),
    video_sha256: video.sha256,
    cores,
    request_cpu_ms,
    idle_cores: Math.round(idle * 1e4) / 1e4,
    capacity: Number(((1_000 * (cores - idle)) / mean).toPrecision(4)),
  };
}
