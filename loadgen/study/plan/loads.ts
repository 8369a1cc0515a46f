import type { CellArrivals } from '../../../schemas/generated/types.ts';
import { type Arrivals, arrivalTimes, meanRate } from '../../arrivals/arrivals.ts';

/** A load relative to the capacity of the machine, which is the rate that keeps all cores busy. */
interface Load {
  readonly pattern: 'steady' | 'moderate' | 'bursty';
  /** Mean rate, as a share of the capacity. */
  readonly share: number;
  /** Number of simultaneous requests. */
  readonly burst?: number;
}

/** All loads but saturation are below 60 % of the capacity, so a growing queue is an effect of the regime and not of the machine. */
export const loads = {
  steady: { pattern: 'steady', share: 0.25 },
  bursty: { pattern: 'bursty', share: 0.25, burst: 4 },
  moderate: { pattern: 'moderate', share: 0.5 },
  saturation: { pattern: 'steady', share: 1.5 },
} as const satisfies Readonly<Record<string, Load>>;

export type LoadName = keyof typeof loads;

export const loadNames = Object.keys(loads) as LoadName[];

/** Loads of a study by default. Saturation measures capacity and must be selected explicitly. */
export const defaultLoads: readonly LoadName[] = loadNames.filter((name) => name !== 'saturation');

/** Returns the arrivals of a load. @param capacity In requests per second. @param duration In seconds. */
export function toArrivals(name: LoadName, capacity: number, duration: number): Arrivals {
  const { pattern, share, burst }: Load = loads[name];
  // Rounded to four digits, so the command line of a cell reproduces the exact rate.
  const rate = Number((share * capacity).toPrecision(4));
  if (burst === undefined) return { pattern: pattern as 'steady' | 'moderate', rate, duration };
  return { pattern: 'bursty', size: burst, period: Number((burst / rate).toPrecision(4)), duration };
}

/** Describes arrivals for the record of a cell. */
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

/** Returns the options of `fave load` that produce these arrivals. */
export function toLoadArgs(arrivals: Arrivals): string[] {
  const args = ['--pattern', arrivals.pattern, '--duration', String(arrivals.duration)];
  if (arrivals.pattern === 'bursty')
    return [...args, '--burst-size', String(arrivals.size), '--burst-period', String(arrivals.period)];
  return arrivals.pattern === 'trace' ? args : [...args, '--rate', String(arrivals.rate)];
}
