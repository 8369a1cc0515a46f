import { group, rollup, sum } from 'd3-array';
import type { Cell, ItemRecord, LoadRecord, ScaleEvent, Snapshot } from '../../schemas/generated/types.ts';

/** One recorded cell. */
export interface RecordedCell {
  /** `{platform}/{regime}/{load}/{repeat}` */
  readonly name: string;
  readonly cell: Cell;
  readonly requests: readonly LoadRecord[];
  readonly items: readonly ItemRecord[];
  readonly scaling: readonly ScaleEvent[];
  readonly snapshots: readonly Snapshot[];
}

/** All finished repeats of one load under one regime. */
export interface Condition {
  readonly platform: Cell['platform'];
  readonly regime: string;
  readonly load: string;
  readonly runs: readonly RecordedCell[];
}

/** All conditions recorded on one platform. */
export interface PlatformStudy {
  readonly platform: Cell['platform'];
  /** Sorted by ascending minimum number of replicas. */
  readonly regimes: readonly string[];
  /** Sorted by ascending rate. */
  readonly loads: readonly string[];
  readonly conditions: readonly Condition[];
}

export interface Study {
  readonly platforms: readonly PlatformStudy[];
  /** Conditions whose load exceeds the capacity of the pipeline. They are excluded from comparisons. */
  readonly saturation: readonly Condition[];
  readonly broken: readonly RecordedCell[];
}

/** Returns a function that computes its result once per condition. Resampling is slow, and tables and findings use the same results. */
export function memoizePerCondition<T>(compute: (condition: Condition) => T): (condition: Condition) => T {
  const results = new WeakMap<Condition, T>();
  return (condition) => {
    const value = results.get(condition) ?? compute(condition);
    results.set(condition, value);
    return value;
  };
}

/** A saturation load measures the capacity limit. Its latencies grow with its duration and do not describe a regime. */
const isSaturation = ({ cell }: RecordedCell): boolean => /saturat/.test(`${cell.load} ${cell.arrivals.pattern}`);

/** Groups cells into compared conditions per platform, saturation conditions and broken cells. */
export function groupCells(runs: readonly RecordedCell[]): Study {
  const finished = runs.filter(({ cell }) => cell.status === 'finished');
  const compared = finished.filter((run) => !isSaturation(run));
  const platforms = (['local', 'kubernetes'] as const).flatMap((platform) => {
    const own = compared.filter(({ cell }) => cell.platform === platform);
    return own.length === 0 ? [] : [platformStudy(platform, own)];
  });
  return {
    platforms,
    saturation: conditionsOf(finished.filter(isSaturation)),
    broken: runs.filter(({ cell }) => cell.status === 'broken'),
  };
}

function platformStudy(platform: Cell['platform'], runs: readonly RecordedCell[]): PlatformStudy {
  const regimes = ordered(runs, ({ regime }) => regime, alwaysThere);
  const loads = ordered(
    runs,
    ({ load }) => load,
    ({ arrivals }) => arrivals.rate,
  );
  const place = ({ regime, load }: Condition): number => loads.indexOf(load) * regimes.length + regimes.indexOf(regime);
  const conditions = conditionsOf(runs).sort((a, b) => place(a) - place(b));
  return { platform, regimes, loads, conditions };
}

const alwaysThere = ({ settings }: Cell): number => sum(Object.values(settings.stages), ({ min, idle_s }) => min * 1e6 + idle_s);

/** Returns names sorted by the rank of their first cell, then alphabetically. */
function ordered(runs: readonly RecordedCell[], name: (cell: Cell) => string, rank: (cell: Cell) => number): string[] {
  const ranks = rollup(
    runs,
    ([first]) => (first ? rank(first.cell) : 0),
    ({ cell }) => name(cell),
  );
  return [...ranks].sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1)).map(([each]) => each);
}

function conditionsOf(runs: readonly RecordedCell[]): Condition[] {
  const byCondition = group(runs, ({ cell }) => `${cell.platform}/${cell.regime}/${cell.load}`);
  return [...byCondition.values()].flatMap((members) => {
    const [first] = members;
    if (!first) return [];
    const { platform, regime, load } = first.cell;
    return [{ platform, regime, load, runs: [...members].sort((a, b) => a.cell.repeat - b.cell.repeat) }];
  });
}
