import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import { arrivalTimes, meanRate, type Arrivals, type Pattern } from './arrivals.ts';
import type { ClosedLoop, OpenLoop } from './schedule.ts';
import { parseTrace } from './trace.ts';

export const patterns = ['steady', 'moderate', 'bursty', 'poisson', 'trace'] as const satisfies readonly Pattern[];

/** Load as specified on the command line. Rates are in requests per second, times in seconds. */
export interface LoadSpec {
  readonly pattern: Pattern;
  readonly rate?: number;
  readonly duration?: number;
  readonly burstSize?: number;
  readonly burstPeriod?: number;
  /** Path of a trace file. */
  readonly trace?: string;
  readonly closed?: boolean;
  readonly concurrency?: number;
  readonly thinkTime?: number;
  readonly seed: number;
}

/** Schedule of a load, with its description for the report. */
export interface LoadPlan {
  readonly schedule: OpenLoop | ClosedLoop;
  /** A pattern, or `closed`. */
  readonly pattern: Pattern | 'closed';
  /** Mean rate in requests per second; null for a closed loop. */
  readonly rate: number | null;
}

const DURATION = 60;
const BURST = 5;
const RATE = 0.1;

/** Plans the arrivals of a load. @throws PermanentError `invalid-load` with the conflicting options, `invalid-trace`. */
export async function planLoad(spec: LoadSpec, cwd: string): Promise<LoadPlan> {
  const { closed = false, concurrency = 1, thinkTime = 0, duration = DURATION, seed } = spec;
  assertCompatible(spec);
  if (closed) return { schedule: { users: concurrency, think: thinkTime, duration }, pattern: 'closed', rate: null };
  const arrivals = await readArrivals(spec, cwd);
  const schedule = { times: arrivalTimes(arrivals, seed), duration: arrivals.duration };
  return { schedule, pattern: arrivals.pattern, rate: meanRate(arrivals) };
}

async function readArrivals(spec: LoadSpec, cwd: string): Promise<Arrivals> {
  const { pattern, duration = DURATION, rate = RATE } = spec;
  switch (pattern) {
    case 'trace': {
      const file = spec.trace ?? '';
      const text = await readFile(resolve(cwd, file), 'utf8').catch((cause: unknown) => {
        throw new PermanentError('invalid-load', `--trace: cannot read ${file}: check the path`, { cause });
      });
      const { steps, duration: recorded } = parseTrace(text);
      return { pattern, steps, duration: Math.min(recorded, spec.duration ?? Infinity) };
    }
    case 'bursty': {
      const { burstSize: size = BURST, burstPeriod: period = size / rate } = spec;
      return { pattern, size, period, duration };
    }
    default:
      return { pattern, rate, duration };
  }
}

/** Rejects options without effect, which users would otherwise assume to be applied. */
function assertCompatible({ pattern, closed, rate, burstSize, burstPeriod, trace, concurrency, thinkTime }: LoadSpec): void {
  const isSet = (value: unknown): boolean => value !== undefined;
  const wrong = (
    [
      [closed && (isSet(rate) || isSet(trace) || isSet(burstSize)), '--closed has no rate: responses of the target determine it'],
      [!closed && isSet(concurrency), '--concurrency needs --closed: the number of open requests is unlimited in an open loop'],
      [!closed && isSet(thinkTime), '--think-time needs --closed'],
      [pattern !== 'bursty' && (isSet(burstSize) || isSet(burstPeriod)), '--burst-size and --burst-period need --pattern bursty'],
      [isSet(burstPeriod) && isSet(rate), '--rate and --burst-period are exclusive: pass one of them'],
      [!closed && (pattern === 'trace') !== isSet(trace), '--pattern trace and --trace FILE need each other'],
      [pattern === 'trace' && isSet(rate), '--rate conflicts with --trace, which contains the rate'],
    ] as const
  ).find(([is]) => is);
  if (wrong) throw new PermanentError('invalid-load', wrong[1]);
}
