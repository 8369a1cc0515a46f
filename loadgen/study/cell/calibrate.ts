import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Video } from '../../arrivals/mix.ts';
import { runOneRequest } from './warm-up.ts';
import type { ObservedSystem } from './snapshots.ts';

/** What the machine can do: `calibration.json`. */
export interface Calibration {
  readonly date: string;
  readonly video_sha256: string;
  readonly cores: number;
  /** Processor time of one request, servers and tools included, milliseconds; each measured. */
  readonly request_cpu_ms: readonly number[];
  /** Processor time that the system uses without work, as a share of one core. */
  readonly idle_cores: number;
  /** Requests a second that would keep every core busy. */
  readonly capacity: number;
}

/** Requests that are measured, one after the other, and seconds of rest. */
const REQUESTS = 3;
const REST = 5;

/**
 * Measures a system in the warm regime. The time is that of its own processes: whatever else the machine does is not counted.
 */
export async function calibrate(observed: ObservedSystem, video: Video, signal: AbortSignal): Promise<Calibration> {
  const { system } = observed;
  await runOneRequest(observed, video, signal);
  const used = async (work: () => Promise<unknown>): Promise<{ cpu: number; wall: number }> => {
    const [cpu, begun] = [await system.cpuTime(), performance.now()];
    await work();
    return { cpu: (await system.cpuTime()) - cpu, wall: performance.now() - begun };
  };
  const rest = await used(() => sleep(REST * 1_000, undefined, { signal }));
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
