/** Pairwise comparisons of regimes: contrast, p value and effect size. */
import { measures, computeRunTime, type Measure, type Pair } from './measures.ts';
import { stageOrder } from './stages.ts';
import { cliffsDelta, correctHolm, LEVEL, meanOf, permutationTest, type Interval } from './statistics.ts';
import type { PlatformStudy, RecordedCell } from '../data/study.ts';

export interface Comparison {
  readonly measure: Measure;
  readonly a: string;
  readonly b: string;
  /** Undefined for the comparison over all loads, stratified by load. */
  readonly load: string | undefined;
  /** Difference b − a, or ratio b / a. */
  readonly contrast: Interval;
  /** Cliff's delta of the requests of b against those of a, averaged over loads. */
  readonly delta: number;
  readonly p: number;
  /** Corrected for all comparisons of this measure. */
  readonly corrected: number;
  /** Smallest p value that this number of cells can give. */
  readonly least: number;
  readonly significant: boolean;
}

/** Compares all pairs of regimes by one measure, per load and over all loads. The tests form one family, corrected by Holm. */
export function compareBy(study: PlatformStudy, measure: Measure): Comparison[] {
  return corrected(
    pairs(study.regimes).flatMap(([a, b]) => {
      const loads = study.loads.flatMap((load) => {
        const pair: Pair = [findCells(study, a, load), findCells(study, b, load)];
        return pair.some((runs) => runs.length === 0) ? [] : [{ load, pair }];
      });
      const each = loads.map(({ load, pair }) => compared(measure, { a, b, load }, [pair]));
      const all = compared(
        measure,
        { a, b, load: undefined },
        loads.map(({ pair }) => pair),
      );
      return loads.length > 1 ? [all, ...each] : each;
    }),
  );
}

/** Compares the run times of all stages for all pairs of regimes over all loads. The tests form one family. */
export function compareStages(study: PlatformStudy): Comparison[] {
  const stages = stageOrder(study.conditions.flatMap(({ runs }) => runs));
  const everyLoad = (a: string, b: string): Pair[] =>
    study.loads.map((load) => [findCells(study, a, load), findCells(study, b, load)]);
  return corrected(
    pairs(study.regimes).flatMap(([a, b]) =>
      stages.flatMap((stage) => {
        const loads = everyLoad(a, b).filter((pair) => pair.every((runs) => runs.length > 0));
        return loads.length === 0 ? [] : [compared(computeRunTime(stage), { a, b, load: undefined }, loads)];
      }),
    ),
  );
}

/** Runs all comparisons of a platform. */
export function compareAll(study: PlatformStudy): Comparison[] {
  return [...Object.values(measures).flatMap((measure) => compareBy(study, measure)), ...compareStages(study)];
}

export function findCells({ conditions }: PlatformStudy, regime: string, load: string): readonly RecordedCell[] {
  return conditions.find((condition) => condition.regime === regime && condition.load === load)?.runs ?? [];
}

type Uncorrected = Omit<Comparison, 'corrected' | 'significant'>;

function compared(measure: Measure, names: Pick<Comparison, 'a' | 'b' | 'load'>, loads: readonly Pair[]): Uncorrected {
  const numbers = (runs: readonly RecordedCell[]): number[] => runs.map(measure.ofRun).filter((value) => !Number.isNaN(value));
  const { p, least } = permutationTest(loads.map(([a, b]) => [numbers(b), numbers(a)]));
  const deltas = loads.map(([a, b]) => cliffsDelta(b.flatMap(measure.ranked), a.flatMap(measure.ranked)));
  return { measure, ...names, contrast: measure.contrast(loads), delta: meanOf(deltas), p, least };
}

function corrected(family: readonly Uncorrected[]): Comparison[] {
  const ps = correctHolm(family.map(({ p }) => p));
  return family.map((each, n) => ({ ...each, corrected: ps[n] ?? 1, significant: (ps[n] ?? 1) < LEVEL }));
}

const pairs = <T>(list: readonly T[]): (readonly [T, T])[] =>
  list.flatMap((a, n) => list.slice(n + 1).map((b) => [a, b] as const));
