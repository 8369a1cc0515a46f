/** Resampling for runs of many requests: requests of one run share its replicas, its queues and its machine's mood. */
import { mean, quantileSorted, ascending, sum } from 'd3-array';
import { sampleStandardDeviation, sampleWithReplacement, shuffleInPlace, wilcoxonRankSum } from 'simple-statistics';
import { randomOf } from '../../shared/core/random.ts';

/** Values by run: the outer list is resampled as whole runs. */
export type Clusters<T> = readonly (readonly T[])[];

export interface Interval {
  readonly value: number;
  /** Bounds of the interval; NaN where the statistic has no value. */
  readonly low: number;
  readonly high: number;
}

export const LEVEL = 0.05;
const RESAMPLES = 1_000;
const PERMUTATIONS = 9_999;
/** The same for every call, so that no figure depends on what was computed before it. */
const SEED = 2112;

/** `quantileSorted` of d3: linear interpolation, type 7 of Hyndman & Fan (1996), which is R's and numpy's default. */
export function createQuantile(p: number): (values: readonly number[]) => number {
  // A typed array sorts numbers without a comparison's call: most of the time of an analysis goes by here.
  return (values) => quantileSorted([...Float64Array.from(values).sort()], p) ?? NaN;
}

/** Mean; NaN of nothing. */
export const meanOf = (values: readonly number[]): number => mean(values) ?? NaN;

/**
 * 95 % percentile interval of a statistic by the two-stage cluster bootstrap (Davison & Hinkley 1997, §3.8): runs are drawn with
 * replacement, then the values within each drawn run. Drawing whole runs alone would be too narrow with the three or
 * five repeats that a study has; drawing requests alone would take them for independent, which they are not.
 */
export function bootstrapInterval<T>(clusters: Clusters<T>, statistic: (values: readonly T[]) => number): Interval {
  return difference([clusters], ([values]) => statistic(values ?? []));
}

/** As {@link bootstrapInterval}, of a statistic of several groups, each resampled on its own. */
export function difference<T>(
  groups: readonly Clusters<T>[],
  statistic: (groups: readonly (readonly T[])[]) => number,
): Interval {
  const filled = groups.map((clusters) => clusters.filter(({ length }) => length > 0));
  const value = statistic(filled.map((clusters) => clusters.flat()));
  if (filled.some(({ length }) => length === 0)) return { value, low: NaN, high: NaN };
  const random = randomOf(SEED).next;
  const draw = <E>(from: readonly E[]): E[] => sampleWithReplacement([...from], from.length, random);
  const estimates = Array.from({ length: RESAMPLES }, () => statistic(filled.map((clusters) => draw(clusters).flatMap(draw))))
    .filter((estimate) => !Number.isNaN(estimate))
    .sort(ascending);
  const bound = (p: number): number => quantileSorted(estimates, p) ?? NaN;
  return { value, low: bound(LEVEL / 2), high: bound(1 - LEVEL / 2) };
}

/** Two groups of one stratum: one number a run. */
export type Stratum = readonly [readonly number[], readonly number[]];

export interface Test {
  /** Two-sided. */
  readonly p: number;
  /** The least p that so few runs can give: above the level, nothing can be shown. */
  readonly least: number;
}

/**
 * Two-sided permutation test of a difference in means, strata kept apart: runs change groups only within their stratum (their
 * load), as whole runs. Valid for any distribution, as long as runs are exchangeable under the null. Differences are in
 * standard deviations of their stratum, so that no load outweighs the others. p by (b + 1) / (m + 1), Phipson & Smyth (2010).
 */
export function permutationTest(strata: readonly Stratum[]): Test {
  const usable = strata.filter(([a, b]) => a.length > 0 && b.length > 0);
  const pools = usable.map(([a, b]) => ({ size: a.length, values: [...a, ...b] }));
  const spreads = pools.map(({ values }) => (values.length > 1 ? sampleStandardDeviation(values) : 0));
  const statistic = (): number =>
    Math.abs(
      sum(pools, ({ size, values }, n) => {
        const spread = spreads[n] ?? 0;
        return spread === 0 ? 0 : (meanOf(values.slice(0, size)) - meanOf(values.slice(size))) / spread;
      }),
    );
  const observed = statistic();
  const random = randomOf(SEED).next;
  let extreme = 0;
  for (let n = 0; n < PERMUTATIONS; n += 1) {
    for (const { values } of pools) shuffleInPlace(values, random);
    if (statistic() >= observed - 1e-9) extreme += 1;
  }
  const arrangements = usable.reduce((product, [a, b]) => product * choose(a.length + b.length, a.length), 1);
  // Mirrored arrangements of equally large groups give the same statistic.
  const mirrored = usable.every(([a, b]) => a.length === b.length) ? 2 : 1;
  return { p: (extreme + 1) / (PERMUTATIONS + 1), least: Math.max(mirrored / arrangements, 1 / (PERMUTATIONS + 1)) };
}

function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
}

/** P values corrected for their number by Holm's step-down (1979), in the order given. */
export function correctHolm(ps: readonly number[]): number[] {
  const corrected = new Array<number>(ps.length).fill(1);
  let greatest = 0;
  const order = ps.map((_, n) => n).sort((a, b) => (ps[a] ?? 1) - (ps[b] ?? 1));
  for (const [rank, n] of order.entries()) {
    greatest = Math.max(greatest, Math.min(1, (ps[n] ?? 1) * (ps.length - rank)));
    corrected[n] = greatest;
  }
  return corrected;
}

/** Cliff's delta, from −1 (every a below every b) to 1, by the rank sum: δ = 2U / (mn) − 1. */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return NaN;
  const u = wilcoxonRankSum([...a], [...b]) - (a.length * (a.length + 1)) / 2;
  return (2 * u) / (a.length * b.length) - 1;
}

/** Size of a Cliff's delta in a word: Romano et al. (2006). */
export function magnitude(delta: number): string {
  const size = Math.abs(delta);
  if (Number.isNaN(size)) return '–';
  return size < 0.147 ? 'negligible' : size < 0.33 ? 'small' : size < 0.474 ? 'medium' : 'large';
}
