/** Resampling of cells with many requests. Requests of one cell are not independent: they share replicas, queues and machine state. */
import { mean, quantileSorted, ascending, sum } from 'd3-array';
import { sampleStandardDeviation, sampleWithReplacement, shuffleInPlace, wilcoxonRankSum } from 'simple-statistics';
import { randomOf } from '../../shared/core/random.ts';

/** Values per cell. The outer list is resampled as whole cells. */
export type Clusters<T> = readonly (readonly T[])[];

export interface Interval {
  readonly value: number;
  /** Bounds of the interval; NaN if the statistic is undefined. */
  readonly low: number;
  readonly high: number;
}

export const LEVEL = 0.05;
const RESAMPLES = 1_000;
const PERMUTATIONS = 9_999;
/** Each call starts with this seed, so results do not depend on earlier calls. */
const SEED = 2112;

/** Returns a function that computes a quantile with linear interpolation (type 7 of Hyndman and Fan, 1996, the default of R and numpy). */
export function createQuantile(p: number): (values: readonly number[]) => number {
  // A typed array sorts numbers without a comparator; sorting dominates the time of an analysis.
  return (values) => quantileSorted([...Float64Array.from(values).sort()], p) ?? NaN;
}

/** Returns the mean, or NaN for an empty list. */
export const meanOf = (values: readonly number[]): number => mean(values) ?? NaN;

/**
 * Computes the 95 % percentile interval of a statistic by the two-stage cluster bootstrap (Davison and Hinkley 1997, §3.8): cells are drawn
 * with replacement, then the values within each drawn cell. With three to five repeats, drawing whole cells alone gives too narrow
 * intervals; drawing requests alone treats them as independent, which they are not.
 */
export function bootstrapInterval<T>(clusters: Clusters<T>, statistic: (values: readonly T[]) => number): Interval {
  return difference([clusters], ([values]) => statistic(values ?? []));
}

/** Computes the interval of a statistic of several groups as {@link bootstrapInterval}, resampling each group separately. */
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

/** Two groups of one stratum, with one number per cell. */
export type Stratum = readonly [readonly number[], readonly number[]];

export interface Test {
  /** Two-sided. */
  readonly p: number;
  /** Smallest p value that this number of cells can give. If it is above the level, no test can be significant. */
  readonly least: number;
}

/**
 * Runs a stratified two-sided permutation test of a difference in means. Whole cells are permuted within their stratum (their load).
 * The test is valid for any distribution if cells are exchangeable under the null hypothesis. Differences are in standard deviations
 * of their stratum, so all loads have the same weight. p = (b + 1) / (m + 1), Phipson and Smyth (2010).
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
  // Swapping two groups of equal size gives the same statistic.
  const mirrored = usable.every(([a, b]) => a.length === b.length) ? 2 : 1;
  return { p: (extreme + 1) / (PERMUTATIONS + 1), least: Math.max(mirrored / arrangements, 1 / (PERMUTATIONS + 1)) };
}

function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
}

/** Corrects p values for multiple comparisons by the step-down method of Holm (1979). The order is preserved. */
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

/** Computes Cliff's delta from the rank sum: δ = 2U / (mn) − 1, from −1 (all of a below all of b) to 1. */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return NaN;
  const u = wilcoxonRankSum([...a], [...b]) - (a.length * (a.length + 1)) / 2;
  return (2 * u) / (a.length * b.length) - 1;
}

/** Returns the size of a Cliff's delta as a word, by the thresholds of Romano et al. (2006). */
export function magnitude(delta: number): string {
  const size = Math.abs(delta);
  if (Number.isNaN(size)) return '–';
  return size < 0.147 ? 'negligible' : size < 0.33 ? 'small' : size < 0.474 ? 'medium' : 'large';
}
