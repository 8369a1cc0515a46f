import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import { arrivalTimes, meanRate, type Arrivals, type Pattern } from './arrivals.ts';
import type { ClosedLoop, OpenLoop } from './schedule.ts';
import { parseTrace } from './trace.ts';

export const patterns = ['steady', 'moderate', 'bursty', 'poisson', 'trace'] as const satisfies readonly Pattern[];

/** What a person asks for. Rates are requests a second, times seconds. */
export interface LoadSpec {
  readonly pattern: Pattern;
  readonly rate?: number;
  readonly duration?: number;
  readonly burstSize?: number;
  readonly burstPeriod?: number;
  /** A file. */
  readonly trace?: string;
  readonly closed?: boolean;
  readonly concurrency?: number;
  readonly thinkTime?: number;
  readonly seed: number;
}

/** What is done then, and how it is told. */
export interface LoadPlan {
  readonly schedule: OpenLoop | ClosedLoop;
  /** A pattern, or `closed`. */
  readonly pattern: Pattern | 'closed';
  /** Mean requests a second; null where the target decides. */
  readonly rate: number | null;
}

const DURATION = 60;
const BURST = 5;
const RATE = 0.1;

/** @throws PermanentError `invalid-load` that says which options do not go together, `invalid-trace`. */
export async function planLoad(asked: LoadSpec, cwd: string): Promise<LoadPlan> {
  const { closed = false, concurrency = 1, thinkTime = 0, duration = DURATION, seed } = asked;
  assertTogether(asked);
  if (closed) return { schedule: { users: concurrency, think: thinkTime, duration }, pattern: 'closed', rate: null };
  const arrivals = await readArrivals(asked, cwd);
  const schedule = { times: arrivalTimes(arrivals, seed), duration: arrivals.duration };
  return { schedule, pattern: arrivals.pattern, rate: meanRate(arrivals) };
}

async function readArrivals(asked: LoadSpec, cwd: string): Promise<Arrivals> {
  const { pattern, duration = DURATION, rate = RATE } = asked;
  switch (pattern) {
    case 'trace': {
      const file = asked.trace ?? '';
      const text = await readFile(resolve(cwd, file), 'utf8').catch((cause: unknown) => {
        throw new PermanentError('invalid-load', `--trace: ${file} cannot be read: check its name`, { cause });
      });
      const { steps, duration: recorded } = parseTrace(text);
      return { pattern, steps, duration: Math.min(recorded, asked.duration ?? Infinity) };
    }
    case 'bursty': {
      const { burstSize: size = BURST, burstPeriod: period = size / rate } = asked;
      return { pattern, size, period, duration };
    }
    default:
      return { pattern, rate, duration };
  }
}

/** An option that has no effect would be believed to have had one. */
function assertTogether({ pattern, closed, rate, burstSize, burstPeriod, trace, concurrency, thinkTime }: LoadSpec): void {
  const given = (value: unknown): boolean => value !== undefined;
  const wrong = (
    [
      [closed && (given(rate) || given(trace) || given(burstSize)), '--closed has no rate: the answers set its pace'],
      [!closed && given(concurrency), '--concurrency is for --closed: an open loop has as many under way as it needs'],
      [!closed && given(thinkTime), '--think-time is for --closed'],
      [
        pattern !== 'bursty' && (given(burstSize) || given(burstPeriod)),
        '--burst-size and --burst-period are for --pattern bursty',
      ],
      [given(burstPeriod) && given(rate), '--rate and --burst-period say the same twice: give one of them'],
      [!closed && (pattern === 'trace') !== given(trace), '--pattern trace and --trace FILE go together'],
      [pattern === 'trace' && given(rate), '--rate: a trace has its own'],
    ] as const
  ).find(([is]) => is);
  if (wrong) throw new PermanentError('invalid-load', wrong[1]);
}
