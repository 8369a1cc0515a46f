import type { CellArrivals } from '../../../schemas/generated/types.ts';
import type { Arrivals } from '../../arrivals/arrivals.ts';
import { arrivalTimes, meanRate } from '../../arrivals/arrivals.ts';

/** A load, at a share of what the machine can do at all: capacity is the requests a second that keep every core busy. */
interface Load {
  readonly pattern: 'steady' | 'moderate' | 'bursty';
  /** Mean rate, as a share of the capacity. */
  readonly share: number;
  /** Requests at once. */
  readonly burst?: number;
}

/** All but saturation stay below 60 % of the capacity, so that a queue that grows is the regime's doing and not the machine's. */
export const loads = {
  steady: { pattern: 'steady', share: 0.25 },
  bursty: { pattern: 'bursty', share: 0.25, burst: 4 },
  moderate: { pattern: 'moderate', share: 0.5 },
  saturation: { pattern: 'steady', share: 1.5 },
} as const satisfies Readonly<Record<string, Load>>;

export type LoadName = keyof typeof loads;

export const loadNames = Object.keys(loads) as LoadName[];

/** Loads that belong together; saturation is asked for by name, as it answers another question. */
export const defaultLoads: readonly LoadName[] = loadNames.filter((name) => name !== 'saturation');

/** @param capacity Requests a second. @param duration Seconds. */
export function toArrivals(name: LoadName, capacity: number, duration: number): Arrivals {
  const { pattern, share, burst }: Load = loads[name];
  // Four digits, so that a command line that repeats it repeats exactly it.
  const rate = Number((share * capacity).toPrecision(4));
  if (burst === undefined) return { pattern: pattern as 'steady' | 'moderate', rate, duration };
  return { pattern: 'bursty', size: burst, period: Number((burst / rate).toPrecision(4)), duration };
}

/** What a cell tells of its arrivals. */
export function describeArrivals(arrivals: Arrivals, seed: number): CellArrivals {
  const { pattern, duration } = arrivals;
  return {
    pattern,
    rate: meanRate(arrivals),
    duration_s: duration,
    count: arrivalTimes(arrivals, seed).length,
    ...(arrivals.pattern === 'bursty' && { burst_size: arrivals.size, burst_period_s: arrivals.period }),
  };
}

/** Options of `fave load` that make these arrivals. */
export function toLoadArgs(arrivals: Arrivals): string[] {
  const args = ['--pattern', arrivals.pattern, '--duration', String(arrivals.duration)];
  if (arrivals.pattern === 'bursty')
    return [...args, '--burst-size', String(arrivals.size), '--burst-period', String(arrivals.period)];
  return arrivals.pattern === 'trace' ? args : [...args, '--rate', String(arrivals.rate)];
}
